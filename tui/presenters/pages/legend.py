"""What signs, colours, columns and filters mean, for the help of each screen."""

from __future__ import annotations

from collectors.model.metrics import METRICS
from tui.keys.tables import (
    CLASSES,
    COMPARE,
    DETAIL,
    DETAIL_PROCESSES,
    HOST,
    INSPECT,
    LIVE,
    LOGS,
    PAST,
    PAST_DETAIL,
    PAST_HOST,
    PROCESSES,
    REPLAY,
)

Rows = tuple[tuple[str, str], ...]
_FILTER: Rows = (
    ("web", "name, project, image or id contains it"),
    ("kind=vm cpu>50", "fields and metrics; all of them must hold"),
    ("name~^db mem>=1G", "a regular expression; sizes with K, M, G"),
    ("!state=paused or oom>0", "not; or"),
    ("Tab, Up", "complete a field or a value; earlier filters"),
)
_PALETTE: Rows = (
    (":web", "go to the workload whose name is most like it"),
    (":stop web", "any action on it, with the usual confirmation"),
    (":sort mem", "sort by a column"),
    (":columns net", "a preset of columns, or one column more or less"),
    (":vm :ct :svc :all", "show one kind, or every kind"),
    (":hv01 :hosts", "look at one of several hosts alone, or at all"),
    (":theme light", "another theme"),
    (":mark deploy v2", "a note on the timeline"),
)
_SIGNS: Rows = (
    ("● ‖ ○ ✗", "running, paused, stopped, crashed or exited with an error"),
    ("◐", "starting, stopping or restarting"),
    ("!", "unhealthy, memory above 85 % of its limit, or paused by a fault"),
    ("▲", "at its CPU or memory limit; on the timeline: an alarm, such as an OOM kill"),
    ("?", "its numbers are old, or no engine knows it; w shows which"),
    ("▌", "marked"),
    ("▎ █", "an alert is active about it, or about a member of a folded group; and it is marked; B lists the alerts"),
    ("~12M", "approximate; w shows how it is measured"),
    ("-", "unknown, which is not zero; w shows why"),
    ("▾ ▸  3 ▲1 ✗1", "an open group, a folded one; its members, and how many of them have which sign"),
    ("■", "the host: no order moves it, and no filter hides it"),
    ("▼CPU%", "the table is sorted by this column; ▲: in reverse"),
)
_HOSTS: Rows = (
    ("HOST", "the host that it is on; local: the one that vmtop runs on; host=hv01 in a filter"),
    ("■ 3 hosts", "all hosts together: the sums of their own values"),
    ("▸ hv02 40", "t: a host with its own values, and the number of workloads that are shown of it"),
    ("●hv01 ?hv02 9s ✗hv03 5m", "at the top: it answers, has been silent for so long, is gone; ! says why"),
    ("hv03  gone 5m", "silent for more than a minute: its workloads are in no total; Enter shows them as they were"),
)
_TIMELINE: Rows = (
    ("┃", "the moment that is shown"),
    ("✗ ○ ● ↻", "an exit or crash, a stop, a start, a restart"),
    ("▲ ◆", "an alarm, such as an OOM kill; a note"),
    ("·", "nothing was recorded here"),
)
_COLOURS: Rows = (
    ("bold red", "over the second threshold, or failed"),
    ("amber", "over the first threshold: CPU% near the limit, CPUWAIT and other waiting (PSI) that others feel"),
    ("muted", "zero, unknown, stopped, or old"),
    ("blue, cyan, violet", "kinds: virtual machines, containers, services"),
)
_READING: Rows = (
    ("CPU%", "100 is one core; % cycles: one core, the whole host, the workload's limit"),
    ("LAST MIN", "CPU% over the last minute; full height is its limit, or one core without one"),
    ("CPUWAIT", "PSI: share of time that some task waited for a CPU, like %RDY of a hypervisor"),
    ("vm + ct + svc + rest", "the host's CPU and memory, split without overlap"),
    ("+/MIN", "change of MEM in a minute; amber or red: its limit is less than 30 or 5 min away"),
    ("docker ✗40s", "at the top: a source that has not answered for so long; ! shows the state of each"),
    ("12 held", "after NAME: the order stays as it is for 2 s after a key or the mouse"),
)
_COLUMNS: Rows = tuple((f"{metric.label:<8} {metric.alias}", metric.help) for metric in METRICS.values())
_CHARTS: Rows = (
    ("filled area", "the mean of each moment"),
    ("dots above it", "the highest value, where a cell covers more than one reading"),
    ("┄", "the limit, with its origin"),
    ("gap", "no reading, which is not zero"),
)
_PROCESSES: Rows = (
    ("S", "R runs or could, S sleeps, D waits for a disk, T is stopped, Z has ended, I is an idle kernel thread"),
    ("CPU%", "over the last two seconds; 100 is one core"),
    ("RSS", "resident memory, shared pages included: not the MEM of workloads, and its sum is more than that"),
    ("TIME", "CPU time since the start"),
    ("INSIDE", "the pid inside the container"),
    ("WORKLOAD", "the innermost workload around it, by its control group"),
    ("CGROUP BELOW", "its control group below the workload's"),
    ("WAIT%", "of a thread: ready to run, but waiting for a CPU; of a vCPU that is its steal"),
    ("ON", "the CPU that a thread ran on last"),
)
_HOST: Rows = (
    ("vm ct svc rest", "the host's CPU (in cores) and memory, split without overlap, as in the table"),
    ("▲ 98%", "a core above 90 %; x is switched off"),
    ("USED", "space that cannot be written any more, as in df"),
    ("BUSY", "share of time with a request in progress; an SSD is not full at 100 %"),
    ("AWAIT", "mean time of a request, waiting included"),
    ("not counted", "repeats what another interface carries; the totals in the rule leave it out"),
    ("- and a reason", "a sensor that answers nonsense, such as 0 or 255 °C"),
    ("Waiting", "PSI: share of time that some task waited for the resource"),
)
_MAIN = (
    ("Signs", _SIGNS), ("Reading the table", _READING), ("Several hosts", _HOSTS), ("Colours", _COLOURS),
    ("Filter", _FILTER), ("Palette", _PALETTE),
)  # fmt: skip
LEGENDS: dict[str, tuple[tuple[str, Rows], ...]] = {
    LIVE: (*_MAIN, ("Columns, and their names in filters", _COLUMNS)),
    PAST: (("Timeline", _TIMELINE), *_MAIN, ("Columns, and their names in filters", _COLUMNS)),
    REPLAY: (("Timeline", _TIMELINE), *_MAIN, ("Columns, and their names in filters", _COLUMNS)),
    DETAIL: (("Charts", _CHARTS), ("Metrics", _COLUMNS)),
    PAST_DETAIL: (("Charts", _CHARTS), ("Metrics", _COLUMNS)),
    PROCESSES: (("Reading the table", _PROCESSES),),
    DETAIL_PROCESSES: (("Reading the table", _PROCESSES),),
    HOST: (("Reading it", _HOST),),
    PAST_HOST: (("Reading it", _HOST),),
    LOGS: (
        (
            "Reading the log",
            (
                ("red, amber", "lines with a word for an error, or for a warning"),
                ("following", "new lines appear at the end; scrolling up stops that"),
            ),
        ),
    ),
    INSPECT: (("Reading it", (("▾ ▸", "an open block, a folded one"), ("y", "copies the block under the cursor"))),),
    COMPARE: (
        (
            "Reading it",
            (
                ("first column", "what the others are compared with"),
                ("differences", "relative to the first; shares of a limit differ in points"),
                ("-", "not measured on that side"),
            ),
        ),
        ("Metrics", _COLUMNS),
    ),
    CLASSES: (
        (
            "Reading it",
            (
                ("a cell", "the median of the class, measured on this host"),
                ("-", "not measured; the pane below says why"),
                ("pane below", "how the row under the cursor is defined and measured"),
            ),
        ),
    ),
}
"""By screen: headings, each with what is explained and its meaning."""
