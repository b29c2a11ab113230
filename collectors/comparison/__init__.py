"""Comparisons: workloads side by side, and bare metal, virtual machines and containers as classes."""
