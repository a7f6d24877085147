"""Artifacts: the zip files that a run at GitHub left, fetched by digest and unpacked."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Any, Final, Protocol

from doit_receipts.durable import PARTIAL, replacing
from doit_receipts.errors import StepFailed
from plugins.model.zipped import BrokenZip, is_plain_name, opened_zip, plain_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from plugins.ports.github import Artifact

__all__ = ["Downloads", "fetch_artifact", "newest", "newest_first", "refuse_odd"]

_PART: Final = 1 << 20
# All that a release's run made in 2026 has 300 MB, and its files are compressed already.
_MOST_BYTES: Final = 2 << 30
_MOST_TIMES: Final = 20
_WHO_MADE_IT: Final = "open the run on GitHub, and find out who made it"


class Downloads(Protocol):
    """Whoever keeps artifacts."""

    def download(self, artifact: Artifact, file: Path) -> str:
        """The file holds the artifact's zip; returns its sha256."""
        ...


def fetch_artifact(
    top: Path,
    artifact: Artifact,
    runs: Downloads,
    *,
    only: Collection[str] | None = None,
    most_bytes: int = _MOST_BYTES,
) -> dict[str, str]:
    """The artifact's files are in a folder of its name below ``top``; facts: each file's sha256.

    It has the digest that GitHub reports. Raises StepFailed for one of other bytes, for a name
    that could end outside of the folder or is not among ``only``, and for more than
    ``most_bytes``; none of its files is there then.
    """
    archive = top / f"{artifact.name}.zip"
    digest = runs.download(artifact, archive)
    if artifact.content.sha256 and digest != artifact.content.sha256:
        archive.unlink()
        raise StepFailed(
            where=f"CI artifact {artifact.name}",
            problem="does not match the digest that GitHub reports",
            remedy="run the same command again; if it fails again, ask GitHub's support",
            details=(f"wanted {artifact.content.sha256}", f"found  {digest}"),
        )
    folder, partial = top / artifact.name, top / f"{artifact.name}{PARTIAL}"
    for each in (folder, partial):
        shutil.rmtree(each, ignore_errors=True)
    partial.mkdir(parents=True)
    facts: dict[str, str] = {}
    try:
        with opened_zip(archive) as opened:
            room = min(most_bytes, _MOST_TIMES * archive.stat().st_size + _PART)
            entries = plain_files(opened, room)
            _refuse_others((entry.filename for entry in entries), only)
            for entry in entries:
                facts[f"{artifact.name}/{entry.filename}"] = _unpacked(opened, entry, partial)
    except BrokenZip as error:
        shutil.rmtree(partial)
        raise StepFailed(
            where=f"CI artifact {artifact.name}", problem=f"is not a valid zip archive: {error}",
            remedy=_WHO_MADE_IT,
        ) from error  # fmt: skip
    partial.rename(folder)
    return facts


def _refuse_others(names: Iterable[str], only: Collection[str] | None) -> None:
    other = next((name for name in names if only is not None and name not in only), "")
    if other:
        reason = f"it contains {other}, which is none of the files that are expected"
        raise BrokenZip(reason)


def newest_first(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """These artifacts, those of the last attempt of a run first.

    A job that was run again leaves its artifact once more, and the earlier one stays. Source:
    actions/toolkit, ListArtifactsOptions.latest, which goes by the id too.
    """
    return tuple(sorted(artifacts, key=lambda artifact: artifact.id, reverse=True))


def newest(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """The artifact of each name that was made last, sorted by name."""
    last = {artifact.name: artifact for artifact in reversed(newest_first(artifacts))}
    return tuple(last[name] for name in sorted(last))


def refuse_odd(artifacts: Sequence[Artifact], run: str, most_bytes: int = _MOST_BYTES) -> None:
    """Raise StepFailed for an artifact that cannot be fetched, or whose name or size is absurd.

    GitHub itself allows more, and whoever can change the workflow chooses them.
    """
    for artifact in artifacts:
        where = f"CI run {run}"
        problem, remedy = "", _WHO_MADE_IT
        if artifact.expired:
            problem, remedy = f"{artifact.name} has expired on GitHub", "run the build again"
        elif not is_plain_name(artifact.name) or artifact.name.endswith((".zip", ".json", PARTIAL)):
            problem = f"has an artifact named {artifact.name[:99]!a}, which is no plain name"
        elif artifact.content.size_bytes > most_bytes:
            problem = f"{artifact.name} has {artifact.content.size_bytes >> 20} MiB, and at most"
            problem += f" {most_bytes >> 20} are expected"
        if problem:
            raise StepFailed(where=where, problem=problem, remedy=remedy)


def _unpacked(opened: Any, entry: Any, folder: Path) -> str:
    digest = hashlib.sha256()
    with opened.open(entry) as source, replacing(folder / entry.filename) as stream:
        while part := source.read(_PART):
            digest.update(part)
            stream.write(part)
    return digest.hexdigest()
