"""containerd: containers that no kubelet owns, such as those of ctr and nerdctl."""
