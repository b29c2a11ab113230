"""What is read of the host while its page is open: cores, disks, interfaces, sensors, graphics, pressure."""
