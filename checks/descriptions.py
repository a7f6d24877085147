"""Descriptions as users get them: manifests and SBOMs of what experts and the pipeline made."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from checks.described import faults_of_manifest, faults_of_sbom
from plugins.model.published_file import Origin
from plugins.model.rules import breach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_receipts.finding import Finding
    from plugins.model.content import NamedFile
    from plugins.model.contract import Contract
    from plugins.model.found_files import FoundFiles
    from plugins.model.release import Release

__all__ = ["manifests_are_true", "sboms_of_experts_are_true"]

_MANIFEST: Final = re.compile(r"[^/]+/windows-[^/]+\.json")
_SBOM: Final = ".spdx.json"


def manifests_are_true(release: Release, found_files: FoundFiles) -> tuple[Finding, ...]:
    """What the install manager would fetch is what the manifest of its packages says."""
    found = []
    for remote, file in sorted(found_files.files.items()):
        if not _MANIFEST.fullmatch(remote) or file.source is None:
            continue
        content = _json(file)
        if content is None:
            found.append(breach("file.manifest", remote, "cannot be read"))
            continue
        problems = faults_of_manifest(content, found_files.files, release)
        found += [breach("file.manifest", remote, problem) for problem in problems]
    return tuple(found)


def sboms_of_experts_are_true(
    release: Release, contract: Contract, found_files: FoundFiles
) -> tuple[Finding, ...]:
    """What the SBOM beside an expert's file says of that file is so.

    Those of the archives are judged by the tag and the archive (``sbom.archive`` and others).
    """
    return tuple(_faults(release, contract, found_files))


def _faults(release: Release, contract: Contract, found_files: FoundFiles) -> Iterator[Finding]:
    for remote, file in sorted(found_files.files.items()):
        promised = contract.find(remote)
        if not remote.endswith(_SBOM) or file.source is None or promised is None:
            continue
        if promised.origin is Origin.EXPORT:
            continue
        described = found_files.files.get(remote.removesuffix(_SBOM))
        content = _json(file)
        if described is None:
            continue  # reported as missing, or as a file that nobody declared
        if content is None:
            yield breach("file.described", remote, "cannot be read")
            continue
        for problem in faults_of_sbom(content, described, release):
            yield breach("file.described", remote, problem)


def _json(file: NamedFile) -> Any:
    """What the file holds; None for what is no JSON."""
    try:
        return json.loads(file.source.read_bytes()) if file.source else None
    except (OSError, ValueError, RecursionError):
        return None
