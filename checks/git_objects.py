"""Git objects: commits, trees and files as git gives them, each hashed before it is believed.

git does not hash what it reads. An object that was changed in a clone under its old name comes by
hard link into every clone made from it, and all that git makes or compares says the same of it.
"""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from typing import IO, TYPE_CHECKING, Final, NamedTuple, cast

from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Finding, Severity
from plugins.ports.programs import PIPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs

__all__ = [
    "NEUTRAL", "AlteredObject", "Entry", "commit_of", "contents", "entries_of", "is_before",
    "parents_of",
]  # fmt: skip

NEUTRAL: Final = ("git", "--no-replace-objects", "-c", "core.attributesFile=/dev/null")
"""git as nobody's configuration changes what it reads."""
_FOLDER: Final = b"40000"
_MODULE: Final = b"160000"
_LINK: Final = b"120000"
_SHA1_DIGITS: Final = 40


class AlteredObject(ServiceFailed):
    """An object holds something else than what its name is the digest of."""

    def __init__(self, folder: Path, name: str, action: str) -> None:
        super().__init__(
            service="git",
            action=action,
            problem=f"object {name[:12]} does not hold what its name says",
            remedy=_made_again(folder),
        )

    def finding(self) -> Finding:
        """The same as a finding, for a check that judges more than this."""
        return Finding("clone.objects", Severity.BLOCK, self.problem, self.where, self.remedy)


class Entry(NamedTuple):
    """A file or a link of a commit: ``mode`` as git writes it, ``object`` the blob's name."""

    mode: str
    object: str
    path: str


def commit_of(clone: Clone, revision: str) -> str:
    """The full name of the commit. Raises ServiceFailed with the revision if there is none."""
    found = clone.resolve(f"{revision}^{{commit}}")
    if not found:
        folder = clone.folder
        raise ServiceFailed(
            service="git",
            action="read a commit",
            problem=f"{revision} is missing in {folder}",
            remedy=f"delete {shlex.quote(str(folder))}, then run the same command again: it is "
            "made anew",
        )
    return found


def entries_of(clone: Clone, programs: Programs, commit: str) -> Iterator[Entry]:
    """Every file and link of the commit, by trees that are what the commit's name says.

    ``commit`` is a full name. Raises ServiceFailed if git cannot tell it, and AlteredObject.
    """
    said = _commit(clone, programs, commit)
    tree = said.partition(b"\n")[0].removeprefix(b"tree ").decode()
    words = [*NEUTRAL, "ls-tree", "-r", "-d", "-z", "--full-tree", tree]
    listed = programs.run(words, folder=clone.folder).stdout.split("\0")
    # Only what to ask for: what counts is what the answers are the digests of.
    asked = [tree, *{line.split(maxsplit=3)[2] for line in listed if line}]
    answers = _answers(clone.folder, programs, asked)
    trees = {_name(tree, kind, content): content for kind, content in answers}

    def walked(name: str, above: str) -> Iterator[Entry]:
        if name not in trees:
            raise AlteredObject(clone.folder, name, f"read commit {commit[:12]}")
        for mode, below, path in _listed(trees[name], len(name) // 2):
            if mode == _FOLDER:
                yield from walked(below, f"{above}{path}/")
            elif mode != _MODULE:
                yield Entry(_plain(mode), below, f"{above}{path}")

    return walked(tree, "")


def parents_of(clone: Clone, programs: Programs, commit: str) -> list[str]:
    """The commits before the one of this full name; raises as ``entries_of`` does."""
    return _parents(_commit(clone, programs, commit))


def is_before(clone: Clone, programs: Programs, commit: str, head: str) -> bool:
    """Whether the commit is the head or in its history, by commits that were all hashed.

    False if either is unknown. Raises AlteredObject for one on the way between them.
    """
    if commit == head or not clone.follows(head, commit):
        return commit == head
    words = [*NEUTRAL, "rev-list", "--ancestry-path", head, f"^{commit}"]
    names = programs.run(words, folder=clone.folder).stdout.split()
    parents = {}
    for name, (kind, content) in zip(names, _answers(clone.folder, programs, names), strict=True):
        if _name(name, kind, content) != name:
            raise AlteredObject(clone.folder, name, "read a commit")
        parents[name] = _parents(content)
    open_, seen = [head], set()
    while open_:
        found = [each for each in parents.get(open_.pop(), ()) if each not in seen]
        seen.update(found)
        open_ += found
    return commit in seen


def _commit(clone: Clone, programs: Programs, name: str) -> bytes:
    ((kind, content),) = _answers(clone.folder, programs, [name])
    if _name(name, kind, content) != name:
        raise AlteredObject(clone.folder, name, "read a commit")
    return content


def _parents(commit: bytes) -> list[str]:
    head = commit.partition(b"\n\n")[0].split(b"\n")
    return [line[7:].decode() for line in head if line.startswith(b"parent ")]


def contents(
    clone: Clone, programs: Programs, entries: Sequence[Entry]
) -> Iterator[tuple[Entry, bytes]]:
    """The bytes of each entry as committed, one at a time.

    Raises ServiceFailed for one that is missing, and AlteredObject.
    """
    folder = clone.folder
    answers = _answers(folder, programs, [each.object for each in entries])
    for entry, (kind, content) in zip(entries, answers, strict=True):
        if _name(entry.object, kind, content) != entry.object:
            raise AlteredObject(folder, entry.object, f"read {entry.path}")
        yield entry, content


def _answers(
    folder: Path, programs: Programs, names: Sequence[str]
) -> Iterator[tuple[bytes, bytes]]:
    """What git gives for each name: what it calls it, and its bytes."""
    with tempfile.TemporaryFile() as asked:
        asked.write(b"".join(f"{each}\n".encode() for each in names))
        asked.seek(0)
        with programs.pipe(
            [*NEUTRAL, "cat-file", "--batch"], folder=folder, stdin=asked, stdout=PIPE
        ) as process:
            stream = cast("IO[bytes]", process.stdout)
            for name in names:  # noqa: B007 - named in the error below
                header = stream.readline().split()
                if len(header) != 3:
                    break  # on leaving the block, or below, an error says what was wrong
                content = stream.read(int(header[2]))
                if len(content) < int(header[2]) or not stream.read(1):
                    break
                yield header[1], content
            else:
                return
            while stream.read(1 << 16):
                pass
    raise ServiceFailed(
        service="git",
        action="read what a commit holds",
        problem=f"object {name[:12]} is missing in {folder}",
        remedy=_made_again(folder),
    )


def _made_again(folder: Path) -> str:
    """What to do about a clone that lacks an object, or has another one under its name."""
    return (
        f"delete {shlex.quote(str(folder))}, and if fsck finds it in your own clone"
        " too, put a fresh clone of upstream in its place; then run the same command again"
    )


def _name(like: str, kind: bytes, content: bytes) -> str:
    """What git would name this object, in a repository that has names like this one."""
    form = hashlib.sha1 if len(like) == _SHA1_DIGITS else hashlib.sha256
    digest = form(b"%s %d\0" % (kind, len(content)), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def _listed(tree: bytes, digest_bytes: int) -> Iterator[tuple[bytes, str, str]]:
    """Mode, name and path of each entry of a tree object."""
    begin = 0
    while begin < len(tree):
        end = tree.index(b"\0", begin)
        mode, _, path = tree[begin:end].partition(b" ")
        begin = end + 1 + digest_bytes
        yield mode, tree[end + 1 : begin].hex(), path.decode("utf-8", "surrogateescape")


def _plain(mode: bytes) -> str:
    """The mode as git itself takes it: old trees have others, of which it keeps one bit."""
    if mode == _LINK:
        return mode.decode()
    return "100755" if int(mode, 8) & 0o100 else "100644"
