"""Textual widgets that draw what presenters made."""
