"""Programs of this machine: run without a shell, in a neutral environment, with a log."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.printable import printable
from plugins.ports.programs import Completed, Confinement
from plugins.services.environment import kept_environment, neutral_environment
from plugins.services.own_process import hide_memory
from plugins.services.process import CollectedOutput, Program
from plugins.services.program_words import program_and_act

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from plugins.services.confining import Confining
    from plugins.services.process import Slot
    from plugins.services.walls import Limits

__all__ = ["MachinePrograms"]

_VERSION_ARGUMENTS: Final = {"ssh": ("-V",), "zip": ("-v",)}
_PROBE_TIMEOUT_S: Final = 30.0
# Between closing its end of a pipe and its end; an error waits for it, nothing else does.
_LAST_BREATH_S: Final = 5.0


class MachinePrograms:
    """The Programs port over this machine; ``say`` gets each line for the step's log.

    ``may_be_unconfined`` is asked where foreign code cannot be confined; ``limits`` are those of
    confined programs, by default those of this machine. ``confining`` confines all of them.
    Each program has a slot, where ``take_slot`` gives one. It leads a session of its own: it can
    ask nothing on our terminal, and when it is stopped, so is all that it started.
    """

    together: Final = True
    """Several may ask at once: each program is a process of its own."""

    def __init__(
        self,
        say: Callable[[str], None] | None = None,
        take_slot: Callable[[], Slot | None] = lambda: None,
        *,
        may_be_unconfined: Callable[[], bool] = lambda: True,
        limits: Limits | None = None,
        confining: Confining | None = None,
    ) -> None:
        self._say = say or _discard
        self._take_slot = take_slot
        self._may_be_unconfined = may_be_unconfined
        self._limits = limits
        self._confining = confining
        self._most_output_bytes = confining.walls.limits.output_bytes if confining else sys.maxsize
        self._versions: dict[str, str] = {}
        self._confinement: Confinement | None = None

    def __repr__(self) -> str:
        return "programs"

    def find(self, name: str) -> Path | None:
        """Where the program is on PATH, or None."""
        found = shutil.which(name)
        return Path(found) if found else None

    def version(self, name: str) -> str:
        """The first dotted number of ``name --version``; asked once; "" if there is none."""
        if name not in self._versions:
            self._versions[name] = self._ask_version(name)
        return self._versions[name]

    def _ask_version(self, name: str) -> str:
        if self.find(name) is None:
            return ""
        argv = [name, *_VERSION_ARGUMENTS.get(name, ("--version",))]
        ended = subprocess.run(
            argv, check=False, capture_output=True, text=True, env=neutral_environment(),
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        found = re.search(r"\d+(?:\.\d+)+[a-z0-9.]*", ended.stdout + ended.stderr)
        return found[0] if found else ""

    def confinement(self) -> Confinement:
        """See the port. What was found once is not tried again."""
        if self._confinement is None or not self._confinement.means:
            self._confinement = _confinement_here()
        return self._confinement

    def confined(
        self, *, writes: Sequence[Path] = (), reads: Sequence[Path] = (), network: bool = False
    ) -> MachinePrograms:
        """See the port."""
        from plugins.services.confining import Confining
        from plugins.services.walls import Limits, Walls

        found = self.confinement()
        if not found.means and not self._may_be_unconfined():
            raise ServiceFailed(
                service="confinement",
                action="run foreign code",
                problem=found.problem,
                remedy=found.remedy,
            )
        limits = self._limits or Limits.of_this_machine()
        walls = Walls(found.means, limits, tuple(writes), tuple(reads), network=network)
        say = self._say
        return MachinePrograms(
            lambda text: say(printable(text)),
            self._take_slot,
            may_be_unconfined=self._may_be_unconfined,
            limits=limits,
            confining=Confining(walls, kept_environment),
        )

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout_s: float | None = None,
        check: bool = True,
        descriptors: Sequence[int] = (),
    ) -> Completed:
        """Run to the end; see the port. Output reaches the log line by line while it runs."""
        words = [os.fspath(word) for word in argv]
        self._say(f"$ {_shown(words)}")
        with self._started(
            words, folder, env,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=tuple(descriptors),
        ) as process:  # fmt: skip
            output = CollectedOutput(process, self._say, most_bytes=self._most_output_bytes)
            try:
                if process.stdin is not None:
                    _feed(process.stdin, stdin)
                process.wait(timeout_s)
            except subprocess.TimeoutExpired as error:
                process.kill()
                output.finish()
                name, act = program_and_act(words)
                raise ServiceFailed(
                    service=name,
                    action=act,
                    problem=f"did not end within {timeout_s:g} s and was stopped",
                    remedy="run the same command again when this machine and its network are less "
                    "busy",
                    details=output.last_lines(),
                ) from error
            output.finish()
        self._see_bounded(words, output)
        completed = Completed(self._status(process), *output.texts())
        if check and completed.status:
            raise _failed(words, completed.status, output.last_lines())
        return completed

    @contextmanager
    def pipe(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] | None = None,
        stdout: int | IO[bytes] | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run beside us; see the port. Its standard error goes to the log at the end."""
        words = [os.fspath(word) for word in argv]
        self._say(f"$ {_shown(words)}")
        with self._started(
            words, folder, env,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.DEVNULL if stdout is None else stdout,
            stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            errors = CollectedOutput(
                process, self._say, only_errors=True, most_bytes=self._most_output_bytes
            )
            try:
                yield process
                if process.stdin is not None and not process.stdin.closed:
                    process.stdin.close()
                process.wait()
            except BrokenPipeError as error:
                # The broken pipe only shows that the program ended; its status shows why.
                deaf = _ends_by_itself(process)
                if deaf is None or process.stdin is None:
                    raise
                errors.finish()
                raise _failed(
                    words, deaf, errors.last_lines(), "ended before it had read everything"
                ) from error
            except BaseException:
                process.kill()
                raise
            finally:
                errors.finish()
        self._see_bounded(words, errors)
        if status := self._status(process):
            raise _failed(words, status, errors.last_lines())

    def _see_bounded(self, words: list[str], output: CollectedOutput) -> None:
        if output.exceeded:
            name, act = program_and_act(words)
            problem = f"wrote more than {self._most_output_bytes >> 20} MB and was stopped"
            raise ServiceFailed(
                service=name,
                action=act,
                problem=problem,
                remedy="mend the program that it is of, then run the same command again; "
                "what it wrote begins in the log",
            )

    def _status(self, process: subprocess.Popen[bytes]) -> int:
        """How it ended; the number of a signal is negative."""
        status = process.returncode
        return self._confining.status(status) if self._confining else status

    def _started(
        self, words: list[str], folder: Path, env: Mapping[str, str] | None, **streams: Any
    ) -> AbstractContextManager[Program]:
        if self._confining is not None:
            return self._confined_start(self._confining, words, folder, env, **streams)
        return self._start(words, folder, neutral_environment(env), **streams)

    @contextmanager
    def _confined_start(
        self,
        confining: Confining,
        words: list[str],
        folder: Path,
        env: Mapping[str, str] | None,
        **streams: Any,
    ) -> Iterator[Program]:
        # A path is one of the folder that it runs in, and a bare name one of PATH.
        program = self.find(str(folder / words[0]) if os.sep in words[0] else words[0])
        with (
            confining.filtered() as filters,
            confining.environment(env) as environment,
            self._start(
                confining.words(words, program, folder, filters),
                folder,
                environment,
                name=Path(words[0]).name,
                inherits=confining.inherits,
                **{**streams, "pass_fds": (*streams.get("pass_fds", ()), *filters)},
            ) as process,
            confining.watched(process, words),
        ):
            yield process

    def _start(
        self,
        words: list[str],
        folder: Path,
        env: dict[str, str],
        *,
        name: str = "",
        inherits: bool = True,
        **streams: Any,
    ) -> Program:
        """The program runs; what ``inherits`` nothing of the run's lock has to end with us."""
        hide_memory()
        slot = self._take_slot()
        try:
            return Program(
                words, slot, name=name or Path(words[0]).name, inherits=inherits, cwd=folder,
                env=env, umask=0o022, start_new_session=True, **streams,
            )  # fmt: skip
        except FileNotFoundError as error:
            if not folder.is_dir():
                raise ServiceFailed(
                    service=name or words[0],
                    action="start",
                    problem=f"the folder {folder} does not exist",
                    remedy="put it back, or have the task that makes it run again",
                ) from error
            raise ServiceFailed(
                service=words[0],
                action="start",
                problem="not found on PATH",
                remedy=f"install {words[0]}, then run the same command again",
            ) from error
        except PermissionError as error:
            place = error.filename or words[0]
            raise ServiceFailed(
                service=name or words[0],
                action="start",
                problem=f"{place}: permission denied",
                remedy="give your account the right to use it (chmod u+rx), "
                "then run the same command again",
            ) from error


def _confinement_here() -> Confinement:
    from plugins.services import walls

    means, trial = walls.trial()
    if shutil.which(means) is None:
        return walls.missing(means)
    try:
        with walls.filters_of(means) as filters:
            tried = subprocess.run(
                walls.with_filters(trial, filters), check=False, capture_output=True, text=True,
                errors="replace", env={}, stdin=subprocess.DEVNULL, timeout=_PROBE_TIMEOUT_S,
                pass_fds=filters,
            )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return walls.refused(means, str(error))
    if tried.returncode:
        return walls.refused(means, tried.stderr or f"it ended with status {tried.returncode}")
    return Confinement(means)


def _feed(stream: IO[bytes], content: bytes) -> None:
    # A program may end without reading all; its status says whether that was right.
    try:
        stream.write(content)
        stream.close()
    except BrokenPipeError:
        pass


def _ends_by_itself(process: subprocess.Popen[bytes]) -> int | None:
    """The status of a program that needs nothing more to end; None for one that was ended."""
    try:
        return process.wait(_LAST_BREATH_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return None


def _failed(
    words: list[str], status: int, lines: tuple[str, ...], well: str = "ended with status 0"
) -> ServiceFailed:
    name, act = program_and_act(words)
    if status < 0:
        problem = f"was ended by {signal.Signals(-status).name}"
        remedy = "see whether memory ran out or somebody ended it, then run the same command again"
    else:
        problem = f"ended with status {status}" if status else well
        remedy = "see what it reports, then run the same command again"
    return ServiceFailed(
        service=name, action=act, problem=problem,
        remedy=remedy, details=lines,
    )  # fmt: skip


def _shown(words: Sequence[str]) -> str:
    import shlex

    return shlex.join(words)


def _discard(_text: str) -> None:
    """Forget the line."""
