"""Kubernetes: the pods of this host's kubelet."""
