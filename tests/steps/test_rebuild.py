"""Two people make the archives from the tag, each in a clean folder; a gate counts them."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from checks.rebuilds import others_got_the_same
from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.finding import Finding, Severity
from plugins.model.ledger import entries, read_sums, sums_of
from plugins.model.rebuild_settings import Rebuilds
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home
from plugins.services.gnupg_signer import GnupgKeyring, GnupgSigner, keyring_of
from plugins.services.programs import MachinePrograms
from plugins.steps import tarball
from tests.ended import Ended
from tests.export.toy import KILLER, PROJECT
from tests.export.walk import fatal, growing
from tests.moments import chosen, kind_of_write
from tests.progress import Quiet
from tests.source_world import a_release, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.model.release import Release

pytestmark = pytest.mark.slow

VERSION = "3.13.6"
RM = "F" * 40


@dataclass
class Person:
    """Somebody with a key, and a machine of their own."""

    name: str
    home: GnupgHome
    key: str
    folder: Path


@dataclass
class Place:
    """A tag that everybody can read, two people, and what the release manager made of it."""

    repository: Path
    people: tuple[Person, Person]
    release: Release
    archives: tuple[Artifact, ...]
    keyring: GnupgKeyring
    folder: Path

    def rebuild(self, person: Person, *more: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "doit", "rebuild", VERSION, "--who", person.name]
        words += ["--key", person.key, "--gnupg-home", str(person.home.folder)]
        words += ["--ledger", str(person.folder / "ledger"), "--unconfined"]
        words += ["--repository", str(self.repository), *more]
        return subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)

    def killer(self, person: Person, ledger: Path, *options: str) -> Ended:
        """The rebuild into that ledger, with the writes to it watched."""
        words = [sys.executable, str(KILLER), f"--below={ledger}/", *options]
        words += ["rebuild", VERSION, "--who", person.name, "--key", person.key]
        words += ["--gnupg-home", str(person.home.folder), "--ledger", str(ledger)]
        words += ["--unconfined", "--repository", str(self.repository)]
        ended = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def judged(self, ledger: Path, wanted: int = 0) -> tuple[Finding, ...]:
        """What is said, but for who agrees."""
        return tuple(
            each for each in self.said(ledger, wanted) if each.rule != "rebuild.agrees"
        )  # fmt: skip

    def said(self, ledger: Path, wanted: int = 0) -> tuple[Finding, ...]:
        keys = tuple(person.key for person in self.people)
        rebuilds = Rebuilds(ledger, keys, wanted)
        return others_got_the_same(self.release, rebuilds, self.archives, RM, self.keyring)

    def collected(self, name: str) -> Path:
        """A new ledger of what all people have made so far."""
        ledger = self.folder / name
        for person in self.people:
            shutil.copytree(person.folder / "ledger", ledger, dirs_exist_ok=True)
        return ledger


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("rebuild")
    world = a_world(folder / "world", VERSION)
    git(world.cpython, "tag", "-a", f"v{VERSION}", "-m", "release", env={
        "GIT_COMMITTER_NAME": "rm", "GIT_COMMITTER_EMAIL": "rm@example.org",
    })  # fmt: skip
    release = a_release(folder / "rm", VERSION)
    clone = world.make()
    commit = git(world.cpython, "rev-parse", f"v{VERSION}^{{commit}}")
    tarball.build(release, clone, MachinePrograms(), Quiet(), commit)
    archives = tuple(
        Artifact(path, path.stat().st_size, sha256_of(path)) for path in release.layout.tarballs
    )
    with ExitStack() as stack:
        people = []
        for name in ("alice", "bob"):
            home = stack.enter_context(gnupg_home())
            (folder / name).mkdir()
            people.append(Person(name, home, home.key(name), folder / name))
            (folder / f"{name}.asc").write_text(home.public(people[-1].key))
        files = [folder / f"{person.name}.asc" for person in people]
        keyring = stack.enter_context(keyring_of(files))
        alice, bob = people
        made = Place(world.cpython, (alice, bob), release, archives, keyring, folder)
        for person in people:
            ended = made.rebuild(person)
            assert ended.returncode == 0, ended.stderr
        yield made


def test_two_people_get_the_same_bytes_and_the_gate_counts_them(place: Place) -> None:
    ledger = place.collected("both")
    wanted = {made.path.name: made.sha256 for made in place.archives}
    found = list(entries(ledger, VERSION))
    assert [entry.who for entry in found] == ["alice", "bob"]
    assert [read_sums(entry.sums) for entry in found] == [wanted, wanted]
    for wanted_people in (0, 2):
        notes = place.said(ledger, wanted=wanted_people)
        assert {each.severity for each in notes} == {Severity.NOTE}
        assert [(each.rule, each.where, each.message) for each in notes] == [
            ("rebuild.agrees", f"{VERSION}/{who.name}",
             f"{who.name} made the same archives from the tag, by the signature of {who.key}")
            for who in place.people
        ]  # fmt: skip


def test_the_entry_is_what_sha256sum_and_gpg_read(place: Place) -> None:
    alice, _ = place.people
    folder = alice.folder / "ledger" / VERSION / "alice"
    assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "SHA256SUMS.asc"]
    checked = subprocess.run(
        ["sha256sum", "--check", str(folder / "SHA256SUMS")], check=False,
        cwd=place.release.layout.src, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
    alice.home.gpg("--verify", str(folder / "SHA256SUMS.asc"), str(folder / "SHA256SUMS"))


def test_a_stranger_without_a_key_gets_digests_that_sha256sum_reads(
    place: Place, tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "doit", "rebuild", VERSION, "--unconfined"]
    words += ["--repository", str(place.repository), "--ledger", str(tmp_path / "ledger")]
    ended = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict"], input=ended.stdout, check=False,
        cwd=place.release.layout.src, capture_output=True, text=True,
    )  # fmt: skip
    assert checked.returncode == 0, (ended.stdout, checked)
    assert len(ended.stdout.splitlines()) == 2
    assert "made from " in ended.stderr
    assert not (tmp_path / "ledger").exists()


def test_nobody_is_a_note_and_too_few_block(place: Place, tmp_path: Path) -> None:
    (note,) = place.judged(tmp_path)
    assert (note.rule, note.severity) == ("rebuild.few", Severity.NOTE)
    assert "nobody else has made the same archives" in note.message
    ledger = place.collected("few")
    shutil.rmtree(ledger / VERSION / "bob")
    assert place.judged(ledger, wanted=1) == ()
    (block,) = place.judged(ledger, wanted=2)
    assert (block.rule, block.severity) == ("rebuild.few", Severity.BLOCK)
    assert "only alice has" in block.message
    assert "ask others to run doit rebuild" in block.remedy
    shutil.copytree(place.people[1].folder / "ledger", ledger, dirs_exist_ok=True)  # bob did
    assert place.judged(ledger, wanted=2) == ()


def test_people_who_are_wanted_and_no_ledger_or_too_few_keys_block(
    place: Place, tmp_path: Path
) -> None:
    for rebuilds, remedy in (
        (Rebuilds(None, (), 1), "write ledger"),
        (Rebuilds(tmp_path, (), 1), "name the keys"),
    ):
        (found,) = others_got_the_same(place.release, rebuilds, place.archives, RM, place.keyring)
        assert (found.rule, found.severity) == ("rebuild.few", Severity.BLOCK)
        assert found.remedy.startswith(remedy)


def test_a_key_counts_once_whatever_it_is_called(place: Place) -> None:
    ledger = place.collected("twice")
    shutil.rmtree(ledger / VERSION / "bob")
    shutil.copytree(ledger / VERSION / "alice", ledger / VERSION / "carol")
    assert [found.rule for found in place.judged(ledger, wanted=2)] == ["rebuild.few"]


def test_two_keys_of_one_person_count_once(place: Place) -> None:
    """Nor do any of the release manager's other keys count."""
    ledger = place.collected("one person")
    alice, bob = place.people
    rebuilds = Rebuilds(ledger, (f"{alice.key} + {bob.key}",), 2)
    found = others_got_the_same(place.release, rebuilds, place.archives, RM, place.keyring)
    assert [each.rule for each in found] == ["rebuild.agrees", "rebuild.few"]
    found = others_got_the_same(place.release, rebuilds, place.archives, bob.key, place.keyring)
    rules = ["rebuild.unsigned", "rebuild.unsigned", "rebuild.few"]
    assert [each.rule for each in found] == rules


def test_the_release_managers_own_rebuild_does_not_count(place: Place) -> None:
    ledger = place.collected("own")
    alice, bob = place.people
    rebuilds = Rebuilds(ledger, (alice.key, bob.key), 2)
    found = others_got_the_same(place.release, rebuilds, place.archives, alice.key, place.keyring)
    rules = ["rebuild.unsigned", "rebuild.agrees", "rebuild.few"]
    assert [finding.rule for finding in found] == rules


def test_other_bytes_of_somebody_who_counts_block(place: Place) -> None:
    ledger = place.collected("other")
    alice, _ = place.people
    folder = ledger / VERSION / "alice"
    digests = {made.path.name: made.sha256 for made in place.archives}
    digests[place.archives[0].path.name] = "0" * 64
    (folder / "SHA256SUMS").write_bytes(sums_of(digests))
    GnupgSigner(alice.home.folder, alice.key).sign(folder / "SHA256SUMS", folder / "SHA256SUMS.asc")
    (found,) = place.judged(ledger, wanted=1)
    assert (found.rule, found.severity) == ("rebuild.disagrees", Severity.BLOCK)
    assert "they got 0000000000000000" in found.message
    assert "compare the versions of git, blurb, gzip and xz" in found.remedy
    shutil.rmtree(folder)
    shutil.copytree(alice.folder / "ledger" / VERSION / "alice", folder)  # with the right ones
    assert place.judged(ledger, wanted=1) == ()


@pytest.mark.parametrize(
    "what", ["changed", "unsigned", "link", "large", "folder", "stranger", "bad name"]
)
def test_what_nobody_signed_counts_for_nothing(place: Place, what: str) -> None:
    ledger = place.collected(what.replace(" ", "-"))
    entry = ledger / VERSION / "alice"
    sums = entry / "SHA256SUMS"
    match what:
        case "changed":
            sums.write_bytes(sums.read_bytes().replace(b"a", b"b"))
        case "unsigned":
            (entry / "SHA256SUMS.asc").unlink()
        case "link":
            sums.unlink()
            sums.symlink_to(place.people[0].folder / "ledger" / VERSION / "alice" / "SHA256SUMS")
        case "large":
            sums.write_bytes(sums.read_bytes() * 1000)
        case "folder":
            sums.unlink()
            sums.mkdir()
        case "stranger":
            with gnupg_home() as home:
                key = home.key("mallory")
                GnupgSigner(home.folder, key).sign(sums, entry / "SHA256SUMS.asc")
        case _:
            entry.rename(entry.with_name("Alice ..."))
    rules = [found.rule for found in place.judged(ledger, wanted=2)]
    assert rules == ["rebuild.unsigned", "rebuild.few"]
    assert place.judged(ledger, wanted=1)[0].severity is Severity.WARN


def test_a_rebuild_again_changes_nothing_and_other_digests_are_refused(place: Place) -> None:
    alice, _ = place.people
    folder = alice.folder / "ledger" / VERSION / "alice"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert place.rebuild(alice).returncode == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "SHA256SUMS").write_text("other\n")
    ended = place.rebuild(alice)
    (folder / "SHA256SUMS").write_bytes(before["SHA256SUMS"])
    assert ended.returncode == 1
    assert "says other digests than this rebuild gave" in ended.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def ledger_writes(place: Place, select: Callable[..., tuple[str, ...]]) -> list[str]:
    """The instants of a first rebuild at which something happens to the ledger."""
    report, ledger = place.folder / "instants", place.folder / "watched"
    shutil.rmtree(ledger, ignore_errors=True)
    ended = place.killer(place.people[0], ledger, f"--report={report}")
    assert ended.status == 0, ended
    seen = select(report.read_text().splitlines(), first=True)
    found = [each for each in seen if f" {VERSION}" in each or " start gpg" in each]
    assert len(found) > 5, seen
    return found


def state_of(place: Place, ledger: Path) -> str:
    """What everybody makes of the entry of the one person: nothing, unsigned, or sound."""
    if not (ledger / VERSION / "alice" / "SHA256SUMS").exists():
        return "nothing"
    return "unsigned" if place.judged(ledger, wanted=1) else "sound"


def test_a_rebuild_that_is_killed_at_any_write_leaves_no_half_entry(
    place: Place, count: Callable[[str, int], None]
) -> None:
    """It counts for nothing until it is whole, and the same command again makes it whole."""
    alice, _ = place.people
    states = []
    for instant in chosen(ledger_writes(place, fatal), kind_of_write):
        ledger = place.folder / "killed"
        shutil.rmtree(ledger, ignore_errors=True)
        ended = place.killer(alice, ledger, f"--at={instant}")
        assert ended.status == -signal.SIGKILL, (instant, ended)
        states.append(state_of(place, ledger))
        ended = place.killer(alice, ledger)
        assert ended.status == 0, (instant, ended)
        assert state_of(place, ledger) == "sound", instant
        left = sorted(each.name for each in (ledger / VERSION / "alice").iterdir())
        assert left == ["SHA256SUMS", "SHA256SUMS.asc"], instant
        count("kills at a write to the ledger, each gone on to a sound entry", 1)
    assert {"nothing", "unsigned"} <= set(states)


def test_a_disk_that_is_full_at_any_write_to_the_ledger_is_one_line(
    place: Place, count: Callable[[str, int], None]
) -> None:
    alice, _ = place.people
    for instant in chosen(ledger_writes(place, growing), kind_of_write):
        ledger = place.folder / "full"
        shutil.rmtree(ledger, ignore_errors=True)
        ended = place.killer(alice, ledger, f"--full={instant}")
        assert ended.status == 1, (instant, ended)
        assert "Traceback" not in ended.said, (instant, ended)
        said, *more = [each for each in ended.err.splitlines() if "space" in each]
        assert not more, (instant, ended)
        assert f"no space left on device; see to the disk of {ledger}" in said, (instant, ended)
        assert not list(ledger.rglob("*.partial")), instant
        assert place.killer(alice, ledger).status == 0, instant
        assert state_of(place, ledger) == "sound", instant
        count("full disks at a write to the ledger, each told in one line and gone on after", 1)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--who", "../x"], 1, "cannot be a name in the ledger"),
        (["--repository", "/nowhere"], 1, "/nowhere"),
        (["--key", "ABCD"], 1, "not a full fingerprint"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    place: Place, words: list[str], status: int, said: str
) -> None:
    ended = place.rebuild(place.people[1], *words)
    assert (ended.returncode, said in ended.stderr) == (status, True), ended.stderr
    assert "Traceback" not in ended.stderr
