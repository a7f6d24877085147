"""Compressing: one stream of bytes through several programs at once, each into a file of its own.

The programs run side by side, sums are taken of what they give while it passes, and the files
appear together when all is well, or none does.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack, contextmanager
from queue import Queue
from threading import Thread
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from doit_receipts.artifact import Artifact
from doit_receipts.durable import replacing
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.content import Content
from plugins.ports.programs import PIPE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from plugins.ports.programs import Programs

__all__ = ["Compressed", "Compressor", "compress"]

_PIECE_BYTES: Final = 1 << 18
_LAG_PIECES: Final = 128
"""How far one program may lag behind another: 32 MB, or what that many large files are."""


@frozen
class Compressor:
    """A program that compresses its standard input to its standard output.

    ``niceness`` is how far it steps back behind the others: the quick one fills what the slow
    one leaves of the processors, to the end.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    niceness: int = 0


@frozen
class Compressed:
    """The stream that was compressed, and the files that hold it in the order asked for."""

    stream: Content
    artifacts: tuple[Artifact, ...]


def compress(
    pieces: Iterable[bytes], wanted: Mapping[Path, Compressor], programs: Programs
) -> Compressed:
    """Each wanted file holds all pieces, as its compressor gives them.

    The slowest program sets the pace; what it has not read yet is in memory, and that is
    bounded. On any error no file appears, and those of before stay. Raises StepFailed if a file
    cannot be written, ServiceFailed if a program fails.
    """
    digest, size_bytes = hashlib.sha256(), 0
    with ExitStack() as files:
        outputs = [(path, files.enter_context(_product(path))) for path in wanted]
        with ExitStack() as programs_running:
            running = [
                programs_running.enter_context(_running(wanted[path], path, output, programs))
                for path, output in outputs
            ]
            for piece in _gathered(pieces):
                for program in running:
                    program.write(piece)
                digest.update(piece)
                size_bytes += len(piece)
            for program in running:
                program.end_input()
        artifacts = tuple(program.artifact() for program in running)
    return Compressed(Content(size_bytes, digest.hexdigest()), artifacts)


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth a system call; none is empty."""
    waiting: list[bytes] = []
    size_bytes = 0
    for piece in pieces:
        waiting.append(piece)
        size_bytes += len(piece)
        if size_bytes >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size_bytes = [], 0
    if size_bytes:
        yield b"".join(waiting)


class _StoppedReading(Exception):
    """A program reads no more: ``by`` names it. Its exit status says why."""

    def __init__(self, by: _Running) -> None:
        self.by = by
        super().__init__()


class _Running:
    """A compressor at work: one thread gives it the stream, one takes what it makes of it."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path, output: BinaryIO) -> None:
        self._process = process
        self._path = path
        self._output = output
        self._waiting: Queue[bytes] = Queue(_LAG_PIECES)
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._unwritten: OSError | None = None
        self.stopped_reading = False
        self._threads = [Thread(target=target, daemon=True) for target in (self._feed, self._take)]
        for thread in self._threads:
            thread.start()

    def write(self, piece: bytes) -> None:
        if self.stopped_reading:
            raise _StoppedReading(self)
        self._waiting.put(piece)

    def end_input(self) -> None:
        self._waiting.put(b"")

    def _feed(self) -> None:
        try:
            with cast("IO[bytes]", self._process.stdin) as stream:
                while piece := self._waiting.get():
                    stream.write(piece)
        except BrokenPipeError:
            self.stopped_reading = True
            # Nobody is left waiting for room.
            while self._waiting.get():
                pass

    def _take(self) -> None:
        given = cast("IO[bytes]", self._process.stdout)
        try:
            while piece := given.read(_PIECE_BYTES):
                self._output.write(piece)
                self._digest.update(piece)
                self._size_bytes += len(piece)
            self._output.flush()
        except OSError as error:
            self._unwritten = error
            # Nobody takes what the program gives any more: it ends when it writes again.
            given.close()

    def finish(self) -> None:
        """All that the program gave is in the file. Raises StepFailed if it could not be."""
        self._join()
        if self._unwritten is not None:
            raise _unwritten(self._path, self._unwritten)

    def abandon(self) -> None:
        """The program is gone and so are its threads, before their streams are closed below."""
        self._process.kill()
        self.end_input()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def artifact(self) -> Artifact:
        return Artifact(self._path, self._size_bytes, self._digest.hexdigest())


@contextmanager
def _running(
    compressor: Compressor, path: Path, output: BinaryIO, programs: Programs
) -> Iterator[_Running]:
    with programs.pipe(
        compressor.argv,
        folder=path.parent,
        env=dict(compressor.env),
        stdin=PIPE,
        stdout=PIPE,
    ) as process:
        nicer = os.getpriority(os.PRIO_PROCESS, process.pid) + compressor.niceness
        os.setpriority(os.PRIO_PROCESS, process.pid, nicer)
        running = _Running(process, path, output)
        try:
            try:
                yield running
            except _StoppedReading as stopped:
                # The exit status says why this program reads no more, on leaving its block.
                if stopped.by is not running:
                    raise
                running.end_input()
            running.finish()
        except BaseException:
            running.abandon()
            raise
    if running.stopped_reading:
        raise StepFailed(
            where=path.name,
            problem=f"{compressor.argv[0]} exited with status 0 before it had read all its input",
            remedy=f"look at what {compressor.argv[0]} on PATH is",
        )


@contextmanager
def _product(path: Path) -> Iterator[BinaryIO]:
    """A file that is replaced at the end of the block; its own troubles are StepFailed."""
    within: BaseException | None = None
    try:
        with replacing(path) as output:
            try:
                yield output
            except BaseException as error:
                within = error
                raise
    except OSError as error:
        if error is within:
            raise
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> StepFailed:
    return StepFailed(
        where=path.name,
        problem=f"could not be written: {error.strerror or error}",
        remedy=f"see to the disk of {path.parent}, then run the same command again; "
        "nothing was left there",
    )
