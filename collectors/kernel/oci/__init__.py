"""What container engines leave in files about the containers that they run: OCI bundles and the kubelet's folders."""
