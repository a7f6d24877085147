"""Tarballs: the source archives of a release, ``.tgz`` and ``.tar.xz``, made from its tag.

There is no staging tree: git's own archive of the tag is read, what is not shipped is dropped,
the merged news are put in, and the stream goes through both compressors at once.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final, cast

from doit_receipts.artifact import sha256_of
from doit_receipts.cores import some_cores
from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.model.archive_rules import MADE, is_left_out
from plugins.model.tarstream import Kind, Member, git_order, in_tar_order, tar_blocks
from plugins.ports.programs import PIPE
from plugins.steps.compressing import Compressed, Compressor, compress
from plugins.steps.left_behind import content_left
from plugins.steps.news import blurb_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from pathlib import Path
    from tarfile import TarFile, TarInfo

    from plugins.model.release import Release
    from plugins.model.series import Series
    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress

__all__ = ["build", "gzip_compressor", "merged_news", "pack", "xz_compressor"]

# Huge pages under xz's tables: the same bytes a tenth to a quarter sooner. Only glibc knows it.
_XZ_ENVIRONMENT: Final = (("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),)

# The commit alone decides the bytes, not the attributes of a person or a machine.
_GIT: Final = ("git", "-c", f"core.attributesFile={os.devnull}")
_GIT_ENVIRONMENT: Final = {"GIT_ATTR_NOSYSTEM": "1"}

_NEWS: Final = "Misc/NEWS"
_FRAGMENTS: Final = f"{_NEWS}.d"

# By these blurb knows the top of a CPython tree.
_SIGNS_OF_CPYTHON: Final = {
    "README.rst": "This is Python version {version}\n",
    "LICENSE": "A. HISTORY OF THE SOFTWARE\n",
    "Include/Python.h": "",
    "Python/ceval.c": "",
}

_MEMBERS_PER_WORD: Final = 500
_READ_BYTES: Final = 1 << 20


def build(
    release: Release, clone: Clone, programs: Programs, progress: Progress, commit: str = ""
) -> dict[str, str]:
    """Both source archives hold the tag's tree; the same tag gives the same bytes on any machine.

    A ``commit`` takes the tag's place. What is left out and what is made is recorded in
    ``plugins.model.archive_rules``. On an error neither archive appears, and those of before stay.
    The facts name every tool and version that the bytes depend on. Source: PEP 101 (B01, B02).
    """
    revision = commit or release.version.tag
    found = clone.resolve(f"{revision}^{{commit}}")
    if not found:
        raise StepFailed(
            where="tarballs",
            problem=f"the release clone has no tag or commit {revision}",
            remedy="run the task that makes the tag first",
        )
    tools = _tools(programs)
    scratch = release.layout.scratch / "tarball"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        export = _Export(clone.folder, found, scratch / "git", programs)
        with (
            merged_news(release, export.members(_FRAGMENTS), scratch / "news", programs) as news,
            closing(export.members()) as tree,
            some_cores() as cores,
        ):
            shipped = in_tar_order(_shipped(tree, news))
            members = _below(release.layout.folder_in_archive, shipped)
            wanted = {
                release.layout.tarball(".tgz"): gzip_compressor(),
                release.layout.tarball(".tar.xz"): xz_compressor(release.series, cores),
            }
            count, packed = pack(members, export.epoch_s, wanted, programs, progress)
    except OSError as error:
        # ``compress`` reports the faults of the archives themselves.
        raise StepFailed(
            where=str(error.filename or scratch),
            problem=error.strerror or str(error),
            remedy=f"see to the disk of {scratch.parent}, then run the same command again",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {
        "commit": found,
        "epoch_s": str(export.epoch_s),
        "members": str(count),
        "stream_sha256": packed.stream.sha256,
        **tools,
        "gzip_options": "-9 -n",
        "xz_options": "-6 -T1" if release.series.xz_threads == 1 else "-6 -T0",
        "confined": programs.confinement().fact,
        "programs_sha256": _digests(programs),
        **_sums(packed),
    }


def pack(
    members: Iterable[Member],
    epoch_s: int,
    wanted: Mapping[Path, Compressor],
    programs: Programs,
    progress: Progress,
) -> tuple[int, Compressed]:
    """Each wanted file holds the members, in the order given and with the time ``epoch_s``.

    Returns how many members there are and what came out. See ``compress`` for errors.
    """
    count = 0

    def counted() -> Iterator[Member]:
        nonlocal count
        for count, member in enumerate(members, start=1):
            if count % _MEMBERS_PER_WORD == 0:
                progress.say(f"{count:,} members, now {member.name}")
            yield member
        progress.say(f"{count:,} members; the compressors are finishing")

    packed = compress(tar_blocks(counted(), epoch_s), wanted, programs)
    return count, packed


def gzip_compressor() -> Compressor:
    """How the ``.tgz`` is made: neither name nor time in its head, and xz goes first."""
    return Compressor(("gzip", "-9", "-n"), niceness=10)


def xz_compressor(series: Series, cores: int) -> Compressor:
    """How the ``.tar.xz`` is made.

    Blocks are what ``xz -T0``, the default since xz 5.6, writes: the same bytes for any number
    of threads but one. With -T0 itself, xz 5.4 falls back to one stream on a machine of one core.
    """
    threads = series.xz_threads or max(2, cores)
    return Compressor(("xz", "-6", f"-T{threads}"), _XZ_ENVIRONMENT)


def _sums(packed: Compressed) -> dict[str, str]:
    facts = {}
    for name, artifact in zip(("tgz", "tar_xz"), packed.artifacts, strict=True):
        facts[f"{name}_sha256"] = artifact.sha256
        facts[f"{name}_bytes"] = str(artifact.size_bytes)
    return facts


def _tools(programs: Programs) -> dict[str, str]:
    """The version of every program that the bytes depend on. Raises ServiceFailed."""
    versions = {}
    for name, program in _programs(programs):
        versions[name] = programs.version(program)
        if not versions[name]:
            raise ServiceFailed(
                service=name,
                action="make the source archives",
                problem="was not found, or does not report its version",
                remedy=f"install {name}, then run the same command again",
            )
    return versions


def _digests(programs: Programs) -> str:
    """``name:sha256`` of each of these programs' own file on this machine."""
    found = ((name, programs.find(program)) for name, program in _programs(programs))
    return " ".join(f"{name}:{sha256_of(path)}" for name, path in found if path is not None)


def _programs(programs: Programs) -> tuple[tuple[str, str], ...]:
    """What the bytes of the archives depend on, and what it is found by."""
    blurb = str(blurb_of(programs))
    return ("git", "git"), ("blurb", blurb), ("gzip", "gzip"), ("xz", "xz")


class _Export:
    """A commit as ``git archive`` gives it, whatever the clone's configuration says.

    A bare repository borrows the clone's objects and has neither configuration, attributes nor
    replaced objects of its own: they would change the bytes.
    """

    def __init__(self, clone: Path, commit: str, repository: Path, programs: Programs) -> None:
        self._commit = commit
        self._repository = repository
        self._programs = programs
        shared = self._git(("rev-parse", "--git-path", "objects"), clone)
        repository.mkdir(parents=True)
        self._git(("init", "--quiet", "--bare", "--template=", "."))
        (repository / "objects/info").mkdir(exist_ok=True)
        (repository / "objects/info/alternates").write_text(f"{(clone / shared).resolve()}\n")
        self.epoch_s = int(self._git(("show", "--no-patch", "--format=%ct", commit)))

    def _git(self, words: tuple[str, ...], folder: Path | None = None) -> str:
        ended = self._programs.run(
            (*_GIT, *words), folder=folder or self._repository, env=_GIT_ENVIRONMENT
        )
        return ended.stdout.strip()

    def members(self, *paths: str) -> Generator[Member, None, None]:
        """What the commit holds (below these paths, if there are any), in git's order."""
        # tarfile is late: listing tasks never reads an archive (3 ms)
        import tarfile  # noqa: PLC0415

        broken: tarfile.ReadError | None = None
        with self._programs.pipe(
            (*_GIT, "archive", "--format=tar", self._commit, *paths),
            folder=self._repository,
            env=_GIT_ENVIRONMENT,
            stdout=PIPE,
        ) as git:
            stream = cast("IO[bytes]", git.stdout)
            try:
                with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8") as archive:
                    for entry in archive:
                        yield _member(archive, entry)
            except tarfile.ReadError as error:
                broken = error
            # Whatever git still has to say: on leaving the block its status tells what was wrong.
            while stream.read(_READ_BYTES):
                pass
        if broken is not None:
            raise StepFailed(
                where="git archive",
                problem=f"did not produce an archive: {broken}",
                remedy="see which program PATH names as git, then run the same command again",
            )


def _member(archive: TarFile, entry: TarInfo) -> Member:
    if entry.isdir():
        return Member(entry.name, Kind.FOLDER, entry.mode)
    if entry.issym():
        return Member(entry.name, Kind.LINK, entry.mode, target=entry.linkname)
    content = cast("IO[bytes]", archive.extractfile(entry)).read()
    return Member(entry.name, Kind.FILE, entry.mode, content)


@contextmanager
def merged_news(
    release: Release, entries: Iterable[Member], folder: Path, programs: Programs
) -> Iterator[Callable[[], bytes]]:
    """``blurb merge`` works beside the block; calling what is given awaits the merged news.

    ``entries`` are what is below ``Misc/NEWS.d``, and ``folder`` is where they are put. blurb
    needs about a second, and the stream comes to the news late.
    """
    signs = {
        name: text.format(version=release.version).encode()
        for name, text in _SIGNS_OF_CPYTHON.items()
    }
    fragments = {member.name: member.content for member in entries if member.kind is Kind.FILE}
    for name, content in (signs | fragments).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with ExitStack() as merging:
        confined = programs.confined(writes=(folder,))
        merging.enter_context(confined.pipe((blurb_of(programs), "merge"), folder=folder))

        def merged() -> bytes:
            merging.close()
            return content_left(folder / _NEWS)

        yield merged


def _shipped(tree: Iterable[Member], news: Callable[[], bytes]) -> Iterator[Member]:
    """The tree's members that are shipped, and those that are made, still in git's order."""
    waiting = True
    for member in tree:
        if waiting and git_order(member) > _NEWS.encode():
            waiting = False
            yield Member(_NEWS, Kind.FILE, content=news())
        if not is_left_out(member.name) and member.name not in MADE:
            yield member
    if waiting:
        yield Member(_NEWS, Kind.FILE, content=news())


def _below(top: str, members: Iterable[Member]) -> Iterator[Member]:
    yield Member(top, Kind.FOLDER, 0o755)
    for member in members:
        yield replace(member, name=f"{top}/{member.name}")
