"""Accounts of an ssh host: who we are there, and the names and numbers of users and groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Accounts"]


class Accounts:
    """What ``id`` says there; whom it does not name, ``look_up`` is asked for.

    ``look_up`` gets ``passwd`` or ``group`` and a name or number, and gives a line of that
    database, or "". Raises ValueError for an ``id`` that says nothing of us.
    """

    def __init__(self, said: str, look_up: Callable[[str, str], str]) -> None:
        user = re.search(r"uid=(\d+)(?:\(([^)]*)\))?", said)
        if user is None:
            raise ValueError(said)
        self._look_up = look_up
        self.number = int(user[1])
        self.name = user[2] or user[1]
        found = re.findall(r"(\d+)\(([^)]*)\)", said.partition(" gid=")[2])
        self.groups: Mapping[str, int] = {name: int(number) for number, name in found}
        self._names = {("passwd", self.number): self.name}
        self._names |= {("group", number): name for name, number in self.groups.items()}

    def group_number(self, group: str) -> int | None:
        """The number of a group; None if the host has no such group."""
        if group in self.groups:
            return self.groups[group]
        found = re.match(r"[^:]*:[^:]*:(\d+):", self._look_up("group", group))
        return int(found[1]) if found else None

    def name_of(self, database: str, number: int) -> str:
        """The name of a user (``passwd``) or a ``group``; its number if it has none."""
        key = database, number
        if key not in self._names:
            line = self._look_up(database, str(number))
            self._names[key] = line.partition(":")[0] or str(number)
        return self._names[key]

    def user_number(self, name: str) -> int:
        """The number of a user that was seen before, else ours."""
        for (database, number), known in self._names.items():
            if database == "passwd" and known == name:
                return number
        return self.number
