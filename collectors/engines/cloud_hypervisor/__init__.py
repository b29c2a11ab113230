"""Cloud Hypervisor."""
