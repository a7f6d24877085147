"""A closing archive judged as somebody does who has it and its signatures, and nothing else.

What others can do to it is generated: no change of it may be missed. What its own release manager
could archive wrongly is signed anew here, and told by the rule that is about it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from checks.archived import judge
from doit_receipts.artifact import sha256_of
from doit_receipts.receipt import Receipt
from plugins.command.reports import table
from plugins.model.closing_archive import ClosingArchive
from plugins.model.record_signatures import plain_bundle
from plugins.model.secret import Secret
from plugins.model.series import SigstoreIdentity
from plugins.rehearsal import sigstore
from plugins.rehearsal.store import Store
from plugins.services.archived_keys import archived_keyring
from plugins.services.sigstore_client import SigstoreClient
from tests.mending import mend
from tests.released import rules_of
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.model.report import Report
    from plugins.rehearsal.identity import Account
    from tests.released import Released

    Members = dict[str, bytes]

pytestmark = pytest.mark.slow

NAME = "python-3.13.6-closing.tar"
MANAGER = sigstore.RELEASE_MANAGER


@dataclass
class Kept:
    """The archive and its signatures in a folder of their own, and who may look at them."""

    world: Released
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / NAME

    @property
    def archive(self) -> ClosingArchive:
        return ClosingArchive.from_bytes(self.file.read_bytes(), NAME)

    def judge(self) -> Report:
        """What `doit verify --archive` finds, where the release's folder never was."""
        self.world._run()
        clients = self.world._clients(self.world.stranger)
        release = replace(self.world.release, layout=self.world.stranger)
        with archived_keyring(self.file) as keyring:
            return judge(release, replace(clients, verifier=keyring), self.file)

    def put(self, members: Members) -> None:
        """The archive has these members, and its old signatures."""
        self.file.write_bytes(replace(self.archive, members=members).to_bytes())

    def sign(self, by: Account = MANAGER) -> None:
        """The release manager signs it as it is now, or somebody else with Sigstore."""
        self.world._run()
        store = Store(self.world.world / "state")
        sigstore.write_token(store, by, datetime.now(UTC) + timedelta(hours=1))
        token = Secret(f"file:{sigstore.token_file(store)}")
        client = SigstoreClient(sigstore.trust_file(store), token)
        digest = sha256_of(self.file)
        ((_, bundle),) = client.sign([digest], SigstoreIdentity(by.email, by.connector))
        self.file.with_name(f"{NAME}.sigstore").write_bytes(plain_bundle(bundle))
        words = ("--armor", "--detach-sign", "--output", "-", str(self.file))
        loopback = ("--pinentry-mode", "loopback", "--passphrase", "")
        made = self.world.manager.gpg(*loopback, "--local-user", self.world.key, *words)
        self.file.with_name(f"{NAME}.asc").write_text(made)


@pytest.fixture
def kept(world: Released, tmp_path: Path) -> Iterator[Kept]:
    """Copies of the three files, far from the release."""
    closing = world.settings.work.folder / "3.13.6" / "closing"
    for name in (NAME, f"{NAME}.asc", f"{NAME}.sigstore"):
        shutil.copy(closing / name, tmp_path)
    yield Kept(world, tmp_path)
    shutil.rmtree(world.stranger.work, ignore_errors=True)


def test_a_closed_release_is_judged_from_its_archive_alone(kept: Kept) -> None:
    report = kept.judge()
    assert report.findings == (), table(report, 0)
    assert [each.subject for each in report.judgements] == [
        "signatures", "receipts", "approvals", "published files",
    ]  # fmt: skip
    assert any("who sat at the keyboard" in each for each in report.not_known)
    assert "archived" in table(report, 0)


def test_it_holds_all_that_is_to_be_kept(kept: Kept) -> None:
    members = kept.archive.members
    for name in ("journal.jsonl", "report.html", "made/announcement.md", "drafts/page.md"):
        assert members[name], name
    approvals, receipts = kept.archive.below("approvals", ".json"), kept.archive.below("receipts")
    assert approvals
    assert {f"approvals/{name}.json.asc" for name in approvals} <= members.keys()
    assert len(receipts) > 100
    assert "sign_archive.json" not in receipts


def altered(members: Members) -> Iterator[tuple[str, Members]]:
    """Each member with another bit, gone, and under another name; a new one; two exchanged."""
    for name, content in members.items():
        middle = len(content) // 2
        bit = content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
        yield f"{name} has another bit", {**members, name: bit}
        rest = {each: text for each, text in members.items() if each != name}
        yield f"{name} is gone", rest
        yield f"{name} is called otherwise", {**rest, f"{name}2": content}
    first, second = sorted(members)[:2]
    yield "two are exchanged", {**members, first: members[second], second: members[first]}
    yield "there is one more", {**members, "made/more.md": b"more\n"}


def test_no_change_that_somebody_else_can_make_is_missed(
    kept: Kept, count: Callable[[str, int], None]
) -> None:
    """All members are changed; the file is judged by its signature, which is of all its bytes."""
    raw = kept.file.read_bytes()
    members = dict(kept.archive.members)
    shown = {name.partition("/")[0]: name for name in members}
    for said, changed in altered({name: members[name] for name in shown.values()}):
        own = {name: text for name, text in members.items() if name not in shown.values()}
        kept.file.write_bytes(raw)
        kept.put({**own, **changed})
        report = kept.judge()
        assert not report.holds, said
        assert "archived.signature" in rules_of(report), said
        assert "published files" not in [each.subject for each in report.judgements]
        count("closing archives altered by others, each found", 1)


def test_no_change_of_the_files_themselves_is_missed(kept: Kept) -> None:
    originals = {path: path.read_bytes() for path in sorted(kept.folder.iterdir())}
    for path, raw in originals.items():
        for changed in (b"", raw[:-1], raw[: len(raw) // 2], raw + b"\n", raw + bytes(10240)):
            path.write_bytes(changed)
            assert not kept.judge().holds, (path.name, len(changed))
        path.unlink()
        assert not kept.judge().holds, path.name
        path.write_bytes(raw)
    assert kept.judge().holds


def test_an_archive_that_somebody_else_signed_is_not_the_release_managers(kept: Kept) -> None:
    kept.sign(replace(MANAGER, email="mallory@example.org"))
    report = kept.judge()
    assert rules_of(report) == {"archived.signature"}
    assert "mallory@example.org" in table(report, 0)


def edited(members: Members, task: str, **parts: object) -> Members:
    """The receipt of the task says something else, under a seal of its own."""
    name = f"receipts/{task}.json"
    receipt = Receipt.from_bytes(members[name], name)
    return {**members, name: replace(receipt, **parts).to_bytes()}  # type: ignore[arg-type]


def without(members: Members, name: str) -> Members:
    assert name in members
    return {each: content for each, content in members.items() if each != name}


def approved(members: Members, **parts: str) -> Members:
    name = "approvals/approve_release.json"
    statement = {**json.loads(members[name]), **parts}
    text = json.dumps(statement, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    return {**members, name: text.encode()}


WRONG: dict[str, tuple[str, Callable[[Members], Members]]] = {
    "a receipt that was edited": (
        "archived.receipt",
        lambda members: {
            **members,
            "receipts/build_tarballs.json": members["receipts/build_tarballs.json"].replace(
                b'"adopted": false', b'"adopted": true'
            ),
        },
    ),
    "a receipt with other facts": (
        "archived.receipt",
        lambda members: edited(members, "build_tarballs", facts={"commit": "0" * 40}),
    ),
    "a receipt of another release": (
        "archived.receipt",
        lambda members: edited(members, "post_forum", version="3.13.5"),
    ),
    "a receipt of a real release": (
        "archived.receipt",
        lambda members: edited(members, "post_forum", rehearsal=False),
    ),
    "a receipt of another task": (
        "archived.receipt",
        lambda members: edited(members, "post_forum", step="open_blog"),
    ),
    "a receipt that is missing": (
        "archived.missing",
        lambda members: without(members, "receipts/build_tarballs.json"),
    ),
    "the receipt of an approval that is missing": (
        "archived.missing",
        lambda members: without(members, "receipts/approve_release.json"),
    ),
    "an archive without a receipt": (
        "archived.missing",
        lambda members: {
            name: text for name, text in members.items() if not name.startswith("receipts/")
        },
    ),
    "a text that is not the one that was made": (
        "archived.receipt",
        lambda members: {**members, "made/announcement.md": b"another\n"},
    ),
    "a manifest that is missing": (
        "archived.missing",
        lambda members: without(members, "record/python-3.13.6-manifest.json"),
    ),
    "an approval that is missing": (
        "archived.missing",
        lambda members: without(members, "approvals/approve_release.json"),
    ),
    "an approval without its signature": (
        "archived.approval",
        lambda members: without(members, "approvals/approve_release.json.asc"),
    ),
    "an approval that says something else": (
        "archived.approval",
        lambda members: approved(members, note="and a note"),
    ),
    "an approval of other bytes": (
        "archived.approval",
        lambda members: approved(members, subject="0" * 64),
    ),
    "the approval of an expert in place of the release manager's": (
        "archived.approval",
        lambda members: approved(members, by="windows"),
    ),
    "an approval that is no statement": (
        "archived.approval",
        lambda members: {**members, "approvals/approve_release.json": b"yes\n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_the_release_manager_signed_wrongly_is_told_by_its_rule(
    kept: Kept, wrong: str
) -> None:
    rule, change = WRONG[wrong]
    kept.put(change(dict(kept.archive.members)))
    kept.sign()
    report = kept.judge()
    assert rule in rules_of(report), table(report, 0)
    assert not report.holds
    assert all(each.remedy for each in report.findings)


def test_a_file_that_is_public_with_other_bytes_is_found(kept: Kept) -> None:
    kept.world.put(kept.world.file("Python-3.13.6.tgz"), b"another\n")
    report = kept.judge()
    assert rules_of(report) == {"archived.published"}
    assert "3.13.6/Python-3.13.6.tgz" in table(report, 0)


def test_a_file_that_is_not_public_any_more_is_found(kept: Kept) -> None:
    world = kept.world
    world.path(world.file("python-3.13.6-embed-amd64.zip")).unlink()
    world.purge()
    assert "answers 404" in table(kept.judge(), 0)


def test_a_tag_that_names_something_else_is_found(kept: Kept) -> None:
    upstream = kept.world.world / "upstream.git"
    git(upstream, "update-ref", "refs/tags/v3.13.6", "refs/heads/main")
    report = kept.judge()
    assert rules_of(report) == {"archived.published"}
    assert "refs/tags/v3.13.6" in table(report, 0)


def test_an_upstream_that_cannot_be_reached_is_looked_at_once_it_can(kept: Kept) -> None:
    upstream = kept.world.world / "upstream.git"
    away = upstream.with_name("away.git")
    upstream.rename(away)
    report = kept.judge()
    assert rules_of(report) == {"archived.unseen"}
    assert not report.holds
    assert "check whether python.org and upstream can be reached" in table(report, 0)
    away.rename(upstream)
    assert kept.judge().findings == ()


def test_what_is_no_archive_is_one_finding(kept: Kept) -> None:
    kept.file.write_bytes(b"nothing of the kind\n")
    assert rules_of(kept.judge()) == {"archived.unreadable"}
    kept.file.unlink()
    missing = table(kept.judge(), 0)
    assert "cannot be read" in missing
    assert "name a closing archive that exists" in missing


def test_another_copy_is_taken_or_the_release_manager_is_asked_as_told(
    kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of all that can be wrong with an archive; and a public file is put back."""
    copies = tmp_path_factory.mktemp("another")
    shutil.copytree(kept.folder, copies, dirs_exist_ok=True)
    wrongs = dict(WRONG.values())
    for rule, change in wrongs.items():
        kept.put(change(dict(kept.archive.members)))
        kept.sign()
        told = next(each.remedy for each in kept.judge().findings if each.rule == rule)
        assert told.startswith("take another copy of it; if that"), rule
        shutil.copytree(copies, kept.folder, dirs_exist_ok=True)
    for name, rule, told in (
        (NAME, "archived.unreadable", "take another copy of it"),
        (f"{NAME}.asc", "archived.signature", "take the archive and its signatures from where"),
    ):
        (kept.folder / name).write_bytes(b"nothing of the kind\n")
        (finding,) = kept.judge().findings
        assert finding.rule == rule
        assert finding.remedy.startswith(told)
        shutil.copy(copies / name, kept.folder)
    page = kept.world.file("python-3.13.6-docs-text.zip")
    kept.world.put(page, b"another\n")
    findings = kept.judge().findings
    assert rules_of(kept.judge()) == {"archived.published"}
    mend(kept.world, findings)
    assert kept.judge().findings == ()
