"""Tests of what is beside the source archives: it is of them as they are, or nothing is published.

Each finding is followed: what is deleted as it says is made again, and the gate is content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.exported import archives_are_signed, checksums_hold
from plugins.services.gnupg_signer import GnupgSigner
from plugins.steps import checksums
from plugins.steps.signing import sign_archives, signature_of, signatures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome

    Builds = Callable[..., Release]

AGAIN = ", then run doit export: it is made again"


@pytest.fixture(scope="module")
def signer(keyring: GnupgHome) -> GnupgSigner:
    return GnupgSigner(keyring.folder, keyring.key("rm"))


@pytest.fixture
def exported(a_release: Builds, signer: GnupgSigner) -> Release:
    """Archives with what belongs to them, as an export leaves them."""
    release = a_release("3.13.6")
    release.layout.src.mkdir(parents=True)
    for archive in release.layout.tarballs:
        archive.write_bytes(archive.name.encode())
    sign_archives(release, signer)
    checksums.write(release, published(release))
    return release


def published(release: Release) -> list[Path]:
    return [*release.layout.tarballs, *signatures(release)]


def test_what_an_export_leaves_passes(exported: Release, signer: GnupgSigner) -> None:
    assert archives_are_signed(exported, signer) == ()
    assert checksums_hold(exported, published(exported)) == ()


def test_series_without_openpgp_has_no_signature_to_judge(a_release: Builds) -> None:
    assert archives_are_signed(a_release("3.14.0"), None) == ()


def other_bytes(archive: Path, keyring: GnupgHome) -> None:
    other = archive.with_name("other")
    other.write_bytes(b"other bytes")
    GnupgSigner(keyring.folder, keyring.key("rm")).sign(other, signature_of(archive))
    other.unlink()


def other_key(archive: Path, keyring: GnupgHome) -> None:
    GnupgSigner(keyring.folder, keyring.key("other")).sign(archive, signature_of(archive))


def cut_short(archive: Path, _: GnupgHome) -> None:
    beside = signature_of(archive)
    beside.write_text("".join(beside.read_text().splitlines(keepends=True)[:3]))


def twice(archive: Path, _: GnupgHome) -> None:
    beside = signature_of(archive)
    beside.write_bytes(beside.read_bytes() * 2)


@pytest.mark.parametrize(
    ("alter", "rule"),
    [
        (other_bytes, "signature.bytes"),
        (other_key, "signature.identity"),
        (cut_short, "signature.unreadable"),
        (twice, "signature.unreadable"),
    ],
)
def test_signature_that_is_not_of_the_archive_by_the_key_blocks_until_it_is_deleted(
    exported: Release,
    keyring: GnupgHome,
    signer: GnupgSigner,
    alter: Callable[[Path, GnupgHome], None],
    rule: str,
) -> None:
    archive = exported.layout.tarballs[1]
    alter(archive, keyring)
    (finding,) = archives_are_signed(exported, signer)
    beside = signature_of(archive)
    assert (finding.rule, finding.where) == (rule, beside.name)
    assert finding.remedy == f"delete it{AGAIN}"
    beside.unlink()
    (finding,) = archives_are_signed(exported, signer)
    assert finding.rule == "signature.missing"
    assert "it signs what has no signature" in finding.remedy
    sign_archives(exported, signer)
    assert archives_are_signed(exported, signer) == ()


def test_archive_that_is_not_what_was_signed_blocks(exported: Release, signer: GnupgSigner) -> None:
    with exported.layout.tarballs[0].open("ab") as stream:
        stream.write(b"\n")
    (finding,) = archives_are_signed(exported, signer)
    assert finding.rule == "signature.bytes"
    (finding,) = checksums_hold(exported, published(exported))
    assert (finding.rule, finding.where) == ("checksums.differs", "Python-3.13.6.tgz")


def test_signatures_that_cannot_be_looked_at_block(exported: Release) -> None:
    signer = GnupgSigner(exported.layout.work / "nobody", "0" * 40)
    (finding,) = archives_are_signed(exported, signer)
    assert finding.rule == "signature.unseen"


@pytest.mark.parametrize(
    ("alter", "rule"),
    [
        (lambda text: text.replace(text[:8], "0" * 8, 1), "checksums.differs"),
        (lambda text: text + f"{'0' * 64}  Python-3.13.7.tgz\n", "checksums.unlisted"),
        (lambda text: text[text.index("\n") + 1 :], "checksums.unlisted"),
        (lambda text: text + "\n", "checksums.form"),
        (lambda text: text * 2, "checksums.form"),
    ],
)
def test_list_that_says_something_else_blocks_until_it_is_deleted(
    exported: Release, alter: Callable[[str], str], rule: str
) -> None:
    path = exported.layout.checksums
    path.write_text(alter(path.read_text()))
    (finding,) = checksums_hold(exported, published(exported))
    assert (finding.rule, finding.remedy) == (rule, f"delete SHA256SUMS{AGAIN}")
    path.unlink()
    (finding,) = checksums_hold(exported, published(exported))
    assert finding.rule == "checksums.missing"
    checksums.write(exported, published(exported))
    assert checksums_hold(exported, published(exported)) == ()
