"""Real daemons for tests."""
