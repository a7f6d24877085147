"""Train day: several toy releases and their one world, as Day has one release and its world.

All of them are run in one process, one after another, as ``doit train publish`` does it, and of
each one task at a time (PEP101_AT_ONCE says another number).
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from plugins.model.version import Version
from plugins.rehearsal.trains import make_train
from tests.ended import Ended
from tests.export.toy import TOOLS, copy
from tests.in_memory import folder_in_memory
from tests.moments import IN_ORDER, at_once
from tests.publish.day import WAITING, Day, _put
from tests.publish.starter import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import pytest

__all__ = ["TrainDay", "train_day"]

_MOST_ROUNDS: Final = 20


class TrainDay(Day):
    """The releases of one day from their exports to the announcement of all."""

    def __init__(
        self, folder: Path, tools: Path, versions: Sequence[str], hour: datetime | None = None
    ) -> None:
        self.versions = versions
        parsed = [Version.parse(each) for each in versions]
        super().__init__(folder, tools, str(min(parsed)))
        self.train = make_train(folder, parsed, not_before=hour)
        self.declarations = [folder / f"{each}.toml" for each in versions]
        self.works = [folder / "build" / each for each in versions]
        for work in self.works:
            work.mkdir(parents=True, exist_ok=True)
            if not (work / TOOLS).exists():
                copy(self.toy.tools, work / TOOLS)
        self.work = folder / "build"

    # ── moments ────────────────────────────────────────────────────────────────────────────

    def save(self, name: str) -> None:
        """Keep world and releases as they are now, under a name."""
        target = self._saved / name
        target.mkdir()
        _put(self.world, target / "world")
        for work in self.works:
            _put(work, target / work.name)
        for file in (self.train, *self.declarations):
            copy(file, target)

    def restore(self, name: str) -> None:
        """World and releases are as they were when they were saved; the world answers."""
        self.stop_world()
        source = self._saved / name
        _put(source / "world", self.world)
        for work in self.works:
            _put(source / work.name, work)
        for file in (self.train, *self.declarations):
            copy(source / file.name, self.folder)
        self.start_world()

    # ── acting ─────────────────────────────────────────────────────────────────────────────

    def doit(
        self, *words: str, records: int = 0, at: str = "", full: str = "", kind: str = "doit",
        seen: bool = False,
    ) -> Ended:  # fmt: skip
        """Run a doit command for each release to its end, or until its kill; see ``Day.doit``."""
        if kind == "people":
            return [self._asked([f"--release={each}"], kind) for each in self.declarations][-1]
        if words[0] in ("adopt", "retry"):  # of an email, and the first release sends them for all
            return self.alone(self.versions[0], *words)
        given = ["train", f"--train={self.train}", *at_once(words, IN_ORDER)]
        return self._asked(given, kind, records, at, full, seen=seen)

    def _asked(
        self, words: list[str], kind: str, records: int = 0, at: str = "", full: str = "",
        *, seen: bool = False,
    ) -> Ended:  # fmt: skip
        out, err = self.folder / "out", self.folder / "err"
        asked = Asked(
            words, self._now.isoformat(), str(self.store.folder), str(out), str(err), records,
            at, full, str(self._report) if seen else "", f"{self.work}/",
        )  # fmt: skip
        status = self._told(asked.line(kind))
        return Ended(status, out.read_text(), err.read_text())

    def alone(self, version: str, *words: str) -> Ended:
        """Run a doit command for one release only."""
        return self._asked(
            [*at_once(words, IN_ORDER), f"--release={self.folder / version}.toml"], "doit"
        )

    def go_on(self, until: Callable[[Ended], bool] = lambda _: False) -> Ended:
        """Publish, and let people do what is asked of them, until all is done or it fails."""
        ended = self.publish()
        for _ in range(_MOST_ROUNDS):
            if ended.status != WAITING or until(ended):
                break
            self.let_people_act()
            ended = self.publish()
        return ended

    def declare_hour(self, text: str) -> None:
        """Edit the hour of train.toml as a person would; "" for none."""
        told = re.sub(r"(?m)^not_before.*\n", "", self.train.read_text())
        self.train.write_text(f"{told}{text}")


@contextmanager
def train_day(
    temporary: pytest.TempPathFactory, versions: Sequence[str], hour: datetime | None = None
) -> Iterator[TrainDay]:
    """A train's day whose world answers, in memory where there is some; nothing of it is left."""
    base = temporary.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = folder_in_memory("train", base)
    made = TrainDay(folder, shared / "docs-tools", versions, hour)
    try:
        made.start_world()
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)
