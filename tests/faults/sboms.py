"""Faults of SBOMs, and of what they tell of the archives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.faults.fault import TGZ, XZ, Fault, file_of
from tests.faults.files import changed_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["sbom_faults"]


def _sbom(change: Callable[[dict[str, Any]], None]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.path(file_of(f"{TGZ}.spdx.json"))
        told = json.loads(path.read_bytes())
        change(told)
        path.write_text(json.dumps(told))
        world.purge()

    return do


def _other_file_digest(told: dict[str, Any]) -> None:
    for each in told["files"][5]["checksums"]:
        each["checksumValue"] = "0" * len(each["checksumValue"])


def _other_archive(told: dict[str, Any]) -> None:
    cpython = next(each for each in told["packages"] if each["SPDXID"].endswith("PACKAGE-cpython"))
    for each in cpython["checksums"]:
        each["checksumValue"] = "0" * len(each["checksumValue"])


def _bundled(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in told["files"] if each["fileName"].startswith("Modules/toyzip/")]


def _without_bundled(told: dict[str, Any]) -> None:
    for each in _bundled(told):
        told["files"].remove(each)


def _other_bundled(told: dict[str, Any]) -> None:
    for each in _bundled(told):
        each["checksums"][-1]["checksumValue"] = "0" * 64


def _no_supplier(document: dict[str, Any]) -> None:
    """A package that nobody is said to supply."""
    next(each for each in document["packages"] if each.get("supplier")).pop("supplier")


def sbom_faults() -> Iterator[Fault]:
    def less(told: dict[str, Any]) -> None:
        del told["files"][3]

    def more(told: dict[str, Any]) -> None:
        told["files"].append({**told["files"][0], "fileName": "Lib/evil.py"})

    def nothing(told: dict[str, Any]) -> None:
        told.clear()

    def no_files(told: dict[str, Any]) -> None:
        told["files"] = "none"

    def no_packages(told: dict[str, Any]) -> None:
        told["packages"] = [None]

    def stated(**fields: object) -> Callable[[dict[str, Any]], None]:
        return lambda document: document["packages"][-1].update(fields)

    for fields in (
        {"downloadLocation": "https://evil.example/toyzip-1.2.tar.gz"},
        {"originator": "Person: Somebody"},
        {"licenseConcluded": "GPL-2.0-only"},
        {"comment": "x"},
    ):
        yield Fault(f"another {next(iter(fields))}", "sbom.statement", _sbom(stated(**fields)))
    yield Fault("a supplier less", "sbom.lacks", _sbom(_no_supplier))
    yield Fault("a file less", "sbom.content", _sbom(less))
    yield Fault("a file more", "sbom.content", _sbom(more))
    yield Fault("another digest of a file", "sbom.content", _sbom(_other_file_digest))
    yield Fault("another archive's digest", "sbom.archive", _sbom(_other_archive))
    yield Fault("no bundled file", "sbom.missing_file", _sbom(_without_bundled))
    yield Fault("another bundled file", "sbom.changed_file", _sbom(_other_bundled))
    rule = "sbom.unreadable"
    yield Fault("an empty object", rule, _sbom(nothing))
    yield Fault("no list of files", rule, _sbom(no_files))
    yield Fault("no packages", rule, _sbom(no_packages))
    raw = file_of(f"{XZ}.spdx.json")
    yield Fault("no JSON", rule, changed_to(raw, lambda _: b"<html>" * 300))
    yield Fault("JSON without an end of brackets", rule, changed_to(raw, lambda _: b"[" * 200_000))
