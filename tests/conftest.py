"""What every test may ask for. The real daemons live in `tests.lab`."""

pytest_plugins = ["tests.lab.fixtures"]
