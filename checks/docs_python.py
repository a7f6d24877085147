"""Docs Python: whether a Python is here that can run the tree's documentation tools."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from plugins.model.docs_requirements import REQUIREMENTS, gathered, refuse_building
from plugins.model.pylock import LOCK, NoLock, read_lock
from plugins.ports.docs_python import PythonFound, python_for

if TYPE_CHECKING:
    from plugins.model.local_settings import Docs
    from plugins.model.pylock import Locked
    from plugins.model.release import Release
    from plugins.ports.git import Base
    from plugins.ports.programs import Programs

__all__ = ["docs_python_is_here"]


@judges("docs.python", blind="clone.unreadable")
def docs_python_is_here(
    release: Release,  # noqa: ARG001 - every check of a clone takes it
    base: Base,
    programs: Programs,
    docs: Docs,
) -> tuple[Finding, ...]:
    """Some Python of this machine can run the tree's own documentation tools.

    Each release needs them, if only for the topics of pydoc. A Python that release.toml names is
    the only one.
    """
    commit = base.commit()
    with tempfile.TemporaryDirectory(prefix="pep101-") as room:
        doc = Path(room) / "Doc"
        locked = _locked(base.text(commit, f"Doc/{LOCK}"))
        if locked is not None:
            write_whole(doc / REQUIREMENTS, locked.requirements.encode())
        else:
            required = gathered(lambda name: base.text(commit, f"Doc/{name}"))
            for name, content in required.items():
                write_whole(doc / name, content)
            if not required:
                return ()
            try:
                refuse_building(required)
            except StepFailed as error:
                found = PythonFound(None, error.problem, error.remedy)
                return (_blocks(found, error.where),)
        found = python_for(
            doc / REQUIREMENTS,
            programs,
            constraints=docs.constraints,
            among=(docs.python,) if docs.python else (),
            least_minor=locked.least_minor if locked is not None else 0,
            locked=locked is not None,
        )
    if found.python is not None:
        return ()
    where = f"the tree's Doc/{LOCK if locked is not None else REQUIREMENTS}"
    return (_blocks(found, where),)


def _blocks(found: PythonFound, where: str) -> Finding:
    return Finding("docs.python", Severity.BLOCK, found.problem, where, found.remedy)


def _locked(text: str | None) -> Locked | None:
    """What a lock of the tree says; a lock that cannot be read is the step's to report."""
    try:
        return read_lock(text.encode()) if text is not None else None
    except NoLock:
        return None
