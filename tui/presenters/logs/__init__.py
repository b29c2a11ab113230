"""The lines of a log: the window on them, and how each looks."""
