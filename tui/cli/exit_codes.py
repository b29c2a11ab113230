"""The exit codes of every command."""

DONE = 0
"""Done, or it was so already; also if the reader of the output closes the pipe."""
FAILED = 1
"""It failed, or something that is present cannot be read."""
USAGE = 2
"""Bad arguments, or no terminal for the screen; click's own."""
NO_SUCH = 3
"""A name stands for no workload, or for several."""
NOT_ALLOWED = 4
"""The engine or the system does not allow it, or a name may be among what this user may not read."""
REFUSED = 5
"""vmtop refuses: protected, locked, or impossible in this state."""
TIMED_OUT = 6
"""The effect did not come in time."""
UNKNOWN = 7
"""The engine was lost before the outcome was known."""
NO_ANSWER = 8
"""A source that was asked for, or could know a name, has not answered in time."""
MATCHED = 9
"""`vmtop check`: the condition holds for a workload."""
OVER_BUDGET = 10
"""What was measured is more than was allowed."""
NOT_MEASURABLE = 11
"""What was asked for is not measured here, or for too short a time."""
HUNG_UP = 129
"""The terminal has gone."""
INTERRUPTED = 130
"""Ended by Ctrl-C."""
