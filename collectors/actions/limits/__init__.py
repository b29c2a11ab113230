"""Live limits: what is asked for, what it would mean, setting it, checking that it took effect, and taking it back."""
