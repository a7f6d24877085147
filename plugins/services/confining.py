"""Confining: how foreign code is started behind walls, with nothing of ours, and watched.

The tree's own programs and tools from a package index go through here, whatever runs them.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from doit_receipts.errors import ServiceFailed
from doit_receipts.frozen import frozen
from plugins.ports.foreign_folder import foreign_folder
from plugins.services.program_words import program_and_act
from plugins.services.walls import HOME_INSIDE, Walls, filters_of, with_filters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

__all__ = ["Confining"]

_KEPT: Final = ("PATH",)
_FILES_OF_NETWORK: Final = (
    "PIP_CONFIG_FILE", "PIP_FIND_LINKS", "PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)  # fmt: skip
_KEPT_OF_NETWORK: Final = (
    *_FILES_OF_NETWORK, "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_PIP: Final = (".config/pip", ".pip")
# A shell reports a program that a signal ended as 128 and its number.
_SIGNALS: Final = range(129, 160)


class _Process(Protocol):
    pid: int

    def kill(self) -> None: ...


@frozen
class Confining:
    """One kind of foreign program: its walls, and what we keep of its environment by name."""

    walls: Walls
    kept: Callable[[Sequence[str]], dict[str, str]]

    @property
    def inherits(self) -> bool:
        """Whether the program has to hold our lock, since the kernel does not end it with us."""
        return not self.walls.ends_with_us

    def filtered(self) -> AbstractContextManager[tuple[int, ...]]:
        """The descriptors of filters of calls, which the program has to inherit."""
        return filters_of(self.walls.means)

    def words(
        self, words: Sequence[str], program: Path | None, folder: Path, filters: Sequence[int] = ()
    ) -> list[str]:
        """What is started in place of ``words``; where there is no program, those words."""
        if program is None:
            return list(words)
        walls = self.walls
        if walls.network:
            walls = replace(walls, reads=(*walls.reads, *self._files_of_pip()))
        return with_filters(walls.around(words, program, folder), filters)

    @contextmanager
    def environment(self, more: Mapping[str, str] | None) -> Iterator[dict[str, str]]:
        """What the program sees while the block lasts: an empty home, and no secret."""
        network = self.walls.network
        kept = self.kept((*_KEPT, *(_KEPT_OF_NETWORK if network else ())))
        if network:
            # pip finds its configuration there, and nothing else is there.
            own = {"HOME": str(Path.home()), "PIP_NO_CACHE_DIR": "1"}
        elif self.walls.ends_with_us:
            own = {"HOME": HOME_INSIDE}
        else:
            with foreign_folder("pep101-home-") as home:
                yield {**kept, "HOME": str(home), **(more or {})}
            return
        if self.walls.ends_with_us:
            own["TMPDIR"] = "/tmp"  # noqa: S108 - its own
        yield {**kept, **own, **(more or {})}

    @contextmanager
    def watched(self, process: _Process, words: Sequence[str]) -> Iterator[None]:
        """The process is ended if it uses too much; raises ServiceFailed at the end if it was."""
        if not self.walls.ends_with_us:
            yield
            return
        # threading is late: listing tasks never runs a program
        from plugins.services.memory_watch import MemoryWatch

        watch = MemoryWatch(process.pid, self.walls.limits, process.kill)
        with watch:
            yield
        if watch.exceeded:
            name, act = program_and_act(words)
            raise ServiceFailed(
                service=name,
                action=act,
                problem=f"{watch.exceeded} and was stopped",
                remedy="find out what it does with them",
            )

    def status(self, status: int) -> int:
        """How the program ended; the number of a signal is negative."""
        return 128 - status if self.walls.means and status in _SIGNALS else status

    def _files_of_pip(self) -> tuple[Path, ...]:
        """What pip is configured by, and what that names."""
        kept = self.kept(_FILES_OF_NETWORK)
        named = " ".join(kept.get(name, "") for name in _FILES_OF_NETWORK).split()
        found = [Path(word) for word in named if word.startswith("/")]
        return (*found, *(Path.home() / name for name in _PIP))
