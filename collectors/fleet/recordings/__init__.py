"""Session files of several hosts as one sequence of frames, as if one vmtop had watched all of them."""
