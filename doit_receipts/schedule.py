"""Schedule: which of the tasks that may begin do so now, and which of them first.

What tasks share is derived from what their calls are given: a value whose class has ``resource``
names something that many may read at once and one alone may change. A step that changes the
release's clone or the world outside has all that it is given to itself, but for what is
``only_read``.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING, Final

from doit_receipts.calls import resources_of
from doit_receipts.frozen import frozen
from doit_receipts.memory import shown_memory
from doit_receipts.task import AMOUNTS, Effect, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from doit_receipts.cores import Cores
    from doit_receipts.task import Task

__all__ = ["Schedule", "chains_s"]

_ALONE: Final = (Effect.CLONE, Effect.SHARED, Effect.PUBLIC)
_CORES, _MEMORY = AMOUNTS
_CLONE: Final = "the clone"
_NOT_KNOWN_S: Final = 1.0


@frozen
class _Claim:
    """What a task needs while it runs."""

    shared: frozenset[str]
    alone: frozenset[str]
    amounts: Mapping[str, int]


class Schedule:
    """Tasks that may begin, and those that run, of which there are never more than ``at_once``.

    ``cores`` has the tokens of those, which others take as well. What an ended task had is for
    those that begin next, and only then for others: a pool would keep it from a longer chain.
    ``free_memory_mb`` is asked when a task that takes memory would begin, and gives None where that
    cannot be known. One that takes more than there is begins when nothing else runs.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        at_once: int,
        *,
        took_s: Mapping[str, float],
        free_memory_mb: Callable[[], int | None] = lambda: None,
        cores: Cores | None = None,
    ) -> None:
        self._cores = cores
        self._left_cores = 0
        self._free_memory_mb = free_memory_mb
        self._shared_mb: int | None = None
        self._tasks = tasks
        self._at_once = at_once
        self._chains_s = chains_s(tasks, took_s)
        self._ready: list[tuple[float, int, str]] = []
        self._held_up: dict[str, list[tuple[float, int, str]]] = defaultdict(list)
        self._readers: Counter[str] = Counter()
        self._writers: set[str] = set()
        self._used: Counter[str] = Counter()
        self._running: dict[str, _Claim] = {}
        self._count = 0

    @property
    def running(self) -> tuple[str, ...]:
        """The tasks that run, in the order in which they began."""
        return tuple(self._running)

    @property
    def has_more(self) -> bool:
        """Whether a task may begin, now or when one that runs has ended."""
        return bool(self._ready or any(self._held_up.values()))

    @property
    def waiting(self) -> tuple[str, ...]:
        """The tasks that may begin and do not run yet."""
        held_up = [entry for entries in self._held_up.values() for entry in entries]
        return tuple(name for _, _, name in (*self._ready, *held_up))

    @property
    def held_up(self) -> dict[str, str]:
        """What each task waits for that others have, in words, and who has it: a part of the
        machine, or what it shares with them.
        """
        return {
            name: self._told(what, name)
            for what, entries in self._held_up.items()
            for _, _, name in entries
        }

    def add(self, name: str) -> None:
        """Everything before the task is done. Of equal chains, the one that came first begins."""
        self._count += 1
        heapq.heappush(self._ready, (-self._chains_s.get(name, 0.0), self._count, name))

    def forget_more(self) -> None:
        """None that does not run yet begins."""
        self._ready.clear()
        self._held_up.clear()

    def begin(self) -> str | None:
        """The task that begins now; None if none can before another one has ended."""
        while self._ready and len(self._running) < self._at_once:
            entry = heapq.heappop(self._ready)
            name = entry[2]
            claim = _claim(self._tasks[name])
            missing = (
                next(self._missing(claim), None)
                or self._missing_memory(claim)
                or self._missing_cores(claim)
            )
            if missing is not None:
                self._held_up[missing].append(entry)
                continue
            self._readers.update(claim.shared)
            self._writers |= claim.alone
            self._used.update(claim.amounts)
            self._running[name] = claim
            return name
        if self._cores is not None:
            self._cores.give_back(self._left_cores)
            self._left_cores = 0
        return None

    def ended(self, name: str) -> None:
        """The task runs no longer, and others may use what it had."""
        claim = self._running.pop(name)
        self._readers.subtract(claim.shared)
        self._writers -= claim.alone
        self._used.subtract(claim.amounts)
        if self._cores is not None:
            # What was killed gave nothing back, and what it had lent has another one already.
            self._left_cores += max(0, self._wanted(claim) + self._cores.left_by(name))
            if not any(map(self._may_have_cores, self._running)):
                self._left_cores = 0
                self._cores.restore()
        for each in (*claim.shared, *claim.alone, *AMOUNTS):
            self._let_on(each)

    def _may_have_cores(self, name: str) -> bool:
        """Whether the task takes cores, or is an act before which gates that do judge again."""
        task = self._tasks[name]
        return _CORES in task.takes or task.signs or task.look is not None

    def look_again(self) -> None:
        """Those that wait for a part of the machine are tried again: others may have left some."""
        for each in AMOUNTS:
            self._let_on(each)

    def _told(self, what: str, name: str) -> str:
        much_mb = _claim(self._tasks[name]).amounts.get(_MEMORY, 0) if what == _MEMORY else 0
        words = f"memory, {shown_memory(much_mb)}" if much_mb else what
        have = [
            each
            for each, claim in self._running.items()
            if what in claim.amounts or what in claim.shared or what in claim.alone
        ]
        if have:
            return f"{words}, {' and '.join(have)} {'has' if len(have) == 1 else 'have'} it"
        return f"{words}, and less is free" if much_mb else words

    def _let_on(self, what: str) -> None:
        for entry in self._held_up.pop(what, ()):
            heapq.heappush(self._ready, entry)

    def _wanted(self, claim: _Claim) -> int:
        assert self._cores is not None  # noqa: S101 - for the type checker
        return min(claim.amounts.get(_CORES, 0), self._cores.count)

    def _missing_cores(self, claim: _Claim) -> str | None:
        """The word for cores if they are not there now; else they are taken."""
        if self._cores is None or _CORES not in claim.amounts:
            return None
        wanted = self._wanted(claim)
        left = min(wanted, self._left_cores)
        taken = self._cores.take(wanted - left)
        if left + taken == wanted:
            self._left_cores -= left
            return None
        self._cores.give_back(taken)
        return _CORES

    def _missing_memory(self, claim: _Claim) -> str | None:
        """The word for memory if too little is there now, by itself or with what others may take.

        What these use already is not there any more, and what they will use still is.
        """
        if _MEMORY not in claim.amounts:
            return None
        wanted_mb, taken_mb = claim.amounts[_MEMORY], self._used[_MEMORY]
        free_mb = self._free_memory_mb()
        if not taken_mb:
            self._shared_mb = free_mb
        if not self._running or free_mb is None or self._shared_mb is None:
            return None
        is_there = wanted_mb <= free_mb and taken_mb + wanted_mb <= self._shared_mb
        return None if is_there else _MEMORY

    def _missing(self, claim: _Claim) -> Iterator[str]:
        """What the task would need and others have."""
        for each in claim.shared:
            if each in self._writers:
                yield each
        for each in claim.alone:
            if each in self._writers or self._readers[each]:
                yield each


def chains_s(tasks: Mapping[str, Task], took_s: Mapping[str, float]) -> dict[str, float]:
    """How long each task and the longest chain behind it take, by what they took before.

    ``tasks`` has each behind all that it waits for. One that was never done counts as the median of
    all others, and a group as nothing: there is nothing to do in it.
    """
    known = [took_s[name] for name in tasks if name in took_s]
    otherwise_s = median(known) if known else _NOT_KNOWN_S
    behind_s: dict[str, float] = {}
    found: dict[str, float] = {}
    for name in reversed(list(tasks)):
        own_s = 0.0 if tasks[name].kind is Kind.GROUP else took_s.get(name, otherwise_s)
        found[name] = own_s + behind_s.get(name, 0.0)
        for each in tasks[name].after:
            behind_s[each] = max(behind_s.get(each, 0.0), found[name])
    return found


def _claim(task: Task) -> _Claim:
    given = resources_of(task.calls)
    if task.effect is Effect.CLONE:
        given[_CLONE] = True
    changes = task.effect in _ALONE
    alone = frozenset(name for name, is_changed in given.items() if changes and is_changed)
    return _Claim(frozenset(given) - alone, alone, task.takes)
