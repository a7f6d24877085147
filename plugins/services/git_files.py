"""Git files: what the files of a plain clone say by themselves, without a git that reads them.

``doit list`` asks the same two questions each time, and two processes were a twentieth of it.
Whatever is not plain is left to git: a worktree, another user's clone, a configuration that
includes others or has extensions, a name or an address in quotes.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.packed_refs import packed_ref
from doit_receipts.plain_file import NoRegularFile, read_plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["commit_of_ref", "remotes_of"]

_MOST_BYTES: Final = 1 << 20
# Printable ASCII but for quotes, backslashes and comments; git joins, cuts or keeps all else.
_VALUE: Final = rb"[ !$-:<-\[\]-~]*"
_PLAIN: Final = rb"[ \t]*(?:\[[a-z]+(?: \"[\w./-]+\")?\]|[A-Za-z-]+ = %b|)[ \t]*\r?" % _VALUE
_UNUSUAL: Final = (
    rb"(?im)^\s*(?:\[(?:include|includeif|extensions)\b|repositoryformatversion = [^0])"
)
_REMOTE: Final = rb"\[remote \"([\w./-]+)\"\]"
_URL: Final = rb"(?i)\s*url = (.*?)\s*"


def remotes_of(folder: Path) -> dict[str, str] | None:
    """The clone's remotes and their addresses; None where only git can tell."""
    config = _config_of(folder)
    if config is None:
        return None
    found, remote = {}, ""
    for line in config.split(b"\n"):
        if not re.fullmatch(_PLAIN, line):
            return None
        if line.startswith(b"["):
            named = re.match(_REMOTE, line)
            remote = named[1].decode() if named else ""
        elif remote and (url := re.fullmatch(_URL, line)):
            found[remote] = url[1].decode()
    return found


def commit_of_ref(folder: Path, name: str) -> str | None:
    """What the branch ``refs/…/name`` is at; None where there is none, or only git can tell."""
    if _config_of(folder) is None or ".." in name:
        return None
    path = folder / ".git" / name
    try:
        try:
            content = read_plain(path, _MOST_BYTES)
        except FileNotFoundError:
            content = packed_ref(path)
    except NoRegularFile as error:
        raise _in_the_way(error) from error
    except OSError:
        return None
    is_plain = re.fullmatch(rb"(?!0{40})[0-9a-f]{40}\n", content)
    return content[:40].decode() if is_plain else None


def _config_of(folder: Path) -> bytes | None:
    try:
        if {each.stat().st_uid for each in (folder, folder / ".git")} != {os.geteuid()}:
            return None
        content = read_plain(folder / ".git" / "config", _MOST_BYTES)
    except NoRegularFile as error:
        raise _in_the_way(error) from error
    except OSError:
        return None
    is_odd = len(content) > _MOST_BYTES or re.search(_UNUSUAL, content)
    return None if is_odd else content


def _in_the_way(error: NoRegularFile) -> ServiceFailed:
    """Git is not asked instead: it would wait for a pipe."""
    return ServiceFailed(
        service="git",
        action=f"read {error.filename}",
        problem=str(error.strerror),
        remedy="see who put it there, and put the repository's own file back",
    )
