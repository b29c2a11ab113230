"""Real daemons for the tests: a Docker engine, a libvirt daemon with guests, a kernel with pure cgroup v2.

All of it lives in a folder, sockets and processes of the run's own, and stops exactly what it started.
"""
