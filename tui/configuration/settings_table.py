"""SETTINGS, the one table of what can be configured by a single value.

The reader of the file, the options of the command line, `vmtop config`, the commented file, the JSON schema and what
the screen remembers are all derived from it. Options of commands that are not in it (`vmtop record --rotate-size`) can
be set in a section of the command's name: `tui.cli.command_sections` takes them from the command itself.

Imports nothing heavy: the command line is built from it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tui.configuration import vocabulary
from tui.configuration.value_types import Choice, Number, Several, Switch, ValueType, Words

SCREEN, ACTIONS, TIMEOUTS = "screen", "actions", "actions.timeout_s"


class Setting(NamedTuple):
    """One value."""

    section: str
    """The table in the file; empty for the top of it."""
    key: str
    type: ValueType
    default: Any
    help: str
    flag: str = ""
    """The option of the command line; one that begins with `--no-` sets `false`."""
    metavar: str = ""
    is_remembered: bool = False
    """Whether the screen comes back with the last value."""
    option_help: str = ""
    """Help of the option where it differs, as it does for one that sets `false`."""

    @property
    def name(self) -> str:
        """The key with its section: `screen.interval`."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def parameter(self) -> str:
        """The parameter of a command that takes the option."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def is_negative(self) -> bool:
        """Whether the option sets `false`."""
        return self.flag.startswith("--no-")


_SECONDS = Number(0, 3600)

SETTINGS: tuple[Setting, ...] = (
    Setting("", "read_only", Switch(), False, "Start with actions locked; L unlocks them.", "--read-only"),
    Setting(
        "", "log", Words(), "", "Log into this file instead of ~/.local/state/vmtop/vmtop.log.", "--log", "FILE"
    ),
    Setting(
        SCREEN, "interval", Number(0.2, 60), 1.0, "Time between readings.", "--interval", "SECONDS", is_remembered=True
    ),
    Setting(
        SCREEN, "sort", Choice(vocabulary.sort_words), "cpu_percent", "Metric or field to sort by.", "--sort", "KEY",
        is_remembered=True,
    ),
    Setting(SCREEN, "reverse", Switch(), False, "Smallest first.", is_remembered=True),
    Setting(
        SCREEN, "order", Choice(vocabulary.orders), "10s", "What the order follows: the values of now, or a mean.",
        is_remembered=True,
    ),
    Setting(
        SCREEN, "columns", Several(Choice(vocabulary.column_words)), (),
        "Columns, in this order; none means those that vmtop chooses.", is_remembered=True,
    ),
    Setting(
        SCREEN, "only", Choice(vocabulary.kinds), "", "Show one kind of workload.", "--only", "KIND",
        is_remembered=True,
    ),
    Setting(SCREEN, "stopped", Switch(), False, "Show stopped workloads too.", is_remembered=True),
    Setting(
        SCREEN, "tree", Switch(), False, "Group by compose project, pod or slice.", is_remembered=True
    ),
    Setting(
        SCREEN, "scale", Choice(vocabulary.scales), "core",
        "What 100 % CPU is: one core, the whole host, or the workload's limit.", is_remembered=True,
    ),
    Setting(SCREEN, "large_panes", Switch(), False, "Larger charts of the selected workload.", is_remembered=True),
    Setting(
        SCREEN, "theme", Words(vocabulary.theme_name), "auto",
        "Colours: auto asks the terminal for its background; dark, light, contrast, or a theme of your own.",
        "--theme", "NAME", is_remembered=True,
    ),
    Setting(SCREEN, "filter", Words(vocabulary.filter_text), "", "Show only what matches.", "--filter", "EXPR"),
    Setting(SCREEN, "ascii", Switch(), False, "Draw with ASCII only.", "--ascii"),
    Setting(
        SCREEN, "mouse", Switch(), True, "Use the mouse; without it, the terminal selects text.", "--no-mouse",
        option_help="Leave the mouse to the terminal.",
    ),
    Setting(
        SCREEN, "spool", Switch(), True, "Record in the background, for S (save) and T (rewind).", "--no-spool",
        option_help="Do not record in the background; disables S and T.",
    ),
    Setting(
        ACTIONS, "allow_protected", Several(Words()), (),
        "Protected workloads that may be acted on: a name, an id, kind:name, or process:NAME.",
    ),
    Setting(TIMEOUTS, "container", _SECONDS, 10.0, "Seconds that a container is given to stop or restart."),
    Setting(TIMEOUTS, "vm", _SECONDS, 60.0, "Seconds that a virtual machine is given."),
    Setting(TIMEOUTS, "service", _SECONDS, 90.0, "Seconds that a service is given."),
)  # fmt: skip
BY_NAME = {setting.name: setting for setting in SETTINGS}
REMEMBERED = tuple(setting for setting in SETTINGS if setting.is_remembered)
