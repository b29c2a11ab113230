"""Colours: the table of roles, palettes, users' own themes, and what each kind of terminal can show of them."""
