"""Reads the kernel: /proc, devices, namespaces, QEMU processes."""
