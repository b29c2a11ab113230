"""What a shell user types: the group, its options, one file for each command."""
