"""One folder per engine: its source, actions, details, logs and console."""
