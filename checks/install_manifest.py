"""Install manifest: whether the install manager would fetch the packages that are published."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from checks.brought import faults_of_manifest
from plugins.model.rules import breach

if TYPE_CHECKING:
    from doit_receipts.finding import Finding
    from plugins.model.found_files import FoundFiles
    from plugins.model.release import Release

__all__ = ["manifests_are_true"]

_MANIFEST: Final = re.compile(r"[^/]+/windows-[^/]+\.json")


def manifests_are_true(release: Release, found_files: FoundFiles) -> tuple[Finding, ...]:
    """What the install manager would fetch is what the manifest of its packages says."""
    found = []
    for remote, file in sorted(found_files.files.items()):
        if not _MANIFEST.fullmatch(remote) or file.source is None:
            continue
        try:
            content = json.loads(file.source.read_bytes())
        except (OSError, ValueError, RecursionError):
            found.append(breach("file.manifest", remote, "cannot be read"))
            continue
        problems = faults_of_manifest(content, found_files.files, release)
        found += [breach("file.manifest", remote, problem) for problem in problems]
    return tuple(found)
