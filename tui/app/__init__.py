"""The Textual applications: live and replay."""
