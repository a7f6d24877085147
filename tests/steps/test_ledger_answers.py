"""Answers of workers and the ledger: nobody's word takes the place of another person's."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.journal import Journal
from plugins.model.action import rebuild_action
from plugins.model.answer import Answer
from plugins.model.ledger import SIGNATURE, entries, sums_of
from plugins.model.rebuild_settings import Rebuilds
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.services.gnupg_signer import GnupgKeyring, keyring_of
from plugins.steps import workers
from tests.progress import Quiet
from tests.source_world import FixedClock, a_release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.release import Release

COMMIT: Final = "c" * 40
VERSION: Final = "3.13.6"


@dataclass
class People:
    """Two people whose keys count, and the keyring that knows both."""

    home: GnupgHome
    alice: str
    mallory: str
    keyring: GnupgKeyring

    def answer(self, release: Release, who: str, key: str, at: str = "") -> bytes:
        """What a machine answers that calls itself ``who``, signed by the key, at its time."""
        action = rebuild_action(release, commit=COMMIT)
        sums = sums_of({path.name: "0" * 64 for path in release.layout.tarballs}).decode()
        file = self.home.folder / "sums"
        file.write_text(sums)
        words = ["--pinentry-mode", "loopback", "--passphrase", "", "--local-user", key]
        words += ["--faked-system-time", f"{at}!"] if at else []
        signature = self.home.gpg(*words, "--armor", "--output", "-", "--detach-sign", str(file))
        return Answer(who, sums, signature, action.digest).to_bytes()


@pytest.fixture(scope="module")
def people() -> Iterator[People]:
    # gpg-agent's socket has to have a short name.
    with tempfile.TemporaryDirectory(prefix="pep101-") as folder:
        home = GnupgHome(Path(folder) / "keys")
        home.folder.mkdir(mode=0o700)
        alice, mallory = home.key("Alice", made="20200101T120000!"), home.key("Mallory")
        files = [Path(folder) / f"{key}.asc" for key in (alice, mallory)]
        for file in files:
            file.write_text(home.public(file.stem))
        with keyring_of(files) as keyring:
            yield People(home, alice, mallory, keyring)
        home.stop()


@dataclass
class Answering:
    """A machine that answers what it was told to."""

    raw: bytes
    dead: tuple[str, ...] = ()
    """Addresses of machines that do not answer."""

    def addresses(self) -> tuple[str, ...]:
        return (*self.dead, "ssh://machine")

    def answer(self, address: str, _action: bytes) -> bytes:
        if address in self.dead:
            raise ServiceFailed(
                service=address, action="connect", problem="no answer within 20 s", remedy="ask it"
            )
        return self.raw


@dataclass
class Asking:
    """A release manager who asks one machine."""

    people: People
    folder: Path
    dead: tuple[str, ...] = ()

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    def __call__(self, who: str, key: str, at: str = "") -> dict[str, str]:
        release = a_release(self.folder, VERSION)
        rebuilds = Rebuilds(self.ledger, (self.people.alice, self.people.mallory), 2)
        answering = Answering(self.people.answer(release, who, key, at), self.dead)
        journal = Journal(self.folder / "journal.jsonl", FixedClock())
        return workers.ask(
            release, rebuilds, answering, self.people.keyring, journal, Quiet(),
            FixedClock(datetime.now(UTC)), commit=COMMIT,
        )  # fmt: skip


@pytest.fixture
def ask(people: People, tmp_path: Path) -> Asking:
    return Asking(people, tmp_path)


@pytest.mark.parametrize("link", [VERSION, f"{VERSION}/mallory"])
def test_a_link_in_the_ledger_leads_no_answer_out_of_it(ask: Asking, link: str) -> None:
    """The ledger is filled by others; so is, with a link in it, what the link leads to."""
    outside = ask.folder / "outside"
    outside.mkdir()
    (ask.ledger / link).parent.mkdir(parents=True)
    (ask.ledger / link).symlink_to(outside)
    with pytest.raises(StepFailed, match=f"{link}: is a symbolic link"):
        ask("mallory", ask.people.mallory)
    assert not list(outside.rglob("*"))


def test_who_calls_itself_as_another_person_replaces_nothing_of_theirs(
    people: People, ask: Asking
) -> None:
    ledger = ask.ledger
    assert ask("alice", people.alice) == {"alice": people.alice}
    (before,) = entries(ledger, VERSION)
    with pytest.raises(StepFailed, match="calls itself alice") as caught:
        ask("alice", people.mallory)
    assert str(ledger / VERSION / "alice") in str(caught.value)
    assert list(entries(ledger, VERSION)) == [before]
    assert ask("alice", people.alice) == {"alice": people.alice}
    assert ask("mallory", people.mallory) == {"mallory": people.mallory}
    # Of an entry that was cut short nothing is lost.
    (ledger / VERSION / "alice" / SIGNATURE).unlink()
    assert ask("alice", people.alice) == {"alice": people.alice}


@pytest.mark.parametrize("at", ["20990101T120000", "20210101T120000"])
def test_a_worker_whose_clock_is_wrong_is_refused_in_one_line(
    people: People, ask: Asking, at: str
) -> None:
    said = rf"signed at {at[:4]}-01-01 12:00 UTC by its clock, and asked for at \d{{4}}-"
    with pytest.raises(StepFailed, match=said) as caught:
        ask("alice", people.alice, at)
    assert str(caught.value).startswith("ssh://machine: ")
    assert "\n" not in str(caught.value)
    assert not ask.ledger.exists()
    assert ask("alice", people.alice) == {"alice": people.alice}


def test_a_machine_that_does_not_answer_keeps_nobody_else_from_being_asked(
    people: People, ask: Asking
) -> None:
    ask.dead = ("ssh://first", "ssh://second")
    with pytest.raises(ServiceFailed, match="first") as caught:
        ask("alice", people.alice)
    (line,) = caught.value.details
    assert line.startswith("ssh://second: ")
    (entry,) = entries(ask.ledger, VERSION)
    assert entry.who == "alice"
    ask.dead = ()
    assert ask("alice", people.alice) == {"alice": people.alice}
