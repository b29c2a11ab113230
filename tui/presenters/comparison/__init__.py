"""Comparisons: workloads side by side, and the classes of bare metal, machines and containers."""
