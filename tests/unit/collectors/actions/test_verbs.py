"""A verb is one row: menu, words, rules, confirmation and command line follow from it."""

from __future__ import annotations

from dataclasses import replace

import click
import pytest

from collectors.actions.confirmation import consequence
from collectors.actions.outcome_words import done_words, label
from collectors.actions.rules import is_reached, state_forbids
from collectors.actions.verbs import VERBS
from collectors.model.actions import Request, Verb
from collectors.model.workloads import Kind, State
from tests.helpers.strategies import workload
from tui.cli.main import main
from tui.dialogs.action_menu import Entry, _line


def test_every_verb_has_a_row_in_the_order_of_the_menu() -> None:
    assert list(VERBS) == list(Verb)


def test_each_key_of_the_menu_chooses_one_verb_and_none_moves_or_closes_it() -> None:
    keys = [spec.key for spec in VERBS.values()]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set("jkqx")


def test_what_a_row_says_is_what_menu_words_rules_and_confirmation_say(monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(
        VERBS[Verb.PAUSE],
        key="z",
        done="was put to sleep",
        vm_label="hibernate",
        vm_done="was hibernated",
        consequence="It sleeps.",
        starts_from=frozenset({State.STARTING}),
        leads_to=frozenset({State.SUSPENDED}),
        refusals={State.RUNNING: "it is wide awake"},
        refusal="being {state} is no time to sleep",
    )
    monkeypatch.setitem(VERBS, Verb.PAUSE, row)
    assert _line(Entry(Verb.PAUSE, VERBS[Verb.PAUSE].key, "pause", "", True)).plain.startswith(" z pause")
    assert label(Verb.PAUSE, Kind.VM) == "hibernate"
    assert done_words(Request(Verb.PAUSE, workload("web"))) == "was put to sleep"
    assert consequence(Request(Verb.PAUSE, workload("web"))) == "It sleeps."
    assert state_forbids(Verb.PAUSE, State.STARTING) == ""
    assert state_forbids(Verb.PAUSE, State.RUNNING) == "it is wide awake"
    assert state_forbids(Verb.PAUSE, State.STOPPED) == "being stopped is no time to sleep"
    assert is_reached(Verb.PAUSE, State.SUSPENDED)
    assert not is_reached(Verb.PAUSE, State.PAUSED)


@pytest.mark.parametrize("verb", list(Verb))
def test_a_verb_is_a_command_that_has_a_timeout_if_it_can_wait(verb: Verb) -> None:
    _, command, _ = main.resolve_command(click.Context(main), [str(verb)])
    assert command is not None
    assert any("--timeout" in parameter.opts for parameter in command.params) is VERBS[verb].can_wait


def test_the_list_of_commands_has_every_verb_with_its_help() -> None:
    listed = {name: main.get_command(click.Context(main), name) for name in Verb}
    assert {name: command.help for name, command in listed.items() if command is not None} == {
        verb: spec.command_help for verb, spec in VERBS.items()
    }
