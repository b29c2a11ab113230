"""Virtual machines that no manager is known to run, such as plain QEMU; and what all engines of VMMs share."""
