"""Rules for alerts as users write them: what they mean, what is refused, and how built-in ones are changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from collectors.alerts.built_in import built_in_rules
from collectors.alerts.condition import EngineDisk, Happening, Holding, SourceIs, parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.model.workloads import Availability
from collectors.query.filter import QueryError
from tui.configuration.alerts import CHECKS, SCHEMA, check, rules_of
from tui.configuration.effective import effective
from tui.configuration.overview import overview
from tui.configuration.reading import parse


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ("cpu > 90% of limit for 2m", Holding, {"for_s": 120.0}),
        ("state != running", Holding, {"for_s": 0.0}),
        ("event=oom", Happening, {"whats": {"oom"}, "times": 1, "within_s": 300.0}),
        (
            "event=die|restarted 3 times in 10m",
            Happening,
            {"times": 3, "within_s": 600},
        ),
        ("event = die kind=ct 2 times in 1h", Happening, {"whats": {"die"}, "times": 2, "within_s": 3600}),
        ("source=stale|down docker for 30s", SourceIs, {"name": "docker", "for_s": 30.0}),
        ("source = denied", SourceIs, {"states": {Availability.DENIED}, "name": ""}),
        ("engine disk > 90% for 1m", EngineDisk, {"percent": 90.0, "for_s": 60.0}),
        ("state=stopped 'in' for 1m", Holding, {"for_s": 60.0}),
    ],
)
def test_a_condition_means_what_it_says(text: str, kind: type, fields: dict[str, object]) -> None:
    condition = parse_condition(text)
    assert isinstance(condition, kind)
    assert {name: getattr(condition, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("for 2m", "is empty"),
        ("cpu > 90 for ever", "invalid duration"),
        ("cpu > 90 for 2d", "longer than a day"),
        ("cpux > 90", "did you mean"),
        ("cpu > 90 for", "'for' is out of place"),
        ("cpu > 90 for 2m kind=ct", "'for' is out of place"),
        ("event=die 3 time in 10m", "'time' is out of place"),
        ("event=oom in", "'in' is out of place"),
        ("cpu > 90 and kind=ct for 2m", "'and' is out of place"),
        ("event=oom for 2m", "an event lasts no time"),
        ("event=oom 0 times in 1m", "a number from 1 to 999"),
        ("source=broken", "it is one of stale, down, denied"),
        ("source=down docker libvirt", "one name of a source"),
        ("name~'web", "not closed"),
        ("rx > 5% of limit", "no limit"),
    ],
)
def test_a_condition_that_means_nothing_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        parse_condition(text)


def test_a_rule_has_all_that_its_table_says() -> None:
    rule, mistakes = check(
        {
            "name": "web is slow", "when": "cpu > 90% for 2m", "until": "cpu < 50", "level": "critical", "text": "slow",
            "run": "notify-team --name {name}", "bell": True, "desktop": True, "on": False,
        }
    )  # fmt: skip
    assert not mistakes
    assert rule is not None
    assert (rule.name, rule.level, rule.words, rule.run) == (
        "web is slow", Level.CRITICAL, "slow", ("notify-team", "--name", "{name}"),
    )  # fmt: skip
    assert (rule.has_bell, rule.is_shown_on_desktop, rule.is_on, rule.is_built_in) == (True, True, False, False)
    assert rule.until is not None


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ({"when": "cpu > 1"}, "", "has no name"),
        ({"name": "own"}, "", "has no when"),
        ({"name": "own", "when": "cpu >"}, "when", "cannot be used"),
        ({"name": "own", "when": "cpu > 1", "until": " "}, "until", "leave it out"),
        ({"name": "own", "when": "cpu > 1", "until": "cpu < 1 for 2m"}, "until", "an end has no time"),
        ({"name": "own", "when": "cpu > 1", "level": "grave"}, "level", "info"),
        ({"name": "own", "when": "cpu > 1", "run": []}, "run", "list of words"),
        ({"name": "own", "when": "cpu > 1", "bell": 1}, "bell", "true or false"),
        ({"name": "two\nlines", "when": "cpu > 1"}, "name", "one line"),
        ({"name": "own", "when": "cpu > 1", "wen": "x"}, "wen", "unknown"),
    ],
)
def test_a_mistake_names_its_key(table: dict[str, Any], key: str, words: str) -> None:
    rule, mistakes = check(table)
    assert rule is None
    assert words in mistakes[key]


def test_a_built_in_rule_is_changed_by_its_name_and_keeps_the_rest() -> None:
    off, _ = check({"name": "throttled", "on": False})
    other, _ = check({"name": "steal", "when": "steal > 30% for 5m", "level": "critical"})
    own, _ = check({"name": "own", "when": "cpu > 1"})
    assert off is not None
    assert other is not None
    assert own is not None
    rules = {rule.name: rule for rule in rules_of([own, off, other])}
    assert [*rules][-1] == "own"
    assert [*rules][:-1] == [rule.name for rule in built_in_rules()]
    assert (rules["throttled"].is_on, rules["throttled"].until) == (False, off.until)
    assert off.until is not None
    assert (rules["steal"].level, rules["steal"].until, rules["steal"].is_built_in) == (Level.CRITICAL, None, True)


def test_the_schema_has_the_keys_that_are_checked_and_takes_what_is_taken() -> None:
    assert set(SCHEMA["properties"]) == set(CHECKS)
    jsonschema.validate({"name": "own", "when": "cpu > 1", "run": ["a"], "level": "info"}, SCHEMA)


def test_two_rules_of_one_name_and_a_bad_one_are_told_with_their_lines() -> None:
    first = '[[alerts]]\nname = "a"\nwhen = "cpu > 1"\n'
    text = first + first.replace("1", "2") + '[[alerts]]\nwhen = "x="\n'
    mistakes = parse(text, Path("config.toml")).mistakes
    assert mistakes == [
        "line 5: there are two alerts 'a'; give one another name",
        "line 7: the alert has no name",
        "line 8: 'when' cannot be used: there is no field or metric 'x'; did you mean 'tx'?",
    ]


def test_the_built_in_rules_are_a_dozen_or_more_each_with_words_of_its_own() -> None:
    rules = built_in_rules()
    assert len({rule.name for rule in rules}) == len({rule.words for rule in rules}) == len(rules) >= 12


OWN = """
[[alerts]]
name = "web is slow"
when = "cpu > 90% of limit for 2m"
[[alerts]]
name = "CPU pressure"
on = false
[[alerts]]
name = "throttled"
when = "throttled > 50% for 5m"
[[alerts]]
name = "steal"
until = "steal < 1%"
bell = true
"""


def _told(rule: Rule) -> str:
    """Return all that a rule says; the functions that judge are different ones each time that it is parsed."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(rule))


def test_what_is_listed_are_the_rules_that_apply() -> None:
    content = parse(OWN, Path("config.toml"))
    text = overview(effective({}, content, {}), content, {})
    listed = parse(text, Path("config.toml"))
    assert not listed.mistakes
    assert [_told(rule) for rule in rules_of(listed.alerts)] == [_told(rule) for rule in rules_of(content.alerts)]
    assert text.count("[[alerts]]") == len(built_in_rules()) + 1
    lines = text.splitlines()
    assert [line for line in lines if "5m" in line or "on = false" in line] == [
        'when = "throttled > 50% for 5m"          # config.toml:10',
        "on = false                               # config.toml:7",
    ]
    assert 'until = "throttled < 10%"' not in text
