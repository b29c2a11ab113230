"""One folder for each engine: its source, actions, details, logs and console."""
