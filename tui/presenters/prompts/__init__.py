"""What is typed: commands, completion, names."""
