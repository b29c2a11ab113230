"""What the main screen shows: header, rows, panes and what stands in place of them. Plain, no Textual."""
