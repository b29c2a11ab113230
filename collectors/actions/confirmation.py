"""What an action means: the equivalent command lines and the consequences, in sentences. Pure."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote

from collectors.actions.targets import is_full_id
from collectors.actions.verbs import VERBS
from collectors.engines.registry import owner
from collectors.engines.ssh_target import over
from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.wording import some
from collectors.model.workloads import Kind, Workload

CAN_WAIT = frozenset(verb for verb, spec in VERBS.items() if spec.can_wait)
"""The graceful verbs: they have a time-out, and a choice of what follows it."""
_ENDS = frozenset(verb for verb, spec in VERBS.items() if spec.ends_it)


def equivalent(request: Request) -> tuple[str, ...]:
    """Return the equivalent command lines, quoted for a shell; the second one follows a time-out.

    They are shown and logged, never run. Empty for an engine that has no command. On another host they are those of its
    own engine, and `Request.address` is how to log in there.
    """
    if not request.workload.id.host:
        return owner(request.workload).commands(request)
    there = owner(request.workload).commands(replace(request, address=""))
    return tuple(over(request.address or f"ssh {quote(request.workload.id.host)}", command) for command in there)


def words_elsewhere(request: Request) -> list[str]:
    """Return the arguments with which the vmtop on the host of a workload does it: by the full id, and for one run."""
    workload = request.workload
    words = [request.verb.value, "--host", "local", "--json", "--yes"]
    if request.verb in CAN_WAIT:
        words += ["--timeout", f"{request.timeout_s:g}", "--then", request.after.value]
    if request.run is not None:
        words.append(f"--if-epoch={request.run}")
    identity = workload.id
    is_unique = is_full_id(identity.id) or workload.kind is Kind.SERVICE
    return [*words, "--", f"{workload.kind if is_unique else identity.engine}:{identity.id}"]


def consequence(request: Request) -> str:
    """Return what will happen to the workload, in one or two sentences."""
    verb = request.verb
    is_vm = request.workload.kind == "vm"
    if is_vm and verb is Verb.START and Note.SAVED in _notes(request):
        return "It is restored from its saved state, not booted."
    sentence = VERBS[verb].vm_consequence if is_vm else VERBS[verb].consequence
    if verb in CAN_WAIT:
        sentence += f" {aftermath(request)}"
    return sentence


def besides(request: Request) -> tuple[str, ...]:
    """Return the side effects that the verb does not imply, as sentences: what is lost, what else is affected."""
    sentences = owner(request.workload).warnings(request)
    if not _interrupts(request):
        return tuple(sentences)
    if request.nested:
        effect = "pauses" if request.verb is Verb.PAUSE else "ends"
        names = some([f"{workload.kind} {workload.name}" for workload in request.nested])
        sentences.append(f"This also {effect} what runs inside it: {names}.")
    return (*sentences, *_losses(request))


def must_be_typed(request: Request) -> bool:
    """Return whether the name has to be typed: the verb destroys something, or the action hits more than its target."""
    return VERBS[request.verb].is_typed or (_interrupts(request) and bool(request.nested or _losses(request)))


def _interrupts(request: Request) -> bool:
    return request.verb in _ENDS or request.verb in (Verb.RESTART, Verb.PAUSE)


def _losses(request: Request) -> list[str]:
    """Return as sentences what others lose while the workload does not run."""
    sentences = []
    if request.dependents.network_users and request.verb is not Verb.PAUSE:
        sentences.append(f"These use its network and lose it: {some(request.dependents.network_users)}.")
    if request.dependents.session:
        sentences.append(f"You may lose this terminal: {request.dependents.session}.")
    if request.dependents.mounts:
        sentences.append(
            f"It serves file systems mounted on this host, which will hang: {some(request.dependents.mounts)}."
        )
    return sentences


def _notes(request: Request) -> frozenset[Note]:
    return request.seen.notes if request.seen is not None else frozenset()


def aftermath(request: Request) -> str:
    """Return what happens after the time-out, as a sentence."""
    seconds = f"{request.timeout_s:g} s"
    if request.after is AfterTimeout.LEAVE:
        return f"If this takes longer than {seconds}, it is left as it is."
    spec = VERBS[request.verb]
    participle = spec.vm_forced if request.workload.kind == "vm" else spec.forced
    return f"If this takes longer than {seconds}, it is {participle}: unsaved data is lost."


def describe(workload: Workload) -> str:
    """Return an unambiguous description of a workload: kind, name, engine, state, image, id."""
    state = f"{workload.state} ({workload.state_reason})" if workload.state_reason else workload.state.value
    place = f" on {workload.id.host}" if workload.id.host else ""
    parts = [f"{workload.kind} {workload.name}", f"by {workload.id.engine}{place}", state]
    parts += [part for part in (workload.image, workload.endpoint and f"on {workload.endpoint}") if part]
    return ", ".join([*parts, workload.short_id] if workload.short_id != workload.name else parts)
