"""Sentences for outcomes. Each one follows the workload's name."""

from __future__ import annotations

from collectors.actions.verbs import VERBS
from collectors.model.actions import Request, Verb
from collectors.model.workloads import Kind


def label(verb: Verb, kind: Kind | None) -> str:
    """Return the label of a verb: VMs have their own, such as `reboot`. `None` stands for several kinds together."""
    if kind is Kind.VM:
        return VERBS[verb].vm_label or verb.value
    return verb.value


def done_words(request: Request, is_forced: bool = False, is_restored: bool = False) -> str:
    """Return the sentence for a success.

    Args:
        request: What was done.
        is_forced: Whether it took force after the time-out.
        is_restored: Whether its memory was saved before, from which a start goes on.
    """
    if is_restored and request.verb is Verb.START:
        return "was restored from its saved state"
    is_vm = request.workload.kind is Kind.VM
    spec = VERBS[request.verb]
    if is_forced:
        participle = spec.vm_forced if is_vm else spec.forced
        return f"was {participle} after the {request.verb} timed out ({request.timeout_s:g} s)"
    return (is_vm and spec.vm_done) or spec.done


def left_words(request: Request) -> str:
    """Return the sentence for a workload that was left as it is after the time-out."""
    return f"was asked to {request.verb} but did not within {request.timeout_s:g} s: left as it is"
