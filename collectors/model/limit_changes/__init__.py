"""Changes of limits as data: what they would mean, how they ended, and who does it on another host."""
