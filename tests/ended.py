"""Ended commands, as tests that watch doit from outside judge them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Ended"]

_TRIED: Final = re.compile(r"^([+x~!]) (\w+)", flags=re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended: its status, or the signal as a negative number, and what it said.

    Where both streams went to one file, ``out`` has them.
    """

    status: int
    out: str
    err: str = ""

    @property
    def said(self) -> str:
        """All that a person sees."""
        return self.out + self.err

    @property
    def done(self) -> list[str]:
        """The tasks that were done, in order."""
        return self._tried("+")

    @property
    def failed(self) -> list[str]:
        """The tasks that failed or were blocked."""
        return self._tried("x!")

    @property
    def waiting(self) -> list[str]:
        """The tasks that wait for somebody."""
        return self._tried("~")

    @property
    def not_done(self) -> list[str]:
        """The tasks that were tried and failed, were blocked, or wait for somebody."""
        return self._tried("x~!")

    def line_of(self, task: str) -> str:
        """The one line about a task."""
        lines = [line for line in self.out.splitlines() if line[2:].startswith(f"{task} ")]
        (found,) = [line for line in lines if line[0] in "+x~!"]
        return found

    def _tried(self, signs: str) -> list[str]:
        return [name for sign, name in _TRIED.findall(self.out) if sign in signs]
