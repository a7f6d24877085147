"""Tag tree: what a commit holds, read from git's objects one by one.

The archives come from ``git archive``, which leaves files out and fills words in where attributes
say so. What judges them reads git in another way: names and modes from the tree objects, bytes
from the blobs, all of them hashed, and of the attributes only line ends count.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from checks.git_objects import NEUTRAL, contents, entries_of
from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.tarstream import Kind, Member, tar_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs

__all__ = ["Seen", "attributes_change_nothing", "members_of", "seen", "tree_of"]

_ENVIRONMENT: Final = {"GIT_ATTR_NOSYSTEM": "1"}
_ATTRIBUTES: Final = ".gitattributes"
# What makes git archive give other files, or other bytes, than were committed.
_CHANGING: Final = re.compile(
    rb"(?<=[ \t])(export-ignore|export-subst|ident|filter=[^\s]+|working-tree-encoding=[^\s]+)"
    rb"(?=\s|$)"
)
_LONE_LF: Final = re.compile(rb"(?<!\r)\n")
# How much git looks at before it calls a file text.
_LOOKED_AT: Final = 8000


class Seen(NamedTuple):
    """A path of a commit or of an archive, as far as the two have to agree."""

    kind: str
    is_executable: bool
    content: str
    """The sha256 of a file, or where a link leads."""


def tree_of(clone: Clone, programs: Programs, commit: str) -> dict[str, Seen]:
    """What the commit holds, with line ends as its .gitattributes say, by path.

    Raises ServiceFailed if git cannot tell it.
    """
    return {member.name: seen(member) for member in members_of(clone, programs, commit)}


def seen(member: Member) -> Seen:
    """A member as far as a commit and an archive have to agree."""
    match member.kind:
        case Kind.FOLDER:
            return Seen("folder", is_executable=False, content="")
        case Kind.LINK:
            return Seen("symbolic link", is_executable=False, content=member.target)
        case Kind.FILE:
            digest = hashlib.sha256(member.content).hexdigest()
            return Seen("file", bool(member.mode & 0o100), digest)


def members_of(clone: Clone, programs: Programs, commit: str, below: str = "") -> Iterator[Member]:
    """The files, links and folders of the commit in tar's order, with line ends as above.

    One file at a time is in memory. ``below`` is a folder that alone is told, where it exists.
    Raises ServiceFailed if git cannot tell it.
    """
    folder = clone.folder
    told = entries_of(clone, programs, commit)
    wanted = [each for each in told if each.path.startswith(below and f"{below}/")]
    entries = sorted(wanted, key=lambda entry: tar_order(entry.path))
    ends = _line_ends(folder, programs, commit, [each.path for each in entries])
    known: set[str] = set()
    for entry, content in contents(clone, programs, entries):
        # The outermost first: a folder comes before what is in it.
        for parent in list(PurePosixPath(entry.path).parents)[-2::-1]:
            name = parent.as_posix()
            if name not in known:
                known.add(name)
                yield Member(name, Kind.FOLDER, 0o755)
        if entry.mode == "120000":
            target = content.decode("utf-8", "surrogateescape")
            yield Member(entry.path, Kind.LINK, 0o777, target=target)
        else:
            released = _with_line_ends(content, *ends.get(entry.path, ("", "")))
            yield Member(entry.path, Kind.FILE, int(entry.mode, 8) & 0o777, released)


@judges("source.attributes", blind="source.unreadable")
def attributes_change_nothing(
    release: Release,  # noqa: ARG001 - every check of the tree takes it
    clone: Clone,
    *,
    after: str,
) -> tuple[Finding, ...]:
    """No .gitattributes makes the archives leave a file out or hold other bytes than committed.

    Line ends are no change: that is what they are for.
    """
    commit = f"refs/release/{after}"
    found = []
    for name in clone.names(commit):
        if name.rpartition("/")[2] != _ATTRIBUTES:
            continue
        lines = (clone.read(commit, name) or b"").splitlines()
        for number, line in enumerate(lines, start=1):
            match = None if line.lstrip().startswith(b"#") else _CHANGING.search(line)
            if match:
                found.append(
                    Finding(
                        "source.attributes",
                        Severity.BLOCK,
                        f"{match[1].decode(errors='replace')} makes the source archives contain "
                        "something else than the tag",
                        f"{name}:{number}",
                        "take it out on the branch: the archives are the tag's tree, and nothing "
                        "else",
                    )
                )
    return tuple(found)


def _line_ends(
    folder: Path, programs: Programs, commit: str, paths: list[str]
) -> dict[str, tuple[str, str]]:
    """What the commit's own attributes say of text and line ends, by path."""
    with tempfile.TemporaryDirectory(prefix="pep101-") as room:
        # An index of our own: attributes are read from it, and nobody's checkout matters.
        environment = {**_ENVIRONMENT, "GIT_INDEX_FILE": f"{room}/index"}
        programs.run([*NEUTRAL, "read-tree", commit], folder=folder, env=environment)
        answers = programs.run(
            [*NEUTRAL, "check-attr", "--cached", "-z", "--stdin", "text", "eol"],
            folder=folder,
            env=environment,
            stdin="\0".join(paths).encode("utf-8", "surrogateescape"),
        ).stdout.split("\0")
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(answers[::3], answers[1::3], answers[2::3], strict=False):
        found.setdefault(path, {})[name] = value
    return {path: (each.get("text", ""), each.get("eol", "")) for path, each in found.items()}


def _with_line_ends(content: bytes, text: str, eol: str) -> bytes:
    """The content as git writes it out. Source: gitattributes(5), "text" and "eol"."""
    if eol != "crlf" or text == "unset":
        return content
    if text == "auto" and (b"\0" in content[:_LOOKED_AT] or b"\r" in content):
        return content
    return _LONE_LF.sub(b"\r\n", content)
