"""Work that keys start and that continues over time: actions, recordings, playback, consoles."""
