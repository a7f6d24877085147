"""Docs elsewhere: the documentation archives of a run on another machine, by attested digests.

What the run made comes into ``elsewhere/build_docs`` first. Only what the workflow attests of this
action, byte for byte, is put into ``docs/``, and its receipt is the one that a build here leaves.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import replacing
from doit_receipts.errors import SettingsError, StepFailed
from doit_receipts.printable import printable
from plugins.model.action import BUILD_DOCS, BUNDLE, HERE, RESULT, TIER_1, Action
from plugins.model.attested import FACTS_FILE
from plugins.model.envelope import read_envelope
from plugins.model.statement import read_statement
from plugins.model.strict_json import BrokenJson, read_object
from plugins.steps import docs, elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doit_receipts.journal import Journal
    from plugins.model.docs_source import DocsSource
    from plugins.model.envelope import Envelope
    from plugins.model.release import Release
    from plugins.model.statement import Statement
    from plugins.ports.clock import Clock
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.steps.errand import Errand

__all__ = ["STATEMENT", "actions", "fetch", "take"]

STATEMENT: Final = "statement"
"""The fact that has the sha256 of what was attested, so that nothing else is taken for it."""

_VERSION: Final = 1
"""Goes up when ``docs`` writes other archives: nothing that was built before counts then."""
_MOST_BYTES: Final = 65_536
_LONGEST: Final = 8_000
_PART: Final = 1 << 20


def actions(
    release: Release, formats: Sequence[str], own: Sequence[Path | None], *, commit: str
) -> tuple[Action, ...]:  # fmt: skip
    """The documentation of the tag in these formats, once.

    Raises SettingsError where it is to be built with something that only this machine has
    (``own``).
    """
    if any(own):
        raise SettingsError(
            where="[farm] steps",
            problem="build_docs cannot use [docs] constraints, python or lock,"
            " which are files on this machine",
            remedy="remove them, or take build_docs out of [farm] steps",
        )
    params = {"kind": release.type.name.lower(), "formats": " ".join(sorted(formats))}
    version, tag = str(release.version), release.version.tag
    return (Action(BUILD_DOCS, _VERSION, version, tag, commit, {}, params, TIER_1[0]),)


def fetch(errand: Errand, clock: Clock, journal: Journal, progress: Progress) -> dict[str, str]:
    """What the run made and attests is under ``elsewhere/``; facts: the digests of both.

    Raises Waiting and StepFailed as ``elsewhere.gather`` does. Where nobody answered in time and
    ``[farm]`` says so, nothing is there, and ``take`` builds here.
    """
    for action in elsewhere.gather(errand, clock, journal, progress):
        elsewhere.step_in(errand, action, journal)
    digests = {action.step: action.digest for action in errand.actions}
    bundle = errand.layout.elsewhere / BUILD_DOCS / BUNDLE
    return {**digests, STATEMENT: _kept(bundle).sha256} if bundle.exists() else digests


def take(
    release: Release,
    source: DocsSource,
    formats: Sequence[str],
    programs: Programs,
    progress: Progress,
    *,
    judged: Mapping[str, str],
) -> dict[str, str]:
    """``layout.docs`` holds the archives as ``docs.build`` leaves them; facts: the same.

    They are those that were fetched, and still as the attestation names them whose digest is in
    the facts of ``fetch``, ``judged``. Raises StepFailed if one of them is not there, or has been
    changed since it was judged.
    """
    folder = release.layout.elsewhere / BUILD_DOCS
    if (folder / HERE).exists() and not (folder / BUNDLE).exists():
        progress.say("nobody answered: building the documentation here")
        return docs.build(release, source, formats, programs, progress)
    named = _attested(folder / BUNDLE, judged.get(STATEMENT, ""))
    for form in docs.FORMATS:
        for archive in release.layout.docs_archives(form):
            if form in formats:
                _copy(folder / RESULT / archive.name, archive, named.digest_of(archive.name))
            else:
                archive.unlink(missing_ok=True)
    return _facts(folder / RESULT / FACTS_FILE, named.digest_of(FACTS_FILE))


def _attested(bundle: Path, sha256: str) -> Statement:
    """What the attestation says of files that was judged, and that has this digest."""
    envelope = _kept(bundle)
    if envelope.sha256 != sha256:
        raise _changed(bundle)
    try:
        return read_statement(envelope.payload, ours=False)
    except BrokenJson as error:
        raise _changed(bundle) from error


def _kept(bundle: Path) -> Envelope:
    try:
        return read_envelope(bundle.read_bytes(), ours=False)
    except FileNotFoundError as error:
        raise _missing(bundle) from error
    except BrokenJson as error:
        raise _changed(bundle) from error


def _copy(source: Path, target: Path, sha256: str) -> None:
    """The bytes that are compared are those that are written."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as content, replacing(target) as stream:
            while part := content.read(_PART):
                digest.update(part)
                stream.write(part)
            if digest.hexdigest() != sha256:
                raise _changed(source)
    except FileNotFoundError as error:
        raise _missing(source) from error


def _facts(file: Path, sha256: str) -> dict[str, str]:
    """What the builder said of the archives: short texts, or nothing of it is taken over."""
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise _missing(file) from error
    if len(raw) <= _MOST_BYTES and hashlib.sha256(raw).hexdigest() != sha256:
        raise _changed(file)
    try:
        found = read_object(raw, _MOST_BYTES)
    except BrokenJson as error:
        raise _odd(problem=str(error)) from error
    for name, text in found.items():
        if not isinstance(text, str) or max(len(name), len(text)) > _LONGEST:
            raise _odd(problem="has a name or value that is not one line of text")
        if printable(f"{name}{text}") != f"{name}{text}":
            raise _odd(problem="has a name or value that is not one line of text")
    return found


def _odd(*, problem: str) -> StepFailed:
    remedy = "look at the run on GitHub: its job of the documentation made the file"
    return StepFailed(where=FACTS_FILE, problem=problem, remedy=remedy)


def _missing(file: Path) -> StepFailed:
    return _refetch(file, problem="is not among the files that were fetched")


def _changed(file: Path) -> StepFailed:
    return _refetch(file, problem="is not what was attested: it was changed since it was judged")


def _refetch(file: Path, *, problem: str) -> StepFailed:
    return StepFailed(
        where=file.name,
        problem=problem,
        remedy="doit forget fetch_docs, then the same command: they are fetched again",
    )
