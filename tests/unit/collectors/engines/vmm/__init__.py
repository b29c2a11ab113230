"""Tests of the engines of virtual machines that are found by their processes."""
