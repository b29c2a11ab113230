"""Tests of the virtual machines found by their processes."""
