"""The configuration file, the keys, paths, the log file."""
