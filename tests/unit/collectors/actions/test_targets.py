"""From a typed word to the one workload that it names, or to none."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.actions.targets import LEAST_DIGITS, NoTarget, find
from collectors.model.workloads import Kind, Workload, WorkloadId
from tests.unit.collectors.actions.test_actions import container, domain, service

ID = "ab12cd34" * 8
UUID = "d440edb0-b597-4c69-8eca-036981f3aade"


def identified(identity: str, name: str = "web") -> Workload:
    return msgspec.structs.replace(container(name), id=WorkloadId("docker", identity))


def refused(typed: str, *fleet: Workload) -> NoTarget:
    with pytest.raises(NoTarget) as caught:
        find(typed, fleet)
    return caught.value


class TestTargets:
    FLEET = (
        container("web", number=1),
        container("web-2", number=2),
        domain("web"),
        domain("db"),
        service("ssh.service"),
    )

    @pytest.mark.parametrize(
        ("typed", "kind", "name"),
        [
            ("db", Kind.VM, "db"),
            ("vm:web", Kind.VM, "web"),
            ("ct:web", Kind.CONTAINER, "web"),
            ("service:ssh", Kind.SERVICE, "ssh.service"),
            (f"{2:064x}", Kind.CONTAINER, "web-2"),
        ],
    )
    def test_a_unique_word_finds_its_workload(self, typed: str, kind: Kind, name: str) -> None:
        fleet = (*self.FLEET[:3], *self.FLEET[4:], msgspec.structs.replace(domain("db"), id=WorkloadId("qemu", "e")))
        found = find(typed, fleet)
        assert (found.kind, found.name) == (kind, name)

    def test_an_ambiguous_word_lists_who_it_could_be(self) -> None:
        with pytest.raises(NoTarget) as caught:
            find("web", self.FLEET)
        assert caught.value.is_ambiguous
        assert "container:web" in str(caught.value)
        assert "vm:web" in str(caught.value)

    @pytest.mark.parametrize("typed", ["nosuch", "", "vm:", "vm:nosuch"])
    def test_nothing_is_found_for_what_is_nothing(self, typed: str) -> None:
        with pytest.raises(NoTarget):
            find(typed, self.FLEET)

    def test_a_kind_alone_names_no_one_even_when_there_is_but_one_of_it(self) -> None:
        assert refused("vm:", domain("db"), container()).suggestions == ()
        assert not refused("vm:", domain("")).is_ambiguous

    @pytest.mark.parametrize("name", ["web", "web-standby", "ssh-agent.service", "db-1"])
    @given(data=st.data())
    def test_the_beginning_of_a_name_stands_for_no_one(self, name: str, data: st.DataObject) -> None:
        one = (
            service(name) if name.endswith(".service") else data.draw(st.sampled_from((container(name), domain(name))))
        )
        whole = {name, name.removesuffix(".service")}
        typed = name[: data.draw(st.integers(1, len(name)))]
        if typed not in whole:
            assert not refused(typed, one).is_ambiguous

    def test_a_unit_is_not_found_by_the_name_that_it_is_shown_with_which_may_be_anothers(self) -> None:
        escaped = Workload(WorkloadId("systemd", r"/system.slice/a\x2db.service"), Kind.SERVICE, "a-b.service")
        assert find(r"a\x2db", [escaped]) is escaped
        assert refused("a-b.service", escaped).suggestions == (r"service:a\x2db.service",)
        plain = service("a-b.service")
        assert find("a-b", [escaped, plain]) is plain

    def test_the_name_of_a_unit_means_the_systems_before_that_of_a_user(self) -> None:
        system = service("docker.service")
        path = "/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service"
        own = Workload(WorkloadId("systemd-user", path), Kind.SERVICE, "docker.service")
        assert find("docker.service", [own, system]) is system
        assert find(path, [own, system]) is own
        assert find("docker", [own]) is own
        other = Workload(WorkloadId("systemd-user", path.replace("1000", "1001")), Kind.SERVICE, "docker.service")
        assert refused("docker.service", own, other).is_ambiguous


class TestIds:
    @pytest.mark.parametrize(
        "typed", [ID, ID.upper(), ID[:12], ID[:6], ID[:6].upper(), f"ct:{ID[:6]}", f"container:{ID}"]
    )
    def test_an_id_of_a_container_may_be_cut_to_six_digits(self, typed: str) -> None:
        assert find(typed, [identified(ID), domain("x")]).id.id == ID

    @pytest.mark.parametrize(
        "typed", [UUID, UUID.upper(), UUID.replace("-", ""), UUID[:8], UUID[:6], UUID[:13], f"vm:{UUID}"]
    )
    def test_a_uuid_may_be_cut_and_its_dashes_left_out(self, typed: str) -> None:
        assert find(typed, [identified(ID), domain("x")]).id.id == UUID

    @pytest.mark.parametrize("typed", [ID[:5], UUID[:5], "d440e-", "d4-4-0e", "g" * 8, "d440-edb0"])
    def test_fewer_digits_or_others_are_no_id(self, typed: str) -> None:
        assert len(typed.replace("-", "")) < LEAST_DIGITS or typed in ("g" * 8, "d440-edb0")
        assert not refused(typed, identified(ID), domain("x")).is_ambiguous

    def test_the_path_of_a_service_is_no_id_to_be_cut(self) -> None:
        odd = Workload(WorkloadId("systemd", "/facade.service"), Kind.SERVICE, "facade.service")
        assert find("/facade.service", [odd]) is odd
        refused("/facad", odd)
        refused("facade0", odd)

    def test_a_name_that_is_the_first_digits_of_anothers_id_could_be_both(self) -> None:
        error = refused("ab12cd", container("ab12cd"), identified(ID, "other"))
        assert error.is_ambiguous
        assert "container:ab12cd" in str(error)
        assert "container:other" in str(error)

    def test_digits_that_begin_two_ids_could_be_both(self) -> None:
        assert refused("ab12cd", identified(ID), identified("ab12cd" + "0" * 58, "b")).is_ambiguous

    def test_a_full_id_wins_over_the_first_digits_of_another(self) -> None:
        digits = UUID.replace("-", "")
        assert find(digits, [domain("x"), identified(digits + "0" * 32)]).name == "x"

    def test_a_name_that_is_anothers_full_id_could_be_both(self) -> None:
        error = refused(
            UUID, domain("x"), msgspec.structs.replace(domain(UUID), id=WorkloadId("qemu", UUID.replace("d", "e")))
        )
        assert error.is_ambiguous
        assert "vm:x" in str(error)


class TestSuggestions:
    def test_who_may_have_been_meant_is_named(self) -> None:
        error = refused("web", container("web-canary"), domain("db"))
        assert str(error) == "web: no such workload; did you mean container:web-canary?"

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            ("vm:web", "container:web"),
            ("WEB", "container:web"),
            ("wbe", None),
            ("shop-wbe", "container:shop-web"),
            ("shop", "container:shop-web"),
            ("ab12c", "container:by-id"),
            ("nothing-like-it", None),
        ],
    )
    def test_by_what_a_name_begins_with_holds_or_is_like(self, typed: str, meant: str | None) -> None:
        fleet = (container("web", number=1), container("shop-web", number=2), identified(ID, "by-id"), service())
        error = refused(typed, *fleet)
        assert error.suggestions[:1] == ((meant,) if meant else ())

    def test_they_are_a_few(self) -> None:
        fleet = [container(f"web-{number}", number=number) for number in range(50)]
        assert len(refused("web", *fleet).suggestions) == 3

    def test_what_has_no_name_is_suggested_by_its_id(self) -> None:
        nameless = msgspec.structs.replace(identified(ID, ID[:12]), name_is_known=False)
        assert refused("ab12c", nameless).suggestions == (f"container:{ID[:12]}",)
