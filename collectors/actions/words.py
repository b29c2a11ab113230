"""How outcomes are told. Each sentence follows the workload's name."""

from __future__ import annotations

from collectors.actions.verbs import VERBS
from collectors.model.actions import Request, Verb
from collectors.model.workloads import Kind


def label(verb: Verb, kind: Kind | None) -> str:
    """Name a verb in the words of the kind: a VM is rebooted and forced off. `None`: several kinds together."""
    if kind is Kind.VM:
        return VERBS[verb].vm_label or verb.value
    return verb.value


def done_words(request: Request, is_forced: bool = False) -> str:
    """Say what was done."""
    is_vm = request.workload.kind is Kind.VM
    spec = VERBS[request.verb]
    if is_forced:
        how = spec.vm_forced if is_vm else spec.forced
        return f"was {how}, as it did not follow within {request.timeout_s:g} s"
    return (is_vm and spec.vm_done) or spec.done


def left_words(request: Request) -> str:
    """Say that it did not follow, and was left as it is."""
    return f"was asked to {request.verb} and has not within {request.timeout_s:g} s: it is left as it is"
