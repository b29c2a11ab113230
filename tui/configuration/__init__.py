"""What can be configured, where each value comes from, and what the screen remembers."""
