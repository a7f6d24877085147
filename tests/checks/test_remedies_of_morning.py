"""Remedies of what is asked in the morning, each done as it says, and judged again."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from checks import access, blockers, docs_lock, forms
from checks.declared import nobody_is_forgotten, nothing_is_left_out
from checks.disk import work_folder_has_room
from checks.hosts import host_has_room, host_is_reached, rights_are_usable
from checks.keys import signing_key_is_usable
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Finding, Waiver, blocking
from plugins.model.gate_rules import GATE_RULES
from plugins.model.local_settings import Docs, SourceTest
from plugins.model.promise import contract_of
from plugins.rehearsal.gnupg_home import gnupg_home
from plugins.rehearsal.store import ALWAYS
from plugins.services.gnupg_signer import GnupgSigner
from tests.checks.test_forms import PIPELINE, Tools
from tests.host_world import ROOT, Rehearsed, a_rehearsed_host
from tests.source_world import a_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.conftest import Builds

_ROLES: Final = ("windows", "macos")


def waived(finding: Finding) -> bool:
    """Whether the finding says that it may be waived, and a waiver lets it pass."""
    assert f"waive {finding.rule}" in finding.remedy
    until = date(2026, 12, 1)
    return blocking([finding], [Waiver(finding.rule, "for a test", "rm", until)]) == ()


# ── release.toml ───────────────────────────────────────────────────────────────────────────


def test_what_is_left_out_is_written_or_left_out_as_told(a_release: Builds) -> None:
    release, formats = a_release(), Docs().formats
    (finding,) = nothing_is_left_out(release, SourceTest.NONE, formats)
    assert finding.rule == "tests.none"
    found = re.fullmatch(r'write source = "(\w+)"', finding.remedy)
    assert found, finding.remedy
    assert nothing_is_left_out(release, SourceTest(found[1]), formats) == ()
    (finding,) = nothing_is_left_out(release, SourceTest.FULL, ())
    assert (finding.rule, finding.remedy) == ("docs.none", "leave formats out to have them all")
    assert nothing_is_left_out(release, SourceTest.FULL, formats) == ()


@pytest.mark.parametrize("role", _ROLES)
def test_expert_is_named_or_comes_later_by_a_waiver(a_release: Builds, role: str) -> None:
    release = a_release()
    contract, others = contract_of(release), [each for each in _ROLES if each != role]
    (finding,) = nobody_is_forgotten(release, contract, others, ())
    assert finding.rule == f"experts.{role}"
    assert finding.remedy.startswith("name the expert")
    assert nobody_is_forgotten(release, contract, _ROLES, ()) == ()
    assert waived(finding)


def test_lock_is_written_as_told(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    (finding,) = docs_lock.tools_are_locked(world.release, world.base, None)
    assert finding.rule == "docs.unlocked"
    found = re.search(r'write lock = "([^"]+)" below \[docs\]', finding.remedy)
    assert found, finding.remedy
    assert docs_lock.tools_are_locked(world.release, world.base, tmp_path / found[1]) == ()


def test_work_folder_is_another_one_where_its_disk_is_full(
    a_release: Builds, tmp_path: Path
) -> None:
    """The processes' own file system has no room at all."""
    full = Path("/proc/self")
    if not full.exists():
        pytest.skip("no disk is full here")
    release = replace(a_release(), rehearsal=False)
    release = replace(release, layout=replace(release.layout, work=full))
    (finding,) = work_folder_has_room(release, 1, 1)
    assert finding.rule == "work.space"
    assert "write another [work] folder" in finding.remedy
    release = replace(release, layout=replace(release.layout, work=tmp_path))
    assert work_folder_has_room(release, 1, 1) == ()


# ── the key ────────────────────────────────────────────────────────────────────────────────


class Now:
    """The clock of the machine, some days on."""

    def __init__(self, days: float = 0) -> None:
        self._days = days

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self._days)


def test_expired_key_is_extended_by_the_command_that_is_told(keyring: GnupgHome) -> None:
    signer, later = GnupgSigner(keyring.folder, keyring.key("short", expires="20d")), Now(30)
    (finding,) = signing_key_is_usable(signer, later)
    assert finding.rule == "key.expired"
    found = re.search(r"extend it, then publish it again: (gpg .*)$", finding.remedy)
    assert found, finding.remedy
    subprocess.run(shlex.split(found[1]), check=True, capture_output=True)
    assert signing_key_is_usable(signer, later) == ()


def test_key_that_is_not_there_is_set_to_one_that_is_shown(keyring: GnupgHome) -> None:
    mine = keyring.key("mine")
    (finding,) = signing_key_is_usable(GnupgSigner(keyring.folder, "0" * 40), Now())
    assert finding.rule == "key.absent"
    assert "set [signing] gpg_key and gnupg_home; gpg --list-secret-keys" in finding.remedy
    assert mine in keyring.gpg("--list-secret-keys")
    assert signing_key_is_usable(GnupgSigner(keyring.folder, mine), Now()) == ()


def test_secret_half_is_imported_and_a_revoked_key_replaced() -> None:
    with gnupg_home() as theirs, gnupg_home() as ours:
        name = theirs.key("rm")
        ours.gpg("--import", stdin=theirs.public(name).encode())
        (finding,) = signing_key_is_usable(GnupgSigner(ours.folder, name), Now())
        assert finding.rule == "key.secret"
        assert finding.remedy.endswith("import the secret key")
        ours.gpg("--import", stdin=theirs.gpg("--armor", "--export-secret-keys", name).encode())
        assert signing_key_is_usable(GnupgSigner(ours.folder, name), Now()) == ()
        theirs.revoke(name)
        ours.gpg("--import", stdin=theirs.public(name).encode())
        (finding,) = signing_key_is_usable(GnupgSigner(ours.folder, name), Now())
        assert (finding.rule, finding.remedy) == (
            "key.revoked", "name another key in [signing] gpg_key",
        )  # fmt: skip
        another = ours.key("another")
        assert signing_key_is_usable(GnupgSigner(ours.folder, another), Now()) == ()


# ── the hub ────────────────────────────────────────────────────────────────────────────────


class Told:
    """A port of the hub, saying what a test wants; an error is raised."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def accepted_advisories(self) -> Any:
        return self._answer

    def may_propose(self) -> Any:
        return self._answer


def test_right_to_propose_is_asked_for(a_release: Builds) -> None:
    (finding,) = access.changes_can_be_proposed(Told(answer=False))  # type: ignore[arg-type]
    assert finding.rule == "access.proposals"
    assert finding.remedy.startswith("ask for the right to write there")
    assert access.changes_can_be_proposed(Told(answer=True)) == ()  # type: ignore[arg-type]
    (finding,) = blockers.advisories_are_closed(a_release(), Told(1))
    assert finding.rule == "blockers.advisories"
    for remedy in (finding.remedy, GATE_RULES[finding.rule].remedy):
        assert "ask the Python Security Response Team which" in remedy
        assert "security-announce@python.org" in remedy
        assert "publish" not in f"{finding.message} {remedy}".casefold()
    assert blockers.advisories_are_closed(a_release(), Told(0)) == ()


def test_form_that_changed_is_waived_and_one_that_was_not_seen_is_looked_at_again(
    a_release: Builds,
) -> None:
    release = a_release("3.15.0rc2")
    other = {forms.PIPELINE: PIPELINE.replace("DoTailCalling", "UseTailCalls").encode()}
    finding, *_ = forms.windows_form_is_as_known(release, Tools(other), "hugovk")
    assert finding.rule == "forms.changed"
    assert waived(finding)
    tools = Tools(down=True)
    (finding,) = forms.windows_form_is_as_known(release, tools, "hugovk")
    assert finding.rule == "forms.unseen"
    assert finding.remedy.endswith("run the same command again")
    tools.down = False
    assert forms.windows_form_is_as_known(release, tools, "hugovk") == ()


# ── hosts ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Rehearsed]:
    with a_rehearsed_host(tmp_path / "world", room_bytes=10_000_000) as rehearsed:
        yield rehearsed


def test_what_is_asked_of_the_administrators_of_a_host_helps(
    world: Rehearsed, tmp_path: Path, a_release: Builds
) -> None:
    (finding,) = host_is_reached(world.host(group="docs"))
    assert finding.rule == "hosts.group"
    assert finding.remedy == "ask the host's administrators to add rm to docs"
    assert host_is_reached(world.host(group="downloads")) == ()
    world.server.disk.prepare(f"{ROOT}/3.13.6", "hugo", "hugo", 0o755)
    (finding,) = rights_are_usable(world.host(), ["3.13.6"])
    found = re.match(r"ask (\w+) or the host's administrators for group (\w+) and g\+rwxs on it",
                     finding.remedy)  # fmt: skip
    assert found, finding.remedy
    world.server.disk.prepare(f"{ROOT}/3.13.6", found[1], found[2], 0o2775)
    assert rights_are_usable(world.host(), ["3.13.6"]) == ()
    contract = contract_of(a_release())
    (finding,) = host_has_room(world.host(), "3.13.6", contract)
    assert finding.rule == "hosts.space"
    assert finding.remedy == "ask the host's administrators for more space"
    with a_rehearsed_host(tmp_path / "larger") as larger:
        assert host_has_room(larger.host(), "3.13.6", contract) == ()


def test_login_that_is_refused_is_right_once_its_setting_is(world: Rehearsed) -> None:
    world.store.order_fault("ssh.host_key_changed", times=ALWAYS)
    (finding,) = host_is_reached(world.host())
    assert finding.rule == "hosts.login"
    assert finding.remedy
    world.store.order_fault("ssh.host_key_changed", times=0)
    assert host_is_reached(world.host()) == ()


def test_error_that_says_nothing_to_do_still_says_to_look_again() -> None:
    class Down:
        def may_propose(self) -> bool:
            raise ServiceFailed(service="github", action="look", problem="status 500")

    (finding,) = access.changes_can_be_proposed(Down())  # type: ignore[arg-type]
    assert finding.remedy == "once that is mended, run the same command again"
