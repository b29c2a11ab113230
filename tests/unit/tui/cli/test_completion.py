"""Completion: the script is found by the shell it is for, and values are completed without asking any engine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Never

import pytest
from click.shell_completion import CompletionItem, ShellComplete
from click.testing import CliRunner

from collectors.actions.targets import names_of
from collectors.fleet.specs import load_source
from collectors.kernel.cgroup.source import CgroupSource
from collectors.kernel.container_names import Names
from collectors.model.errors import SourceDown
from collectors.model.workloads import Kind
from collectors.sampling.source import SourceSpec
from tests.helpers.patience import EXTERNAL_S
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tui.cli import sources
from tui.cli.completion import workload_names
from tui.cli.completion.group_names import names_of_groups
from tui.cli.completion.scripts import SHELLS, CompletionError, detect_shell, own_place
from tui.cli.main import main


def completed(words: list[str], incomplete: str) -> list[CompletionItem]:
    return ShellComplete(main, {}, "vmtop", "_VMTOP_COMPLETE").get_completions(words, incomplete)


def values(words: list[str], incomplete: str) -> list[str]:
    return [item.value for item in completed(words, incomplete)]


def process(proc: Path, pid: object, name: str, parent: int) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc in which this process is 40, the child of 30."""
    monkeypatch.setattr(os, "getpid", lambda: 40)
    process(tmp_path, 40, "vmtop", 30)
    return tmp_path


def test_the_shell_is_the_nearest_one_above_whatever_is_between(proc: Path) -> None:
    process(proc, 30, "vmtop", 20)
    process(proc, 20, "-zsh", 10)
    process(proc, 10, "bash", 1)
    assert detect_shell(proc, {"SHELL": "/bin/fish"}) == "zsh"


def test_a_program_cannot_pretend_by_its_name_to_have_another_parent(proc: Path) -> None:
    process(proc, 30, "a) S 10 (b", 20)
    process(proc, 20, "fish", 1)
    process(proc, 10, "bash", 1)
    assert detect_shell(proc, {}) == "fish"


def test_without_one_it_is_the_login_shell(proc: Path) -> None:
    process(proc, 30, "python3", 1)
    assert detect_shell(proc, {"SHELL": "/usr/bin/fish"}) == "fish"


def test_an_unknown_shell_is_one_sentence_that_says_what_to_type(proc: Path) -> None:
    with pytest.raises(CompletionError, match="vmtop completion bash, zsh or fish"):
        detect_shell(proc, {"SHELL": "/bin/dash"})


def test_places_follow_the_variables_of_each_shell() -> None:
    home = {"HOME": "/home/me"}
    assert own_place("bash", home) == Path("/home/me/.local/share/bash-completion/completions/vmtop")
    assert own_place("bash", {**home, "BASH_COMPLETION_USER_DIR": "/a:/b"}) == Path("/a/completions/vmtop")
    assert own_place("zsh", home) == Path("/home/me/.zfunc/_vmtop")
    assert own_place("fish", {**home, "XDG_CONFIG_HOME": "/c"}) == Path("/c/fish/completions/vmtop.fish")
    with pytest.raises(CompletionError, match="HOME"):
        own_place("bash", {})


@pytest.mark.parametrize("shell", SHELLS)
def test_it_is_installed_again_over_itself_and_over_nothing_else(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASH_COMPLETION_USER_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for _ in range(2):
        done = CliRunner().invoke(main, ["completion", shell, "--install"], prog_name="vmtop")
        assert done.exit_code == 0, done.stderr
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert path == own_place(shell, {"HOME": str(tmp_path)})
    assert str(path) in done.stderr
    assert "_VMTOP_COMPLETE" in path.read_text()
    path.write_text("mine")
    done = CliRunner().invoke(main, ["completion", shell, "--install"], prog_name="vmtop")
    assert done.exit_code == 1
    assert "is not vmtop's" in done.stderr
    assert path.read_text() == "mine"


def test_metrics_and_fields_are_completed() -> None:
    assert {"cpu", "cpuwait"} <= set(values(["export", "--metric"], "cpu"))
    assert "kind=" in values(["list", "--filter"], "ki")
    assert "kind=vm cpu>" in values(["check"], "kind=vm cp")


def test_session_files_and_folders_are_completed_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("night.vmtop.gz", "notes.txt", ".hidden.vmtop.gz", "new\nline.vmtop.gz"):
        (tmp_path / name).touch()
    (tmp_path / "nested").mkdir()
    assert values(["replay"], "n") == ["nested/", "night.vmtop.gz"]
    assert values(["compare", "--session"], f"{tmp_path}/ni") == [f"{tmp_path}/night.vmtop.gz"]
    assert values(["info"], ".h") == [".hidden.vmtop.gz"]


def test_where_there_is_no_session_file_the_shell_completes_as_it_does(tmp_path: Path) -> None:
    (item,) = completed(["info"], f"{tmp_path}/")
    assert item.type == "file"
    assert completed(["info"], f"{tmp_path}/absent/x") == []


def test_the_kernel_names_what_its_source_would_list(tmp_path: Path) -> None:
    tree, proc, links = tmp_path / "cgroup", tmp_path / "proc", tmp_path / "links"
    stat = "{0} (x) S 1 " + " ".join(["0"] * 17) + " {0} " + " ".join(["0"] * 30)
    write(tree, {"cgroup.controllers": "cpu memory\n", "cgroup.procs": ""})
    write(proc, {"stat": "cpu 1 1 1 1\nbtime 1700000000\n", "1/stat": stat.format(1)})
    named, nameless = "a" * 64, "b" * 64
    write(links, {f"web-0_shop_nginx-{named}.log": ""})
    groups = {
        "system.slice/cron.service": "cron",
        "system.slice/evil\x1b[2J.service": "evil",
        f"system.slice/docker-{nameless}.scope": "sleep",
        f"kubepods/{named}": "nginx",
        "machine.slice/machine-qemu\\x2d1\\x2dshort.scope": "qemu-system-x86_64\0-name\0guest=the-whole-name",
        "machine/db.libvirt-qemu": "qemu-system-x86_64\0-name\0guest=db",
    }
    for pid, (path, command) in enumerate(groups.items(), 100):
        write(tree / path, {"cgroup.procs": f"{pid}\n", "cpu.stat": "usage_usec 9\n", "memory.current": "4096\n"})
        write(proc / str(pid), {"stat": stat.format(pid), "cmdline": f"{command}\0"})
    names = Names(str(links), "/nowhere")
    source = CgroupSource(str(tree), str(proc), names=names)
    source.open(lambda: None)
    listed = [workload for workload in source.read().workloads.values() if workload.name_is_known]
    source.close()
    found = set(names_of_groups(str(tree), str(proc), names=names))
    assert found == {(workload.kind, names_of(workload)[-1]) for workload in listed}
    assert {
        (Kind.VM, "the-whole-name"),
        (Kind.VM, "db"),
        (Kind.SERVICE, "cron"),
        (Kind.CONTAINER, "web-0/nginx"),
    } < found
    assert not any("\x1b" in name for _, name in found)


def test_a_source_that_hangs_or_fails_costs_only_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    class Broken:
        def __init__(self, failure: Exception | None) -> None:
            self._failure = failure

        def open(self, _wake: object) -> None:
            if self._failure is not None:
                raise self._failure
            released.wait(20)

        def close(self) -> None:
            """Nothing is open."""

    place = "tui.cli.completion.workload_names.load_source"
    monkeypatch.setattr(place, lambda name: Broken if name == "broken" else load_source(name))
    monkeypatch.setattr(workload_names, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(workload_names, "hurry", lambda: None)
    failures = (None, SourceDown("it is down"), ZeroDivisionError("a mistake"))
    specs = [*(SourceSpec("broken", {"failure": failure}) for failure in failures), *sources.demo(20, 7)]
    monkeypatch.setattr(sources, "specs", lambda *_: specs)
    names = workload_names.names_like("", {})
    assert "db-primary" in names
    assert workload_names.names_like("vm:db", {}) == ["vm:db-primary", "vm:db-replica"]
    released.set()


def test_what_the_kernel_names_already_is_not_asked_of_each_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def load(name: str) -> Never:
        asked.append(name)
        raise SourceDown("it is down")

    monkeypatch.setattr("tui.cli.completion.workload_names.load_source", load)
    monkeypatch.setattr(workload_names, "hurry", lambda: None)
    kinds = ("vmm", "firecracker", "cloud-hypervisor", "systemd", "host")
    monkeypatch.setattr(sources, "specs", lambda *_: [SourceSpec(kind) for kind in kinds])
    assert workload_names.names_like("", {}) == []
    assert asked == ["systemd"]


def test_completing_a_name_loads_nothing_that_only_running_the_command_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from tui.cli.main import main; main(prog_name='vmtop')"],
        env={**os.environ, "_VMTOP_COMPLETE": "bash_complete", "COMP_WORDS": "vmtop stop ", "COMP_CWORD": "2"},
        capture_output=True,
        text=True,
        timeout=EXTERNAL_S,
        check=False,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "tui.cli.completion.workload_names" in loaded
    assert not loaded & {
        "collectors.actions.runner",
        "collectors.engines.connections",
        "collectors.engines.docker.source",
        "collectors.engines.vmm.api_access",
        "collectors.sampling.sampler",
        "docker",
        "textual",
        "tui.cli.screen",
        "tui.controllers.services",
    }


def test_what_a_command_leaves_is_not_searched_for_cycles() -> None:
    last = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count()))"
    done = subprocess.run(
        [sys.executable, "-c", f"{last}\nfrom tui.cli.main import main\nmain(['--version'])"],
        capture_output=True,
        text=True,
        timeout=EXTERNAL_S,
        check=True,
    )
    assert int(done.stdout.splitlines()[-1]) > 1000


def test_a_completion_ends_with_its_last_line() -> None:
    program = "import atexit; atexit.register(print, 'late'); from tui.cli.main import main; main(prog_name='vmtop')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "_VMTOP_COMPLETE": "bash_complete", "COMP_WORDS": "vmtop sto", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=EXTERNAL_S,
        check=True,
    )
    assert done.stdout == "plain,stop\n"
    assert done.stderr == ""
