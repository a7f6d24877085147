"""The docs lock: made of what the tree's Doc folder asks for, unless a lock of the series is kept.

The release manager reads it, puts it where release.toml says, and signs it there; it is found
again by every later release of the series, until the tree asks for something else.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.plain_file import read_plain
from doit_receipts.printable import printable
from plugins.model.docs_lock import MOST_BYTES, DocsLock, Pin, digest_of, read_docs_lock
from plugins.model.docs_requirements import REQUIREMENTS, gathered, refuse_building
from plugins.model.docs_source import LOCK_FILE
from plugins.model.pylock import LOCK, NoLock, read_lock
from plugins.ports.docs_python import candidates, left_until, machine_of, python_for, resolved
from plugins.steps.release_clone import input_commit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugins.model.local_settings import Docs
    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress

__all__ = ["kept_now", "make", "pins_of"]

_TREE: Final = f"the tree's Doc/{LOCK}"
_TIMEOUT_S: Final = 1800.0
"""For all of it. pip itself gives up a silent connection, and thirty wheels take a slow line up to
a quarter of an hour."""
_MOST_REPORT: Final = 64 << 20
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def make(
    release: Release,
    clone: Clone,
    docs: Docs,
    programs: Programs,
    progress: Progress,
    *,
    after: str,
) -> dict[str, str]:
    """``made/docs-tools.lock`` names each package of the documentation's tools by its hash.

    It is the kept lock of the series as long as the tree asks for the same and a Python that it
    is for is here; or the one that an earlier run made; or a new one, of the versions that pip
    chooses now. A tree with a lock of its own needs no other. Facts: its digest, and how many
    packages it has. Raises StepFailed for a tree that asks for what has no hash, ServiceFailed if
    pip cannot say.
    """
    made = release.layout.made / LOCK_FILE
    commit = input_commit(clone, after)
    own = clone.read(commit, f"Doc/{LOCK}")
    if own is not None:
        return _as_the_tree_has_it(own, made)
    required = gathered(lambda name: _text(clone.read(commit, f"Doc/{name}")))
    if not required:
        raise StepFailed(
            where="docs tools",
            problem=f"the tree has no Doc/{REQUIREMENTS}",
            remedy="release from a commit that can build its documentation",
        )
    refuse_building(required)
    asked = {**required, **({"": docs.constraints.read_bytes()} if docs.constraints else {})}
    wanted = digest_of(asked)
    pythons = (docs.python,) if docs.python else tuple(candidates(programs))
    machines = {machine_of(python, programs) for python in pythons}
    series = release.version.series
    lock = None
    for place in (docs.lock, made):
        lock = lock or _fresh(place, series, wanted, machines)
    if lock is None:
        progress.say("locking the tree's documentation tools")
        lock = _resolved(series, wanted, (required, docs.constraints), pythons, programs)
    write_whole(made, lock.content)
    return {
        "packages": str(len(lock.pins)),
        "sha256": hashlib.sha256(lock.content).hexdigest(),
        "source": "Doc/requirements.txt",
    }


def kept_now(file: Path | None) -> str:
    """The digest of the lock that is kept; "" if there is none."""
    try:
        return hashlib.sha256(read_plain(file, MOST_BYTES)).hexdigest() if file else ""
    except OSError:
        return ""


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _as_the_tree_has_it(own: bytes, made: Path) -> dict[str, str]:
    """What the tree locks itself was judged with the commit that has it."""
    try:
        content = read_lock(own).requirements.encode()
    except NoLock as error:
        raise StepFailed(
            where=_TREE,
            problem=f"cannot be read as a lock: {error}",
            remedy="have it made again on the branch",
        ) from error
    write_whole(made, content)
    sha256 = hashlib.sha256(content).hexdigest()
    return {"packages": str(content.count(b"\n")), "sha256": sha256, "source": f"Doc/{LOCK}"}


def _fresh(place: Path | None, series: str, wanted: str, machines: set[str]) -> DocsLock | None:
    """The lock in that place, if it is one of this series and made of what is wanted."""
    try:
        if place is None:
            return None
        lock = read_docs_lock(read_plain(place, MOST_BYTES))
    except (OSError, NoLock):
        return None
    same = lock.series == series and lock.required == wanted and lock.machine in machines
    return lock if same else None


def _resolved(
    series: str,
    wanted: str,
    asked: tuple[Mapping[str, bytes], Path | None],
    pythons: Sequence[Path],
    programs: Programs,
) -> DocsLock:
    """What pip would install now, by hash; nothing is installed, and no package's code runs."""
    required, constraints = asked
    with tempfile.TemporaryDirectory(prefix="pep101-") as room:
        doc = Path(room) / "Doc"
        for name, content in required.items():
            write_whole(doc / name, content)
        requirements = doc / REQUIREMENTS
        until_s = time.monotonic() + _TIMEOUT_S
        try:
            # Asked once for both: the answer is what is locked.
            chosen = python_for(
                requirements, programs, constraints=constraints, among=pythons, until_s=until_s
            )
            if chosen.python is None:
                raise StepFailed(
                    where=f"the tree's Doc/{REQUIREMENTS}",
                    problem=chosen.problem,
                    remedy=chosen.remedy,
                )
            machine = machine_of(chosen.python, programs)
            if chosen.report:
                return DocsLock(series, machine, wanted, tuple(pins_of(chosen.report)))
            left_s = left_until(until_s)
            ended = resolved(chosen.python, requirements, constraints, programs, timeout_s=left_s)
        except ServiceFailed as error:
            if error.service != "pip":
                raise
            problem = error.problem.rpartition(": ")[2]
            raise _not_locked(problem, error.details) from error
    if ended.status:
        last = tuple(ended.stderr.splitlines()[-5:])
        problem = f"ended with status {ended.status}"
        raise _not_locked(problem, last)
    return DocsLock(series, machine, wanted, tuple(pins_of(ended.stdout)))


def _not_locked(problem: str, details: tuple[str, ...]) -> ServiceFailed:
    return ServiceFailed(
        service="pip",
        action=f"lock the tree's Doc/{REQUIREMENTS}",
        problem=problem,
        remedy="read the last lines of pip's output; check the network, or pin the packages in "
        "conflict by [docs] constraints in release.toml",
        details=details,
    )


def pins_of(report: str) -> list[Pin]:
    """The packages of pip's report. Raises StepFailed for one that no hash can name.

    Source: pip's installation report, version 1; its download_info is that of PEP 610.
    """
    try:
        found = json.loads(report[:_MOST_REPORT])
        packages = [_pin(each) for each in found["install"]]
        if not packages:
            message = "it names no package"
            raise NoLock(message)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise StepFailed(
            where="docs tools",
            problem=f"what pip reports of them cannot be read: {str(error)[:80]}",
            remedy="install a newer pip into this tool's environment",
        ) from error
    return packages


def _pin(package: Mapping[str, Any]) -> Pin:
    name, version = (str(package["metadata"][key]) for key in ("name", "version"))
    download = package["download_info"]
    archive = download.get("archive_info", {})
    digest = str(archive.get("hashes", {}).get("sha256", ""))
    pin = Pin(name, version, digest)
    if not _SHA256.fullmatch(digest) or not str(download["url"]).endswith(".whl"):
        raise StepFailed(
            where="docs tools",
            problem=f"{printable(name[:60])} would come from"
            f" {printable(str(download['url'])[:200])}, which is not a wheel with a sha256",
            remedy="have the branch require a version that the package index has as a wheel",
        )
    lock = DocsLock("3.0", "any", "0" * 64, (pin,))
    read_docs_lock(lock.content)
    return pin


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")
