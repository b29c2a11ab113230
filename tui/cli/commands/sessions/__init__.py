"""Commands on recordings, and what they share."""
