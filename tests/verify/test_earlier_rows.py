"""Releases of before: the rows and the files beside them as other tools wrote them, by the day."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from doit_receipts.finding import Severity
from plugins.model.earlier_rows import has_sha256
from plugins.model.promise import record_paths
from plugins.model.published_file import BUNDLE_SUFFIX, ROW_SIDECARS, Kind
from plugins.model.version import Version
from plugins.rehearsal.identity import Account
from plugins.rehearsal.sigstore import RELEASE_MANAGER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.model.published_file import PublishedFile
    from tests.released import Released

    Alter = Callable[[Released, PublishedFile], None]

OTHER: Final = "0" * 32
"""A digest of MD5 that no file here has."""


@pytest.mark.parametrize(
    ("version", "gives"),
    [("3.8.20", False), ("3.9.25", False), ("3.10.19", False), ("3.10.20", True),
     ("3.12.12", False), ("3.12.13", True), ("3.13.0a1", False), ("3.13.11", False),
     ("3.13.12", True), ("3.14.0", False), ("3.14.3", True), ("3.15.0a3", False),
     ("3.15.0a4", True), ("3.16.0a1", True)],
)  # fmt: skip
def test_rows_give_sha256_since_the_release_that_was_first_written_with_it(
    version: str,
    gives: bool,  # noqa: FBT001 - of the table
) -> None:
    assert has_sha256(Version.parse(version)) is gives


STRANGER: Final = Account("somebody@example.org")


def listed(world: Released) -> list[PublishedFile]:
    """The files with a row and a bundle."""
    bundles = {each.beside for each in world.contract.files if each.kind is Kind.BUNDLE}
    return [each for each in world.contract.listed if each.remote in bundles]


def taken_apart(world: Released, file: PublishedFile) -> dict[str, str]:
    """What the bundle of the file holds, as two files, by suffix."""
    path = world.path(file)
    return in_two(path.with_name(path.name + BUNDLE_SUFFIX).read_bytes())


def in_two(raw: bytes) -> dict[str, str]:
    """A bundle's signature and certificate, by the suffix of the file that each is in."""
    bundle = json.loads(raw)
    der = bundle["verificationMaterial"]["certificate"]["rawBytes"]
    pem = f"-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n"
    return {".sig": bundle["messageSignature"]["signature"], ".crt": pem}


def is_old(world: Released, *, detached: bool = True) -> None:
    """The release is as release-tools made it until December 2025; not ``detached``, until 2022."""
    for record in record_paths(world.release):
        (world.root / record).unlink(missing_ok=True)
    files = {each.url: each for each in listed(world)}
    for file in files.values() if detached else ():
        path = world.path(file)
        for suffix, text in taken_apart(world, file).items():
            path.with_name(path.name + suffix).write_text(text)

    def change(tables: dict[str, Any]) -> None:
        for row in tables["release_file"].values():
            file = files.get(row["url"])
            if file is None:
                continue
            row["sha256_sum"] = ""
            row["md5_sum"] = hashlib.md5(world.path(file).read_bytes()).hexdigest()
            if detached:
                row["sigstore_signature_file"] = f"{row['url']}.sig"
                row["sigstore_cert_file"] = f"{row['url']}.crt"

    world.site(change)
    world.purge()


@pytest.mark.slow
@pytest.mark.parametrize("detached", [True, False])
def test_an_untouched_release_of_before_has_no_finding(
    world: Released,
    detached: bool,  # noqa: FBT001 - of the table
) -> None:
    is_old(world, detached=detached)
    report = world.look(fresh=True)
    assert [(each.rule, each.severity) for each in report.findings] == [
        ("manifest.missing", Severity.NOTE)
    ]
    assert report.holds


@pytest.mark.slow
def test_a_release_of_ours_has_no_detached_signature(world: Released) -> None:
    path = world.path(listed(world)[0])
    path.with_name(f"{path.name}.sig").write_bytes(b"bm90aGluZw==")
    world.purge()
    report = world.look(fresh=True)
    assert "file.unrecognised" in {each.rule for each in report.stopping(report.findings)}


def fields(**changed: str) -> Alter:
    """The row's fields are others."""

    def do(world: Released, file: PublishedFile) -> None:
        def change(tables: dict[str, Any]) -> None:
            for row in tables["release_file"].values():
                if row["url"] == file.url:
                    row.update(changed)

        world.site(change)

    return do


def beside(suffix: str, edit: Callable[[bytes], bytes | None]) -> Alter:
    """The file with this suffix has other bytes, or is gone."""

    def do(world: Released, file: PublishedFile) -> None:
        path: Path = world.path(file)
        path = path.with_name(path.name + suffix)
        content = edit(path.read_bytes())
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)

    return do


def signed_anew(by: Account, *suffixes: str) -> Alter:
    """The files with these suffixes are of another signature of the same file."""

    def do(world: Released, file: PublishedFile) -> None:
        path, made = world.path(file), in_two(world.bundle(file, by))
        for suffix in suffixes:
            path.with_name(path.name + suffix).write_text(made[suffix])

    return do


def of_another(suffix: str) -> Alter:
    """The file with this suffix is that of another file."""

    def do(world: Released, file: PublishedFile) -> None:
        other = next(each for each in listed(world) if each != file)
        path = world.path(file)
        path.with_name(path.name + suffix).write_text(taken_apart(world, other)[suffix])

    return do


def flipped(raw: bytes) -> bytes:
    """One bit of the signature is another."""
    content = bytearray(base64.b64decode(raw))
    content[len(content) // 2] ^= 1
    return base64.b64encode(bytes(content))


def alterations() -> Iterator[tuple[str, Alter]]:
    """Each field of the row emptied or another's, and each file beside changed in each way."""
    for name in ROW_SIDECARS:
        if name in ("gpg_signature_file", "sbom_spdx2_file"):
            continue  # not every file has them: tests/verify/test_every_kind.py
        yield f"{name} empty", fields(**{name: ""})
    yield "md5_sum empty", fields(md5_sum="")
    yield "md5_sum of other bytes", fields(md5_sum=OTHER)
    yield "sha256_sum of other bytes", fields(sha256_sum=OTHER * 2)
    yield ".sig flipped", beside(".sig", flipped)
    for suffix in (".sig", ".crt"):
        yield f"{suffix} gone", beside(suffix, lambda _: None)
        yield f"{suffix} empty", beside(suffix, lambda _: b"")
        yield f"{suffix} cut", beside(suffix, lambda raw: raw[: len(raw) // 2])
        yield f"{suffix} of another signing", signed_anew(RELEASE_MANAGER, suffix)
    yield ".sig of another file", of_another(".sig")
    yield "both by somebody else", signed_anew(STRANGER, ".sig", ".crt")


@pytest.mark.slow
def test_no_alteration_of_a_release_of_before_is_missed(world: Released) -> None:
    """Every kind at every listed file, as many at once as there are files."""
    kinds, missed = list(alterations()), []
    for shift in range(len(kinds)):
        is_old(world)
        done = []
        for at, file in enumerate(listed(world)):
            name, alter = kinds[(at + shift) % len(kinds)]
            alter(world, file)
            done.append((name, file))
        world.purge()
        report = world.look(fresh=True)
        stopping = [f"{each.where} {each.message}" for each in report.stopping(report.findings)]
        missed += [
            (name, file.remote)
            for name, file in done
            if not any(file.remote in each for each in stopping)
        ]
        world.restore()
    assert missed == []
