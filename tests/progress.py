"""Progress of long work for tests: nobody watches, or the test reads it afterwards."""

from __future__ import annotations

__all__ = ["Heard", "Quiet"]


class Quiet:
    """Progress that nobody watches."""

    def say(self, text: str) -> None:
        pass


class Heard:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)
