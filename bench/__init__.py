"""What `make bench` measures: vmtop against its marks, in one run on one machine."""
