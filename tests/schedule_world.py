"""A schedule as python/peps keeps it, the real one where it is at hand, and a repository of it."""

from __future__ import annotations

from copy import copy
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from plugins.model.schedule import SCHEDULE_FILE
from plugins.ports.github import Pull
from plugins.rehearsal import peps
from plugins.rehearsal.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.version import Version

__all__ = ["DUE", "Repository", "a_repository", "real_schedule"]

DUE: Final = date(2026, 10, 6)
"""The day that the schedules of tests expect their release on."""

_PLACES: Final = [each / "shared" for each in Path(__file__).resolve().parents]


def real_schedule() -> str:
    """The text of the real file of August 2026, which is kept beside the checkout."""
    found = [each / "data" / "python-releases.toml" for each in _PLACES]
    file = next((each for each in found if each.is_file()), None)
    if file is None:
        pytest.skip("the real python-releases.toml is not beside this checkout")
    return file.read_bytes().decode()


class Repository:
    """The Proposals port over texts in memory: the main branch, others, and one pull request."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.branches: dict[str, dict[str, bytes]] = {
            "": {path: text.encode() for path, text in texts.items()}
        }
        self.opened: Pull | None = None
        self.titles: list[str] = []
        self.bodies: list[str] = []
        self.begun: dict[str, dict[str, bytes]] = {}
        """What each branch began with."""
        self._top = self
        self._main: dict[str, bytes] | None = None

    def pinned(self) -> Repository:
        held = copy(self)
        held._main = dict(self.branches[""])
        return held

    def text(self, path: str, ref: str = "") -> bytes | None:
        return self._texts(ref).get(path)

    def names(self, folder: str, ref: str = "") -> tuple[str, ...]:
        found = (path.rpartition("/") for path in self._texts(ref))
        return tuple(sorted(name for above, _, name in found if above == folder))

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self._texts("")))

    def may_propose(self) -> bool:
        return True

    def pull(self, branch: str) -> Pull | None:  # noqa: ARG002 - as the port has it
        return self._top.opened

    def propose(self, branch: str, files: Mapping[str, bytes], title: str, body: str) -> Pull:
        self.begun.setdefault(branch, dict(self._texts("")))
        self.branches.setdefault(branch, dict(self.begun[branch])).update(files)
        self.titles.append(title)
        self.bodies.append(body)
        self._top.opened = self._top.opened or Pull(
            5076, "https://github.com/python/peps/pull/5076", "open", ""
        )
        return self._top.opened

    def _texts(self, ref: str) -> dict[str, bytes]:
        is_held = not ref and self._main is not None
        return self._main or {} if is_held else self.branches.get(ref, {})

    def ends(self, state: str, branch: str = "") -> None:
        """The pull request is merged, with what its branch has, or closed without that."""
        assert self.opened is not None
        self.opened = Pull(self.opened.number, self.opened.url, state, "")
        if state == "merged":
            self.branches[""].update(self.branches[branch])

    def edit(self, old: str, new: str, *, path: str = SCHEDULE_FILE, ref: str = "") -> None:
        """Somebody else changes a text."""
        before = self.branches[ref][path].decode()
        assert old in before
        self.branches[ref][path] = before.replace(old, new).encode()


def a_repository(folder: Path, version: Version, day: date = DUE) -> Repository:
    """The rehearsed repository, in which the release is expected on the day."""
    store = Store(folder / "store")
    store.save("github", {"texts": {}, "pulls": [], "branches": {}})
    peps.seed(store, version, day)
    texts = store.load("github", {})["texts"]
    return Repository({path.removeprefix("python/peps/"): text for path, text in texts.items()})
