"""The commented file that `vmtop config --default` prints: all that can be set, with its default.

A line that begins with `#` and no space is a setting that only needs the `#` removed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

from tui.configuration.keymap import default_keys
from tui.configuration.option_row import OptionRow, OptionTables
from tui.configuration.settings_table import SETTINGS, Setting
from tui.configuration.toml_text import as_key, as_toml

SCHEMA_URL = "config.schema.json"
_WIDTH = 100
_HEAD = """\
# Configuration of vmtop. What is left out, or behind a '#', has its default.
# 'vmtop config' shows what applies and why; docs/configuration.md explains it.
"""
_COLUMNS = """\
# Sets of columns of your own. screen.columns takes the names of columns.
#web = ["name", "cpu", "mem", "history:cpu", "uptime"]
"""
_THEME = """\
# A theme of your own: roles and colours, and the theme that the others come from. screen.theme = "own" means this one.
#base = "dark"
#bad = "#ff5555"
"""
_COMMANDS = """\
# Programs of your own, in the menu of actions, the palette, and on a key. No shell is involved. {name}, {id}, {kind},
# {engine}, {image}, {project} and {cgroup} are the workload's; the environment has them as VMTOP_NAME and so on.
#[[commands]]
#label = "layers"
#key = "ctrl+o"
#for = ["container"]
#run = ["dive", "{image}"]
# 'terminal' hands the terminal over, 'background' shows the outcome only.
#in = "terminal"
# A safe command changes nothing: it may run while actions are locked, and nothing is asked.
#safe = true
"""
_ALERTS = """\
# Rules for alerts, beside the built-in ones (docs/alerts.md). The name of a built-in one changes it.
#[[alerts]]
#name = "web is slow"
#when = "cpu > 90% of limit kind=ct name~^web for 2m"
#until = "cpu < 70% of limit"
#level = "critical"
#run = ["notify-team", "{name}"]
#bell = true
#desktop = true
#[[alerts]]
#name = "CPU pressure"
#on = false
"""
_HOSTS = """\
# Other hosts, reached with ssh: --host hv01, --host tag:prod, --host all. 'vmtop host add hv01' puts vmtop there.
#[[hosts]]
#name = "hv01"
# What ssh is given, if it is not the name: HOST, USER@HOST or USER@HOST:PORT.
#address = "admin@hv01.example.org"
# What starts vmtop there, for the shell of that user.
#command = "vmtop"
#tags = ["prod"]
"""

_SERVERS = """\
# What a Prometheus or VictoriaMetrics scraped of many hosts: 'vmtop fleet --prometheus prod'.
#[prometheus.prod]
#url = "https://prometheus.example.org"
# Limits everything to series with these labels.
#match = 'job="vmtop"'
# Secrets are in files that only you can read; the certificate is always verified.
#token_file = "~/.config/vmtop/prometheus.token"
# Instead of a token: user and password_file.
#ca_file = "/etc/ssl/certs/example.pem"
"""


def default_file(tables: OptionTables) -> str:
    """Return the text.

    Args:
        tables: The options of commands.
    """
    parts = [_HEAD]
    for section, settings in groupby(SETTINGS, lambda setting: setting.section):
        parts.append((f"[{section}]\n" if section else "") + "".join(map(_setting, settings)))
    keys = "".join(f"#{name} = {as_toml(words)}\n" for name, words in default_keys().items())
    parts.append(
        f'[keys]\n# The keys of each action, such as "ctrl+o", "F5", "space" or "?"; [] leaves it none.\n{keys}'
    )
    parts += [f"[columns]\n{_COLUMNS}", f"[theme]\n{_THEME}"]
    parts += [f"[{table}]\n{''.join(map(_option, rows))}" for table, rows in tables.items() if rows]
    parts += [_COMMANDS, _ALERTS, _HOSTS, _SERVERS]
    return "\n".join(parts)


def _setting(setting: Setting) -> str:
    return _lines(setting.help, f"#{setting.key} = {as_toml(setting.type.written(setting.default))}")


def _option(row: OptionRow) -> str:
    key = as_key(row.key)
    return _lines(row.help, f"# {key} = {row.metavar}" if row.default is None else f"#{key} = {as_toml(row.default)}")


def _lines(help_text: str, assignment: str) -> str:
    return "".join(_comment(help_text)) + f"{assignment}\n"


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH):
        yield f"# {line}\n"
