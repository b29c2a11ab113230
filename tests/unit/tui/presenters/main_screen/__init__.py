"""Tests of what the main screen shows."""
