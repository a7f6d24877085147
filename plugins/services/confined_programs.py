"""Confined programs: foreign code of this machine, run behind walls and with nothing of ours.

The tree's own programs and tools from a package index go through here, whatever runs them.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.printable import printable
from plugins.services.programs import MachinePrograms, kept_environment
from plugins.services.walls import HOME_INSIDE, Walls

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

    from plugins.services.programs import Program, Slot

__all__ = ["ConfinedPrograms"]

_KEPT: Final = ("PATH",)
_KEPT_OF_NETWORK: Final = (
    "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_FILES_OF_NETWORK: Final = (
    "PIP_CONFIG_FILE", "PIP_FIND_LINKS", "PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)  # fmt: skip
_PIP: Final = (".config/pip", ".pip")
# A shell reports a program that a signal ended as 128 and its number.
_SIGNALS: Final = range(129, 160)


class ConfinedPrograms(MachinePrograms):
    """The Programs port for foreign code; ``walls`` say what it sees."""

    def __init__(
        self,
        walls: Walls,
        say: Callable[[str], None],
        take_slot: Callable[[], Slot | None],
    ) -> None:
        super().__init__(lambda text: say(printable(text)), take_slot)
        self._walls = walls
        self._most_output_bytes = walls.limits.output_bytes
        if walls.network:
            self._walls = Walls(
                walls.means, walls.limits, walls.writes, (*walls.reads, *_pip_files()), network=True
            )

    @contextmanager
    def _started(
        self,
        words: list[str],
        folder: Path,
        env: Mapping[str, str] | None,
        **streams: Any,
    ) -> Iterator[Program]:
        program = self.find(words[0] if os.sep not in words[0] else str(folder / words[0]))
        with ExitStack() as stack:
            home = HOME_INSIDE
            if not self._walls.ends_with_us:
                home = stack.enter_context(tempfile.TemporaryDirectory(prefix="pep101-home-"))
            environment = self._environment(home, env)
            around = words if program is None else self._walls.around(words, program, folder)
            process = stack.enter_context(
                self._start(
                    around,
                    folder,
                    environment,
                    name=Path(words[0]).name,
                    inherits=not self._walls.ends_with_us,
                    **streams,
                )
            )
            if self._walls.ends_with_us:
                from plugins.services.memory_watch import MemoryWatch

                watch = MemoryWatch(process.pid, self._walls.limits, process.kill)
                with watch:
                    yield process
                if watch.exceeded:
                    raise ServiceFailed(
                        service=Path(words[0]).name,
                        action=" ".join(words[1:3]) or "run",
                        problem=f"{watch.exceeded} and was stopped",
                        remedy="find out what it does with them",
                    )
            else:
                yield process

    def _environment(self, home: str, more: Mapping[str, str] | None) -> dict[str, str]:
        network = self._walls.network
        kept = kept_environment((*_KEPT, *(_KEPT_OF_NETWORK if network else ())))
        own = {"HOME": str(Path.home()), "PIP_NO_CACHE_DIR": "1"} if network else {"HOME": home}
        if self._walls.ends_with_us:
            own["TMPDIR"] = "/tmp"  # noqa: S108 - its own
        return {**kept, **own, **(more or {})}

    def _status(self, process: subprocess.Popen[bytes]) -> int:
        status = process.returncode
        return 128 - status if self._walls.means and status in _SIGNALS else int(status)


def _pip_files() -> tuple[Path, ...]:
    """What pip is configured by, and what that names."""
    named = kept_environment(_FILES_OF_NETWORK).values()
    found = [Path(word) for text in named for word in text.split() if word.startswith("/")]
    return (*found, *(Path.home() / name for name in _PIP))
