"""How long tests wait for what has to come. A test that waits for nothing else is never slowed by it."""

PATIENCE = 4
"""What a time for a quiet machine is multiplied by: the others' daemons, guests and compilers may run beside it."""
EXTERNAL_S = 240
"""Seconds for one call of a program or a daemon of the lab, also inside an emulated kernel."""
