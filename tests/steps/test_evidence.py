"""Evidence: what is signed, what is taken from the host, and what users see is never replaced."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from doit_receipts.probe import RemoteState
from plugins.model.evidence import evidence_path
from plugins.model.remote_layout import RemoteLayout
from plugins.services.folder_host import FolderHost
from plugins.steps.evidence import look_signed, sign
from tests.checks.test_evidence import RELEASE, RM, Signed, edited, file_of, stated
from tests.site_world import QUIET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from doit_receipts.probe import Probe
    from plugins.model.series import SigstoreIdentity
    from plugins.model.statement import Statement

AREA = RemoteLayout(RELEASE.version).evidence
NAME = evidence_path(RELEASE).rpartition("/")[2]


class Logged(Signed):
    """The same, who signs too; ``entries`` are what the public log has."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[bytes] = []

    def sign_statements(
        self, payloads: Collection[bytes], by: SigstoreIdentity
    ) -> Iterator[tuple[bytes, bytes]]:
        assert by == RM
        for payload in payloads:
            self.entries.append(payload)
            yield payload, bundle_of(payload)


def bundle_of(payload: bytes) -> bytes:
    return sha256(payload).hexdigest().encode() + b" " + payload


@dataclass
class Evening:
    """The evidence of a release on this machine and on the host."""

    root: Path
    file: Path
    sigstore: Logged = field(default_factory=Logged)

    @property
    def host(self) -> FolderHost:
        return FolderHost(self.root)

    def look(self, statements: list[Statement]) -> Probe:
        return look_signed(RELEASE, statements, self.file, RM, self.sigstore, self.host, AREA)

    def sign(self, statements: list[Statement]) -> None:
        sign(RELEASE, statements, self.file, RM, self.sigstore, self.host, AREA, QUIET)

    def show(self, content: bytes, folder: str = AREA.final) -> None:
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / folder / NAME).write_bytes(content)


@pytest.fixture
def evening(tmp_path: Path) -> Evening:
    (tmp_path / "host").mkdir()
    return Evening(tmp_path / "host", tmp_path / NAME)


def with_waivers(*rules: str, statements: list[Statement] | None = None) -> list[Statement]:
    """What the release states once the declaration waives these rules."""
    *builds, last = statements or stated()
    return [*builds, replace(last, predicate={**last.predicate, "waivers": list(rules)})]


def test_what_is_signed_is_found_and_a_later_waiver_is_signed_while_nobody_saw_it(
    evening: Evening,
) -> None:
    assert evening.look(with_waivers()).state is RemoteState.ABSENT
    evening.sign(with_waivers())
    assert evening.look(with_waivers()).state is RemoteState.IDENTICAL
    for folder in ("", AREA.staging):
        if folder:
            evening.show(evening.file.read_bytes(), folder)
        assert evening.look(with_waivers("rebuild.few")).state is RemoteState.ABSENT
    evening.sign(with_waivers("rebuild.few"))
    assert evening.file.read_bytes() == file_of(with_waivers("rebuild.few"))


def test_what_waits_to_be_seen_makes_room_for_what_a_later_waiver_changed(
    evening: Evening,
) -> None:
    """It was refused at the upload, as other bytes than are there, and no remedy was told."""
    evening.sign(with_waivers())
    evening.show(evening.file.read_bytes(), AREA.staging)
    there = evening.host.look([f"{AREA.staging}/{NAME}"])
    assert there != (None,)
    evening.sign(with_waivers("rebuild.few"))
    assert evening.host.look([f"{AREA.staging}/{NAME}"]) == (None,)
    # What somebody else put there stays, for a person to look at.
    evening.show(file_of(stated(commit="f" * 40)), AREA.staging)
    evening.sign(with_waivers("rebuild.few", "tools.old"))
    assert evening.host.look([f"{AREA.staging}/{NAME}"]) != (None,)


def test_a_waiver_that_comes_after_the_evidence_is_public_leaves_it_as_it_is(
    evening: Evening,
) -> None:
    evening.sign(with_waivers())
    evening.show(evening.file.read_bytes())
    seen, logged = evening.file.read_bytes(), len(evening.sigstore.entries)
    later = with_waivers("rebuild.few")
    assert evening.look(later).state is RemoteState.IDENTICAL
    # Lost here, it is taken from where users see it.
    evening.file.unlink()
    assert evening.look(later).state is RemoteState.ABSENT
    evening.sign(later)
    assert evening.look(later).state is RemoteState.IDENTICAL
    assert evening.file.read_bytes() == seen
    assert len(evening.sigstore.entries) == logged


@pytest.mark.parametrize(
    "other",
    [
        file_of(stated(commit="f" * 40)),
        file_of(stated(built_from="f" * 40)),
        file_of(stated(digest_of=lambda name: sha256(name.encode() + b"x").hexdigest())),
        file_of(stated()[:1] + stated()[2:]),
        file_of(stated()).replace(b"rehearsal", b"rehearsed", 1),
        file_of(edited(2, "statements", value=["0" * 64, "1" * 64])),
    ],
    ids=["commit", "source", "bytes", "fewer", "unsigned", "another last"],
)
def test_what_users_see_of_another_commit_or_other_files_is_not_taken_over(
    evening: Evening, other: bytes
) -> None:
    evening.show(other)
    evening.file.write_bytes(other)
    assert evening.look(with_waivers("rebuild.few")).state is RemoteState.ABSENT
    evening.sign(with_waivers("rebuild.few"))
    assert evening.file.read_bytes() == file_of(with_waivers("rebuild.few"))
