"""The log of one workload, or of several merged: reading, searching, filtering, going to a time, saving."""
