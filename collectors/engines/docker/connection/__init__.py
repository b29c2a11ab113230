"""The connection to a Docker or Podman engine: its address, its socket, its greeting and what answers there."""
