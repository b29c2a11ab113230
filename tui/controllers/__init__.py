"""What keys start and what goes on over time: actions, recordings, playback, consoles."""
