"""Examples of the manual pages: for each command its words, and what they are for.

Tests parse them with the commands themselves, so that none of them can name an option that there is not.
"""

from __future__ import annotations

EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "": [
        ("vmtop", "Watch this host."),
        ("vmtop --filter 'kind=vm cpu>50' --sort mem", "Only busy virtual machines, the largest first."),
        ("vmtop --host hv01 --host admin@hv02", "Two hosts in one table, over ssh."),
    ],
    "list": [
        ("vmtop list", "Print what the screen shows, once."),
        ("vmtop list web 'db-*' --over 5s", "Some workloads, with rates over five seconds."),
        ("vmtop list --json --filter 'state=paused'", "As a JSON document."),
    ],
    "logs": [("vmtop logs web db --follow --since 10m", "Logs of two workloads, merged by time.")],
    "top": [("vmtop top web --tree", "The processes of a workload, as a tree.")],
    "exec": [("vmtop exec web -- ls /srv", "Run a command in a container.")],
    "inspect": [("vmtop inspect web --json", "What the engine knows, with secrets masked.")],
    "check": [("vmtop check 'cpu > 80'", "Exit with 9 if a workload uses more than 80 % of a core.")],
    "wait": [("vmtop wait 'state = running' --for 10s --timeout 2m", "Wait until they run.")],
    "run": [("vmtop run --max mem=2G -- make test", "What a command used; exit with 10 above 2 GiB.")],
    "stream": [("vmtop stream --count 3", "Three JSON documents, one per line.")],
    "fleet": [("vmtop fleet --prometheus http://127.0.0.1:9090", "What is scraped of many hosts.")],
    "serve": [("vmtop serve --listen 127.0.0.1:9922", "Answer scrapes on the loopback interface.")],
    "textfile": [("vmtop textfile /var/lib/prometheus/node-exporter", "Write for the node exporter.")],
    "doctor": [
        ("vmtop doctor", "Which sources can be read, and what to do about the others."),
        ("vmtop doctor --report report.txt", "What a bug report needs."),
    ],
    "demo": [("vmtop demo --workloads 200", "Try every key without risk.")],
    "config": [("vmtop config --default", "A configuration file with every setting, to start from.")],
    "completion": [("vmtop completion --install", "Complete with Tab in the shell that is used now.")],
    "host": [("vmtop host add admin@hv02 --tag prod", "Remember a host, and copy vmtop there if it has none.")],
    "record": [("vmtop record night.vmtop.gz --duration 8h", "Record a night.")],
    "replay": [("vmtop replay night.vmtop.gz --at 03:12", "Look at 03:12 in the night.")],
    "info": [("vmtop info night.vmtop.gz", "What the recording holds.")],
    "export": [("vmtop export night.vmtop.gz --metric cpu -o cpu.csv", "One metric as rows.")],
    "cut": [("vmtop cut night.vmtop.gz --from 03:00 --to +30m -o part.vmtop.gz", "Half an hour of it.")],
    "report": [("vmtop report night.vmtop.gz -o night.html", "One page to pass on.")],
    "compare": [("vmtop compare db --session before.vmtop.gz", "Before and now.")],
    "sizes": [("vmtop sizes --session night.vmtop.gz", "What each workload needed, and what would fit.")],
    "monitoring": [("vmtop monitoring ./monitoring", "Dashboards, rules and a scrape configuration.")],
    "start": [("vmtop start web vm:db", "Start a container and a machine.")],
    "stop": [("vmtop stop web --timeout 30", "Stop gracefully, and forcibly after 30 s.")],
    "restart": [("vmtop restart web --yes", "Restart without a question.")],
    "pause": [("vmtop pause web", "Freeze it.")],
    "resume": [("vmtop resume web", "Let it continue.")],
    "kill": [("vmtop kill web", "End it at once.")],
    "set": [("vmtop set web cpu=2 memory=1G --dry-run", "What new limits would change.")],
    "remove": [("vmtop remove web", "Remove a stopped container.")],
}
"""By command; the empty name is vmtop without one."""
