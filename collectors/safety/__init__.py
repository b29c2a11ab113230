"""What keeps text, files and rights from outside harmless."""
