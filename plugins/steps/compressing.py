"""Compressing: one stream of bytes through several programs at once, each into a file of its own.

The programs run side by side, sums are taken of what they give while it passes, and the files
appear together when all is well, or none does.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from plugins.model.artifact import Artifact
from plugins.model.durable import replacing
from plugins.model.errors import StepFailed
from plugins.ports import PIPE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from plugins.ports import Programs

__all__ = ["Compressed", "Compressor", "compress"]

_PIECE_BYTES: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Compressor:
    """A program that compresses its standard input to its standard output."""

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Compressed:
    """The stream that was compressed, and the files that hold it in the order asked for."""

    sha256: str
    size_bytes: int
    artifacts: tuple[Artifact, ...]


def compress(
    pieces: Iterable[bytes], wanted: Mapping[Path, Compressor], programs: Programs
) -> Compressed:
    """Each wanted file holds all pieces, as its compressor gives them.

    All programs are fed at the pace of the slowest, so that nothing is kept in memory. On any
    error no file appears, and those of before stay. Raises StepFailed if a file cannot be
    written, ServiceFailed if a program fails.
    """
    digest, size_bytes = hashlib.sha256(), 0
    with ExitStack() as files:
        outputs = [(path, files.enter_context(_product(path))) for path in wanted]
        with ExitStack() as programs_running:
            running = [
                programs_running.enter_context(_running(wanted[path], path, output, programs))
                for path, output in outputs
            ]
            for piece in pieces:
                for each in running:
                    each.write(piece)
                digest.update(piece)
                size_bytes += len(piece)
            for each in running:
                each.end_input()
        artifacts = tuple(each.artifact() for each in running)
    return Compressed(digest.hexdigest(), size_bytes, artifacts)


class _Running:
    """A compressor at work; a thread takes what it gives to the file."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path, output: BinaryIO) -> None:
        self._input = cast(IO[bytes], process.stdin)
        self._given = cast(IO[bytes], process.stdout)
        self._path = path
        self._output = output
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._unwritten: OSError | None = None
        self.stopped_reading = False
        self._thread = Thread(target=self._take, daemon=True)
        self._thread.start()

    def write(self, piece: bytes) -> None:
        with self._noting_its_end():
            self._input.write(piece)

    def end_input(self) -> None:
        with self._noting_its_end():
            self._input.close()

    @contextmanager
    def _noting_its_end(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self.stopped_reading = True
            self._drop_input()
            raise

    def _drop_input(self) -> None:
        # What is still in the buffer has nowhere to go, and nobody else shall try.
        with suppress(BrokenPipeError):
            self._input.close()

    def abandon(self, process: subprocess.Popen[bytes]) -> None:
        """The program is gone and so is its thread, before their streams are closed below it."""
        process.kill()
        self._drop_input()
        self._thread.join()

    def _take(self) -> None:
        try:
            # read, not read1: whole pieces are hashed and written
            while piece := self._given.read(_PIECE_BYTES):
                self._output.write(piece)
                self._digest.update(piece)
                self._size_bytes += len(piece)
            self._output.flush()
        except OSError as error:
            self._unwritten = error
            # Nobody takes what the program gives any more: it ends when it writes again.
            self._given.close()

    def finish(self) -> None:
        """All that the program gave is in the file. Raises StepFailed if it could not be."""
        self._thread.join()
        if self._unwritten is not None:
            raise _unwritten(self._path, self._unwritten)

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
        running = _Running(process, path, output)
        try:
            try:
                yield running
            except BrokenPipeError:
                # Why this program reads no more is told by its status on leaving its block.
                if not running.stopped_reading:
                    raise
            running.finish()
        except BaseException:
            running.abandon(process)
            raise
    if running.stopped_reading:
        raise StepFailed(
            where=path.name,
            problem=f"{compressor.argv[0]} ended well before it had read everything",
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
