"""Runs a command in a control group of its own and measures what it used."""
