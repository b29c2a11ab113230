"""From data to text, cells, tones, HTML and JSON. No Textual in here."""
