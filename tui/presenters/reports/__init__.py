"""Texts for pipes and files: lists, diagnoses, summaries, reports."""
