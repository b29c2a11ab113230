"""Charts: one metric over time with its scale, limit and times, and lines over each other."""
