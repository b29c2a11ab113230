"""What vmtop exposes to Prometheus and its like: the table of metric families, and the text of a scrape."""
