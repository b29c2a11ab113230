"""The exit codes of every command."""

DONE = 0
FAILED = 1
"""Also when something that is present cannot be read."""
USAGE = 2
"""Bad arguments, or no terminal for the screen; click's own."""
NO_SUCH = 3
"""A name stands for no workload, or for several."""
NOT_ALLOWED = 4
REFUSED = 5
"""vmtop refuses: protected, locked, or impossible in this state."""
TIMED_OUT = 6
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
