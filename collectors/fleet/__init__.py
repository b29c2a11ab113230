"""Other hosts: their frames under their names, and what can be done there."""
