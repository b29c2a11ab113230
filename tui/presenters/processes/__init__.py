"""The table of processes, and one process in full. Plain, no Textual."""
