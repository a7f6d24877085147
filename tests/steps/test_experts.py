"""Tests of what experts bring: real gpg, a host that is a folder, experts of every manner."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts import approvals as green_lights
from doit_receipts.approval import Approval, Validity
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.command.approval_keys import KeyringOfApprovals
from plugins.model.awaited import Awaited, awaited_of
from plugins.model.content import Content, NamedFile
from plugins.model.manifest import MANIFEST, Manifest
from plugins.model.promise import contract_of
from plugins.model.remote_layout import RemoteLayout
from plugins.rehearsal import experts as people
from plugins.rehearsal import places
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home
from plugins.rehearsal.store import Store
from plugins.services.folder_host import FolderHost
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.services.templates import PackagedTemplates
from plugins.steps import adoption, experts, handover
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from tests.conftest import Builds

COMMIT = "5" * 40
ROLES = ("windows", "macos")


@pytest.fixture(scope="module")
def theirs() -> Iterator[GnupgHome]:
    with gnupg_home() as home:
        yield home


@pytest.fixture(scope="module")
def ours(theirs: GnupgHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GnupgKeyring]:
    """The release manager's keyring: keys of the roster, and one that expired."""
    store = Store(tmp_path_factory.mktemp("keys"))
    people.seed(store, theirs.folder, ROLES)
    keys = store.load("experts", {})["keys"]
    with gnupg_home() as home:
        for name in (*ROLES, "expired"):
            home.gpg("--import", stdin=theirs.public(keys[name]).encode())
        yield GnupgKeyring(home.folder)


@pytest.fixture
def store(tmp_path: Path, theirs: GnupgHome, ours: GnupgKeyring) -> Store:  # noqa: ARG001 - makes the keys
    made = Store(tmp_path / "state")
    listed = theirs.gpg("--with-colons", "--list-keys")
    names = {}
    fingerprint = ""
    for line in listed.splitlines():
        words = line.split(":")
        if words[0] == "fpr":
            fingerprint = words[9]
        if words[0] == "uid":
            names[words[9].partition(" ")[0].removeprefix("expert-")] = fingerprint
    made.save("experts", {"home": str(theirs.folder), "keys": names, "manner": {}, "answered": []})
    (tmp_path / "ftp").mkdir()
    places.put(made, downloads=tmp_path / "ftp")
    return made


@pytest.fixture
def host(store: Store) -> FolderHost:
    return FolderHost(places.downloads(store))


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.13.6")


def manner(store: Store, role: str, how: str, looks: int = 0) -> None:
    known = store.load("experts", {})
    known["manner"][role] = {"how": how, "looks": looks}
    store.save("experts", known)


def awaited(release: Release, store: Store, role: str = "windows") -> Awaited:
    keys = store.load("experts", {})["keys"]
    roster = [keys[role], keys["expired"]]
    return awaited_of(contract_of(release), role, f"The {role} expert", roster)


def asked(release: Release, store: Store, host: FolderHost) -> None:
    """The experts have an inbox and the mail of the hand-over."""
    experts.open_inboxes(release, host, ROLES)
    briefs = [
        handover.Brief(
            role, f"The {role} expert", host.shown(RemoteLayout(release.version).inbox(role)),
            awaited(release, store, role).files,
        )
        for role in ROLES
    ]  # fmt: skip
    email = handover.experts_email(
        release, PackagedTemplates(), "rm@example.org", ["we@example.org"], briefs,
        fork="fork.git", commit=COMMIT,
    )  # fmt: skip
    kept = {"message_id": email.message_id, "text": email.text}
    store.save("mail", [*store.load("mail", []), kept])


def arrived(release: Release, store: Store, host: FolderHost, ours: GnupgKeyring) -> dict[str, str]:
    wanted = awaited(release, store)
    facts = experts.signed_for(release, host, ours, contract_of(release), wanted, COMMIT)
    experts.keep_adopted(release, "windows", facts, commit=COMMIT)
    return facts


def brought(release: Release, store: Store, host: FolderHost, ours: GnupgKeyring) -> StagingArea:
    """What the experts brought is signed for, and the hidden folder that takes it over is there."""
    asked(release, store, host)
    people.read_mail(store)
    arrived(release, store, host, ours)
    area = RemoteLayout(release.version).downloads
    host.make_folders([area.staging], 0o2770)
    return area


def test_a_signed_manifest_does_not_outvote_the_pipeline(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    """One of the two built the file, and the other one signed something else."""
    asked(release, store, host)
    people.read_mail(store)
    signed = list(experts.files_in(arrived(release, store, host, ours)))
    reported = release.layout.reported_by_pipeline
    reported.parent.mkdir(parents=True, exist_ok=True)
    wanted = replace(awaited(release, store), reported=reported)

    def tell(files: list[NamedFile]) -> dict[str, str]:
        made = Manifest.of("3.13.6", "windows", COMMIT, files)
        reported.write_bytes(made.to_bytes())
        contract = contract_of(release)
        return adoption.arrived(release, host, ours, contract, wanted, FixedClock(), commit=COMMIT)

    assert experts.files_in(tell(signed)) == tuple(signed)
    other = replace(signed[0], content=Content.of(b"what the pipeline built"))
    with pytest.raises(StepFailed, match="does not match the digest of the pipeline") as caught:
        tell([other, *signed[1:]])
    assert signed[0].name in caught.value.where


def test_files_that_were_signed_for_are_taken_over(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    assert experts.look_inboxes(release, host, ROLES).state is RemoteState.ABSENT
    asked(release, store, host)
    assert experts.look_inboxes(release, host, ROLES).state is RemoteState.IDENTICAL
    assert sorted(people.read_mail(store)) == sorted(ROLES)
    assert people.read_mail(store) == []
    facts = arrived(release, store, host, ours)
    assert facts == arrived(release, store, host, ours)
    assert facts["key"] == awaited(release, store).keys[0]
    assert set(awaited(release, store).files) <= set(facts)
    area = RemoteLayout(release.version).downloads
    host.make_folders([area.staging], 0o2770)
    assert experts.look_taken(release, host, "windows", area).state is RemoteState.ABSENT
    taken = experts.take(release, host, "windows", area)
    # Looked at once more, as after a waiver that changes what the others owe.
    assert arrived(release, store, host, ours) == facts
    probe = experts.look_taken(release, host, "windows", area)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, taken)
    assert experts.take(release, host, "windows", area) == taken
    # what became public since counts as taken over
    host.rename([(area.staging, area.final)])
    assert experts.look_taken(release, host, "windows", area).state is RemoteState.IDENTICAL
    assert arrived(release, store, host, ours) == facts


def test_whoever_kept_a_link_or_an_open_file_changes_nothing_that_was_taken(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    """What becomes public is a file of ours with one name, and not the one that was brought."""
    area = brought(release, store, host, ours)
    root = places.downloads(store)
    inbox = root / RemoteLayout(release.version).inbox("windows")
    kept, held = (root / "theirs" / name for name in ("kept", "held"))
    kept.parent.mkdir()
    first, second, *_ = awaited(release, store).files
    kept.hardlink_to(inbox / first)
    held.hardlink_to(inbox / second)
    with held.open("r+b") as handle:
        experts.take(release, host, "windows", area)
        kept.write_bytes(b"evil")
        handle.write(b"evil")
    taken = [path for path in (root / area.staging).rglob("*") if path.is_file()]
    assert {path.stat().st_nlink for path in taken} == {1}
    assert not any(path.read_bytes().startswith(b"evil") for path in taken)
    assert experts.look_taken(release, host, "windows", area).state is RemoteState.IDENTICAL
    assert not (inbox / first).exists()


def test_a_file_that_changes_between_judgement_and_copy_is_not_staged(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    area = brought(release, store, host, ours)
    first = awaited(release, store).files[0]
    changed = places.downloads(store) / RemoteLayout(release.version).inbox("windows") / first
    changed.write_bytes(b"evil")
    with pytest.raises(StepFailed, match="was changed after it was judged"):
        experts.take(release, host, "windows", area)
    staged = places.downloads(store) / area.staging / first.partition("/")[2]
    assert not staged.exists()
    assert changed.exists()


def test_half_taken_over_is_completed(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    area = brought(release, store, host, ours)
    first = awaited(release, store).files[0]
    inbox = RemoteLayout(release.version).inbox("windows")
    host.rename([(f"{inbox}/{first}", f"{area.staging}/{first.partition('/')[2]}")])
    assert experts.look_taken(release, host, "windows", area).state is RemoteState.ABSENT
    experts.take(release, host, "windows", area)
    assert experts.look_taken(release, host, "windows", area).state is RemoteState.IDENTICAL


def test_expert_who_is_late_is_waited_for_by_name(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    asked(release, store, host)
    manner(store, "windows", "late", looks=2)
    for _ in range(2):
        people.read_mail(store)
        with pytest.raises(Waiting, match="no signed manifest yet; 0 of ") as told:
            arrived(release, store, host, ours)
        assert told.value.who == "The windows expert (windows)"
        assert "python-3.13.6-amd64.exe" in told.value.problem
    people.read_mail(store)
    assert arrived(release, store, host, ours)


def test_expert_who_never_answers_has_a_deadline(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    asked(release, store, host)
    manner(store, "windows", "never")
    people.read_mail(store)
    wanted = awaited(release, store)

    def arrived_by(until: datetime) -> None:
        adoption.arrived(
            release, host, ours, contract_of(release), wanted, FixedClock(),
            commit=COMMIT, until=until,
        )  # fmt: skip

    with pytest.raises(Waiting):
        arrived_by(NOON + timedelta(hours=1))
    with pytest.raises(StepFailed, match="has not supplied everything by 2026-11-22 11:00") as late:
        arrived_by(NOON - timedelta(hours=1))
    assert "waiver" in late.value.remedy


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ("unknown key", "which is not known here"),
        ("expired key", "has expired"),
        ("other bytes", "does not match its digest in the manifest on the host"),
    ],
)
def test_wrong_answer_is_refused_and_a_right_one_after_it_is_taken(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring, how: str, problem: str
) -> None:
    asked(release, store, host)
    store.order_fault(f"experts.{how.replace(' ', '_')}", argument="windows")
    people.read_mail(store)
    with pytest.raises(StepFailed, match=problem):
        arrived(release, store, host, ours)
    files = awaited(release, store).files
    people.deliver(
        store, places.downloads(store) / RemoteLayout(release.version).inbox("windows"),
        "windows", "3.13.6", COMMIT, files,
    )  # fmt: skip
    assert arrived(release, store, host, ours)


def test_file_that_is_still_uploaded_is_waited_for(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    asked(release, store, host)
    manner(store, "windows", "half")
    people.read_mail(store)
    with pytest.raises(Waiting, match=r"files are complete; missing or cut short 3\.13\.6/"):
        arrived(release, store, host, ours)


@pytest.mark.parametrize(
    ("version", "role", "commit", "extra", "problem"),
    [
        ("3.13.5", "windows", COMMIT, (), "of another version"),
        ("3.13.6", "macos", COMMIT, (), "of another role"),
        ("3.13.6", "windows", "6" * 40, (), "of another commit"),
        (
            "3.13.6",
            "windows",
            COMMIT,
            ("3.13.6/Python-3.13.6.tgz",),
            "which is not expected from them",
        ),
        ("3.13.6", "windows", COMMIT, ("3.13.7/x.exe",), "which is not expected from them"),
    ],
)
def test_manifest_of_something_else_is_refused(  # noqa: PLR0917 - a table's columns
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring,
    version: str, role: str, commit: str, extra: tuple[str, ...], problem: str,
) -> None:  # fmt: skip
    asked(release, store, host)
    known = store.load("experts", {})
    known["keys"][role] = known["keys"]["windows"]
    inbox = places.downloads(store) / RemoteLayout(release.version).inbox("windows")
    wanted = awaited(release, store)
    store.save("experts", known)
    people.deliver(store, inbox, role, version, commit, (*wanted.files, *extra))
    with pytest.raises(StepFailed, match=problem):
        experts.signed_for(release, host, ours, contract_of(release), wanted, COMMIT)


def test_manifest_that_is_edited_is_no_longer_signed(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    asked(release, store, host)
    people.read_mail(store)
    file = places.downloads(store) / RemoteLayout(release.version).inbox("windows") / MANIFEST
    file.write_bytes(file.read_bytes().replace(b"3.13.6/", b"3.13.5/", 1))
    with pytest.raises(StepFailed, match="was made for other bytes"):
        arrived(release, store, host, ours)


@pytest.mark.parametrize(
    ("how", "worth"),
    [
        ("at once", Validity.GOOD),
        ("other bytes", Validity.OTHER_BYTES),
        ("unknown key", Validity.UNKNOWN_KEY),
        ("expired key", Validity.EXPIRED_KEY),
        ("never", Validity.ABSENT),
    ],
)
def test_experts_green_light_is_worth_what_its_signature_is(
    release: Release, store: Store, ours: GnupgKeyring, how: str, worth: Validity
) -> None:
    manner(store, "windows", how)
    layout = release.layout
    people.approve(store, layout.approvals, "windows", "approve_windows", "3.13.6", "a" * 64)
    wanted = Approval("approve_windows", "3.13.6", "a" * 64, "windows")
    found = green_lights.judge(
        layout, wanted, awaited(release, store).keys, KeyringOfApprovals(ours.home)
    )
    assert found.validity is worth


def test_an_inbox_that_its_expert_cannot_write_to_is_opened_again(
    release: Release, store: Store, host: FolderHost
) -> None:
    """A run that was killed between making a folder and giving it its rights."""
    asked(release, store, host)
    inbox = RemoteLayout(release.version).inbox("windows")
    host.change([inbox], 0o2750)
    assert experts.look_inboxes(release, host, ROLES).state is RemoteState.ABSENT
    experts.open_inboxes(release, host, ROLES)
    assert experts.look_inboxes(release, host, ROLES).state is RemoteState.IDENTICAL


# ── experts who upload where users see it ──────────────────────────────────────────────────


def adopted(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring, role: str = "macos"
) -> dict[str, str]:
    return adoption.arrived(
        release, host, ours, contract_of(release), awaited(release, store, role), FixedClock(),
        commit=COMMIT,
    )  # fmt: skip


def uploads(store: Store) -> None:
    store.save("experts", {**store.load("experts", {}), "habit": "uploads"})


def test_expert_who_uploads_where_users_see_it_writes_no_manifest(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    uploads(store)
    asked(release, store, host)
    with pytest.raises(Waiting, match="0 of 1 file has arrived"):
        adopted(release, store, host, ours)
    assert people.read_mail(store) == ["macos"]
    facts = adopted(release, store, host, ours)
    installer = "3.13.6/python-3.13.6-macos11.pkg"
    assert set(facts) == {"evidence", installer, f"{installer}.asc"}
    assert not (
        places.downloads(store) / RemoteLayout(release.version).inbox("macos") / MANIFEST
    ).exists()


def test_upload_that_was_cut_short_is_never_adopted(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    uploads(store)
    asked(release, store, host)
    store.order_fault("experts.half", argument="macos")
    people.read_mail(store)
    with pytest.raises(Waiting, match="cut short"):
        adopted(release, store, host, ours)


def test_signed_manifest_counts_before_what_is_public(
    release: Release, store: Store, host: FolderHost, ours: GnupgKeyring
) -> None:
    asked(release, store, host)
    people.read_mail(store)
    facts = adopted(release, store, host, ours)
    assert facts["key"] == awaited(release, store, "macos").keys[0]
    assert "evidence" not in facts
