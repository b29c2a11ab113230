"""From frames to values: rates, history, start-up times, events."""
