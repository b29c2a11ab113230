"""The page of the host as coloured lines, in parts. Plain, no Textual."""
