"""Remedies of `doit verify`, each done as it says to a release that is out, and judged again.

One release has many faults at once, as the catalogue makes them, so that few looks are enough: a
whole group of rules shares what is done, and each remedy is followed as it is written.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest

from doit_receipts.finding import Waiver
from plugins.model.promise import record_paths
from tests.faults.catalogue import FAULTS
from tests.faults.fault import TGZ
from tests.faults.refs import tagged
from tests.mending import mend
from tests.released import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.finding import Finding
    from tests.released import Released

pytestmark = pytest.mark.slow

_EVIDENCE: Final = "3.13.6/Python-3.13.6.intoto.jsonl"
_ROUNDS: Final = 3
"""What was damaged in one place can hide what was damaged in another, never for longer."""


def do(world: Released, *faults: str | Callable[[Released], None]) -> None:
    """These faults, by their names in the catalogue, one after another."""
    for each in faults:
        act = each if callable(each) else next(it.do for it in FAULTS if it.name == each)
        act(world)


def followed(world: Released, **look: Any) -> set[str]:
    """The rules that were broken, and are kept once every remedy was followed."""
    broken: set[str] = set()
    findings: tuple[Finding, ...] = ()
    for _ in range(_ROUNDS):
        report = world.look(**look)
        # what nobody else has made again is a note of every release
        findings = tuple(each for each in report.findings if each.rule != "rebuild.few")
        if not findings:
            return broken
        broken |= rules_of(report)
        mend(world, findings)
    left = [f"{each.rule} {each.where}: {each.message}; {each.remedy}" for each in findings]
    raise AssertionError("\n".join(left))


def _records_gone(world: Released) -> None:
    for path in (_EVIDENCE, *record_paths(world.release)):
        (world.root / path).unlink()
    world.purge()


def _odd_tag(world: Released) -> None:
    """The tag's object is another release's, of a commit on no branch, and signed by nobody."""
    tree, old = (world.git("rev-parse", each) for each in ("v3.13.5^{tree}", "v3.13.6^{commit}"))
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    made = world.git(*who, "commit-tree", tree, "-m", "x")
    change = lambda text: text.replace(old, made).replace("tag v3.13.6", "tag v3.13.7")  # noqa: E731
    tagged(change, "nobody")(world)


def _tag_of_another_time(world: Released) -> None:
    tagged(lambda text: text.replace(" +0000", " +0100"))(world)


def _unreadable_row(world: Released) -> None:
    world.tell(world.file(TGZ), filesize="many")


def _cache_down(world: Released) -> None:
    world.keep("a", "https://www.python.org/ftp/python/doc/", 503, b"", "text/html")


BATCHES: Final[dict[str, tuple[tuple[str, ...], dict[str, Any], tuple[Any, ...]]]] = {
    "content": (
        (
            "archive.pyc", "archive.mode", "archive.owner", "archive.time", "archive.root",
            "archive.link", "archive.type", "archive.name", "archive.tree", "bundle.bytes",
            "docs.unreleased", "docs.link", "docs.different", "docs.hosted", "docs.current",
            "evidence.form", "file.closed", "file.size", "file.unrecognised", "manifest.differs",
            "manifest.unlisted", "manifest.unsigned", "rebuild.differs", "row.button", "row.digest",
            "row.sidecar", "row.size", "row.system", "row.text", "sbom.archive",
            "sbom.changed_file", "sbom.content", "sbom.lacks", "sbom.statement",
            "signature.missing", "site.flags", "tag.light", "tag.shadowed",
        ),
        {"rebuild": True},
        (
            "archives with a .pyc", "archives with a world-writable member",
            "archives with an owner's number", "archives with another time",
            "archives with a second folder", "archives with an absolute link",
            "archives with a device", "archives with names that differ in case",
            "archives with other content",
            "a page says (unreleased)", "a link to a page that is not there",
            "the zip lacks a page", "a hosted page is another", "doc/current is gone",
            "the evidence is cut in half", "the manifest has no .asc",
            "one more part of an installer is served",
            "another size of python-3.13.6-amd64.exe", "another digest of python-3.13.6-arm64.exe",
            "no button for macOS", "a row with gpg_signature_file=''",
            "a row with description='for nobody'", "a row with os=1",
            "another archive's digest", "another bundled file", "a file less", "a supplier less",
            "another comment", "Python-3.13.6.tar.xz has no signature",
            "a release with pre_release=True", "a light tag", "a tag more",
            "python-3.13.6-macos11.pkg is not for all to read", "python-3.13.6-docs.epub is empty",
            "3.13.6/Python-3.13.6.tar.bz2 stands there as well",
        ),
    ),
    "form": (
        (
            "archive.stream", "archive.compressor", "bundle.unreadable", "bundle.identity",
            "cache.stale", "cache.stale_page", "docs.missing", "docs.unreadable",
            "evidence.signature", "file.described", "file.manifest", "file.missing",
            "file.unlisted", "manifest.unreadable", "page.lacks", "row.missing", "row.surplus",
            "sbom.missing_file", "sbom.unreadable", "signature.identity", "site.latest",
        ),
        {},
        (
            "archives with other news", "Python-3.13.6.tgz has a time in gzip's header",
            "as bundle zeros", "an expert", "the epub is not there",
            "python-3.13.6-docs-html.tar.bz2 has a flipped bit",
            "a statement has another one's signature", "the manifest is an empty object",
            "an installer's SBOM has other checksums", "a manifest with another digest",
            "python-3.13.6-embed-arm64.zip is gone",
            "the folder's list lacks Python-3.13.6.tgz.asc",
            "the list of all releases lacks it", "no bundled file", "no JSON",
            "an expert signed the sources", "no release is the latest", "a row more", "a row less",
            "python-3.13.6-arm64.exe is an older one at edge b", "/downloads/ is old at edge a",
        ),
    ),
    "gone": (
        (
            "bundle.missing", "bundle.untrusted", "cache.unseen", "evidence.missing",
            "manifest.missing", "rebuild.failed", "row.unseen", "signature.bytes",
            "signature.unreadable", "tag.missing",
        ),
        {"rebuild": True, "evidence": True},
        (
            _records_gone, "another file's signature", "zeros", _unreadable_row,
            "Python-3.13.6.tar.xz has a flipped bit", "no tag", "no branch",
            "python-3.13.6-macos11.pkg.sigstore is not there", _cache_down,
        ),
    ),
    "tag": (
        (
            "archive.differ", "evidence.commit", "evidence.subject", "manifest.removed",
            "signature.expired", "tag.branch", "tag.name", "tag.signature", "tag.version",
        ),
        {},
        (
            "Python-3.13.6.tar.xz alone holds more", "the manifest alone is gone",
            "a key that expired", _odd_tag,
        ),
    ),
    "here": (
        (
            "archive.unreadable", "file.other_here", "signature.revoked", "tag.other_here",
        ),
        {"situation": "public"},
        (
            "users get another file than was exported", _tag_of_another_time,
            "Python-3.13.6.tar.xz has no end", "a key that is revoked",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("batch", BATCHES)
def test_a_release_that_is_out_is_mended_by_what_its_findings_say(
    world: Released, batch: str
) -> None:
    rules, look, faults = BATCHES[batch]
    do(world, *faults)
    assert set(rules) - followed(world, **look) == set()


def test_what_could_not_be_looked_at_is_once_its_finding_is_followed(world: Released) -> None:
    nowhere, upstream = world.folder / "nowhere", world.world / "upstream.git"
    settings = world.settings
    upstream.rename(nowhere)
    world.keyring = world.folder / "keys"
    told = {each.rule: each.remedy for each in world.look().findings}
    assert told["tag.unseen"].endswith("then run the same command again")
    nowhere.rename(upstream)
    assert "name the public keys" in told["signature.unseen"]
    world.keyring = world.manager.folder
    world.settings = replace(settings, signing=replace(settings.signing, sigstore_trust=nowhere))
    told = {each.rule: each.remedy for each in world.look().findings}
    world.settings = settings
    assert "reaches Sigstore's roots of trust" in told["bundle.unseen"]
    assert told["evidence.unseen"] == told["bundle.unseen"]
    assert world.look().findings == ()


def test_what_is_staged_is_mended_where_it_was_exported(world: Released) -> None:
    do(world, f"another {TGZ} is staged")
    (stray,) = world.staging.rglob(TGZ)
    stray.with_name("Python-3.13.6.tar.xz").chmod(0o666)
    assert followed(world, situation="staged") >= {"staged.differs", "file.mode"}
    shutil.rmtree(world.local.src)
    assert "staged.unseen" in followed(world, situation="staged")


def test_what_was_meant_to_go_since_the_release_before_is_waived(world: Released) -> None:
    do(world, "a folder that the release before had")
    report = world.look()
    (finding,) = report.findings
    assert finding.rule == "archive.previous"
    assert "waive archive.previous for this release" in finding.remedy
    waiver = Waiver("archive.previous", "Demo is gone for good", "RM", date(2099, 1, 1))
    assert not report.holds
    assert replace(report, waivers=(waiver,)).holds


def test_there_is_something_to_verify_once_it_is_exported(world: Released) -> None:
    for folder in ("3.13.6", "doc/3.13.6"):
        shutil.rmtree(world.root / folder)
    world.git("update-ref", "-d", "refs/tags/v3.13.6")
    world.flag(is_published=False)
    (finding,) = world.look().findings
    assert finding.rule == "situation.nothing"
    assert finding.remedy.startswith("run doit export, or name the release.toml")
    world.export()
    assert world.look("public").findings == ()
