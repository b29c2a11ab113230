"""Verdicts for those who run vmtop without looking at it: pipelines, cron, Nagios."""
