"""SBOMs: an SPDX document beside each source archive, made from the tree's own (Z16)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.cores import some_cores
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.spdx_names import namespace_of
from plugins.model.vendored import BUNDLED, pins_of, pip_wheel, version_of_wheel
from plugins.ports.sbom import Carried, SourceArchive, SourceFile

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.version import Version
    from plugins.ports.git import Clone
    from plugins.ports.progress import Progress
    from plugins.ports.sbom import PackageIndex, Sboms

__all__ = ["TREE_SBOM", "build", "cpe_of"]

TREE_SBOM: Final = "Misc/sbom.spdx.json"
"""Where the tree states what it bundles."""

_PUBLISHED: Final = "https://www.python.org/ftp/python"


def build(
    release: Release,
    clone: Clone,
    sboms: Sboms,
    progress: Progress,
    *,
    commit: str,
    epoch_s: int,
    index: PackageIndex | None = None,
) -> dict[str, str]:
    """Each source archive has a ``.spdx.json`` beside it; none if the series has none.

    It names CPython, every file of the archive with its digests, and the projects whose files
    CPython bundles, with pip and all that pip carries, as ``index`` has them published. ``commit``
    is what the tag names and ``epoch_s`` its time, which is when
    the document says it was made. Raises StepFailed if the commit lacks the tree's SBOM.
    """
    if not release.series.ships_sbom:
        return {}
    tree_sbom = clone.read(commit, TREE_SBOM)
    if tree_sbom is None:
        raise StepFailed(
            where=TREE_SBOM,
            problem=f"does not exist in {commit[:12]}, but {release.series.name} is published "
            "with SBOMs",
            remedy="find out why the branch lost it: git log -- " + TREE_SBOM,
        )
    # threading is late: listing tasks reads no archive
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    progress.say("looking up pip and what it carries")
    carried = _carried(clone, commit, index)
    archives, root = release.layout.tarballs, release.layout.folder_in_archive
    progress.say("reading both archives")
    with some_cores(len(archives)) as cores, ThreadPoolExecutor(cores) as pool:
        lists = list(pool.map(lambda archive: _files_of(archive, root), archives))
    for archive, document, files in zip(archives, release.sboms, lists, strict=True):
        progress.say(f"writing the SBOM of {archive.name}, {len(files):,} files")
        subject = _subject(release.version, archive, epoch_s)
        write_whole(document, sboms.document(subject, files, tree_sbom, carried))
    projects = " ".join(f"{project.name}=={project.version}" for project in carried) or "none"
    return {"files": str(len(lists[0])), "carried": projects, "spdx_tools": sboms.version()}


def cpe_of(version: Version) -> str:
    """The name by which upstream's documents name this version, pre-releases too.

    Source: release-tools' sbom.py; vulnerability databases write alphas in a field of their own.
    """
    return f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"


def _carried(clone: Clone, commit: str, index: PackageIndex | None) -> tuple[Carried, ...]:
    """Pip in the tree's wheel, and the projects in pip; none if the tree bundles no pip."""
    path = pip_wheel(clone.names(commit, BUNDLED))
    if not path:
        return ()
    if index is None:
        raise StepFailed(
            where=path,
            problem="no package index is set in which to look it up",
            remedy="name one in [hosts] packages",
        )
    content = clone.read(commit, path) or b""
    version, name = version_of_wheel(path), path.rpartition("/")[2]
    digest = hashlib.sha256(content).hexdigest()
    pip = index.wheel("pip", version, name)
    if pip.sha256 != digest:
        raise StepFailed(
            where=path,
            problem=f"has the sha256 {digest[:12]}, but {name} is published with {pip.sha256[:12]}",
            remedy="find out who changed it on the branch, and do not release before that",
        )
    return (
        Carried("pip", version, pip),
        *(
            Carried(project, pinned, index.wheel(project, pinned), "pip")
            for project, pinned in pins_of(content, path)
        ),
    )


def _subject(version: Version, archive: Path, epoch_s: int) -> SourceArchive:
    digest = sha256_of(archive)
    location = f"{_PUBLISHED}/{version.folder}/{archive.name}"
    return SourceArchive(
        version=str(version),
        cpe=cpe_of(version),
        file_name=archive.name,
        location=location,
        sha256=digest,
        namespace=namespace_of(location, digest),
        epoch_s=epoch_s,
    )


def _files_of(archive: Path, root: str) -> list[SourceFile]:
    """Every file of the archive, by its path below the archive's one folder.

    Links have no content of their own (one once stopped the SBOM of 3.14.0a7).
    """
    # Late: tarfile and what it needs cost 15 ms that listing tasks does not have to pay.
    from plugins.model.archive import Kind, read_archive  # noqa: PLC0415

    members = read_archive(archive, sha1=True).members
    return sorted(
        (
            SourceFile(member.name.removeprefix(f"{root}/"), member.sha1, member.sha256)
            for member in members
            if member.kind is Kind.FILE
        ),
        key=lambda member: member.path,
    )
