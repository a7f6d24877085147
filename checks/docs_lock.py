"""Docs lock: whether the documentation's tools are named by hash, and the RM signed the list."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.artifact import sha256_of
from doit_receipts.finding import Finding, Severity
from plugins.model.docs_lock import MOST_BYTES, changes, read_docs_lock
from plugins.model.pylock import LOCK, NoLock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doit_receipts.artifact import Artifact
    from plugins.model.docs_lock import Pin
    from plugins.model.release import Release
    from plugins.ports.git import Base
    from plugins.ports.signing import Signer

__all__ = ["lock_is_approved", "tools_are_locked"]

_SHOWN: Final = 6


@judges("docs.unlocked", blind="clone.unreadable")
def tools_are_locked(release: Release, base: Base, lock: Path | None) -> tuple[Finding, ...]:
    """Each package that builds the documentation is named by its hash, by the tree or by us.

    The tree of a rehearsal is our own, and so is what it asks for.
    """
    if lock is not None or release.rehearsal:
        return ()
    if base.text(base.commit(), f"Doc/{LOCK}") is not None:
        return ()
    return (
        Finding(
            "docs.unlocked",
            Severity.WARN,
            "pins versions without hashes, so the documentation is built with whatever the "
            "package index serves that day",
            where="the tree's Doc/requirements.txt",
            remedy=f'write lock = "docs-tools-{release.version.series}.lock" below [docs] in '
            "release.toml",
        ),
    )


@judges("docs.unapproved", blind="docs.unapproved")
def lock_is_approved(
    release: Release, made: Artifact, kept: Path | None, source: str, signer: Signer
) -> tuple[Finding, ...]:
    """The release manager signed the lock that was ``made``, and it is kept for later releases.

    ``source`` is the file of the tree that it was made of; a lock of the tree itself was
    approved with the tree. What is verified are the bytes that were read and compared.
    """
    if kept is None or source == f"Doc/{LOCK}":
        return ()
    raw = made.path.read_bytes()
    where = f"the lock {made.path.relative_to(release.layout.work)}"
    try:
        lock = read_docs_lock(raw)
    except NoLock as error:
        again = "run doit forget lock_docs_tools, then the same command again"
        return (_unapproved(where, f"cannot be read: {error}", again),)
    if hashlib.sha256(raw).hexdigest() != made.sha256:
        return (_unapproved(where, "was changed just now", "run the same command again"),)
    with tempfile.TemporaryDirectory(prefix="pep101-") as room:
        copy = Path(room) / made.path.name
        copy.write_bytes(raw)
        signed = signer.verify(copy, kept.with_name(f"{kept.name}.asc"))
    is_kept = kept.is_file() and sha256_of(kept) == made.sha256
    if is_kept and not signed.problem:
        return ()
    if not is_kept:
        differs = list(changes(_pins_of(kept), lock.pins)) if kept.is_file() else []
        more = f" and {len(differs) - _SHOWN} more" if len(differs) > _SHOWN else ""
        changed = f": {'; '.join(differs[:_SHOWN])}{more}" if differs else ""
        problem = f"(packages of {source}: {len(lock.pins)}) is not kept yet{changed}"
    else:
        problem = f"(packages: {len(lock.pins)}) is not signed by you: {signed.problem}"
    keys = signer.keys()
    home = next((key.home for key in keys if key.fingerprint == signer.fingerprint), "")
    put = ["cp", str(made.path), str(kept)]
    sign = ["gpg", *(["--homedir", home] if home else []), "--yes", "--local-user"]
    sign += [signer.fingerprint, "--armor", "--detach-sign", str(kept)]
    remedy = f"read it, then: {shlex.join(put)} && {shlex.join(sign)}"
    return (_unapproved(where, problem, remedy),)


def _unapproved(where: str, problem: str, remedy: str) -> Finding:
    return Finding("docs.unapproved", Severity.BLOCK, problem, where, remedy)


def _pins_of(kept: Path) -> Sequence[Pin]:
    """What is kept, as far as it can be read."""
    try:
        return read_docs_lock(kept.read_bytes()[: MOST_BYTES + 1]).pins
    except NoLock:
        return ()
