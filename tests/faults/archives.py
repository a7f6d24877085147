"""Faults of the source archives, member by member."""

from __future__ import annotations

import lzma
import tarfile
from typing import TYPE_CHECKING, Any

from tests.faults.fault import ROOT, TGZ, XZ, Fault, file_of, zip_of
from tests.packing import TarEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Members, Released

__all__ = ["archive_faults"]


def _member(name: str, content: bytes = b"", **more: Any) -> Callable[[Members], Members]:
    """One more member, like the others unless ``more`` says otherwise."""

    def edit(members: Members) -> Members:
        like = members[-1][0]
        made = TarEntry(name)
        made.mtime, made.mode = like.mtime, 0o644
        for key, value in more.items():
            setattr(made, key, value)
        return [*members, (made, content)]

    return edit


def _changed(name: str, **more: Any) -> Callable[[Members], Members]:
    """One member that is otherwise."""

    def edit(members: Members) -> Members:
        found = next(each for each, _ in members if each.name == f"{ROOT}/{name}")
        for key, value in more.items():
            setattr(found, key, value)
        return members

    return edit


def _content(name: str, content: bytes) -> Callable[[Members], Members]:
    def edit(members: Members) -> Members:
        return [(each, content if each.name == f"{ROOT}/{name}" else old) for each, old in members]

    return edit


def _without(name: str) -> Callable[[Members], Members]:
    def edit(members: Members) -> Members:
        return [pair for pair in members if pair[0].name != f"{ROOT}/{name}"]

    return edit


def _renamed(members: Members) -> Members:
    for each, _ in members:
        each.name = each.name.replace(ROOT, "Python-3.13.5", 1)
    return members


def _twice(members: Members) -> Members:
    return [*members, members[-1]]


def _same(members: Members) -> Members:
    return members


def archive_faults() -> Iterator[Fault]:
    link, device = tarfile.SYMTYPE, tarfile.CHRTYPE
    edits: list[tuple[str, str, Callable[[Members], Members]]] = [
        ("a .pyc", "archive.pyc", _member(f"{ROOT}/Lib/stray.pyc", b"x")),
        ("a __pycache__", "archive.pyc", _member(f"{ROOT}/Lib/__pycache__/a.txt", b"x")),
        ("a world-writable member", "archive.mode", _changed("LICENSE", mode=0o666)),
        ("a member for its owner alone", "archive.mode", _changed("LICENSE", mode=0o600)),
        ("a setuid member", "archive.mode", _changed("install-sh", mode=0o4755)),
        ("a closed folder", "archive.mode", _changed("Lib", mode=0o700)),
        ("an owner's number", "archive.owner", _changed("LICENSE", uid=1000)),
        ("an owner's name", "archive.owner", _changed("LICENSE", uname="thomas")),
        ("a group's number", "archive.owner", _changed("LICENSE", gid=20)),
        ("another time", "archive.time", _changed("LICENSE", mtime=1)),
        ("a time to come", "archive.time", _changed("LICENSE", mtime=4_000_000_000)),
        ("an absolute name", "archive.root", _member("/etc/evil", b"x")),
        ("a name that leads up", "archive.name", _member(f"{ROOT}/../evil", b"x")),
        ("a second folder", "archive.root", _member("evil/setup.py", b"x")),
        ("another version's folder", "archive.root", _renamed),
        ("a link out of it", "archive.link",
         _member(f"{ROOT}/out", type=link, linkname="../../etc/passwd")),
        ("an absolute link", "archive.link",
         _member(f"{ROOT}/out", type=link, linkname="/etc/passwd")),
        ("a file below a link", "archive.link",
         lambda members: _member(f"{ROOT}/ln/x", b"x")(
             _member(f"{ROOT}/ln", type=link, linkname="Lib")(members))),
        ("a hard link", "archive.type",
         _member(f"{ROOT}/hard", type=tarfile.LNKTYPE, linkname=f"{ROOT}/LICENSE")),
        ("a device", "archive.type", _member(f"{ROOT}/null", type=device)),
        ("a pipe", "archive.type", _member(f"{ROOT}/pipe", type=tarfile.FIFOTYPE)),
        ("names that differ in case", "archive.name", _member(f"{ROOT}/license", b"x")),
        ("a member twice", "archive.name", _twice),
        ("a name that Windows keeps", "archive.name", _member(f"{ROOT}/Lib/aux.py", b"x")),
        ("a name with a colon", "archive.name", _member(f"{ROOT}/Lib/a:b", b"x")),
        ("a name with a new line", "archive.name", _member(f"{ROOT}/Lib/a\nb", b"x")),
        ("a name with a space at its end", "archive.name", _member(f"{ROOT}/Lib/a ", b"x")),
        ("a very long name", "archive.name", _member(f"{ROOT}/{'x' * 256}", b"x")),
        ("a file that the tag lacks", "archive.tree", _member(f"{ROOT}/Lib/extra.py", b"x")),
        ("a file less", "archive.tree", _without("Lib/spam.py")),
        ("no NEWS", "archive.tree", _without("Misc/NEWS")),
        ("other content", "archive.tree", _content("Lib/spam.py", b"import os\n")),
        ("an empty file", "archive.tree", _content("LICENSE", b"")),
        ("a program that cannot be run", "archive.tree", _changed("install-sh", mode=0o644)),
        ("a text that can be run", "archive.tree", _changed("LICENSE", mode=0o755)),
        ("other news", "archive.stream", _content("Misc/NEWS", b"Nothing is new.\n")),
        ("a setuid NEWS", "archive.mode", _changed("Misc/NEWS", mode=0o4755)),
        ("a capability", "archive.stream",
         _changed("install-sh", pax_headers={"SCHILY.xattr.security.capability": "AQAAAgA"})),
        ("a comment", "archive.stream", _changed("LICENSE", pax_headers={"comment": "x"})),
        ("members in another order", "archive.stream", lambda members: members[::-1]),
        ("files of git", "archive.tree", _member(f"{ROOT}/.gitattributes", b"x")),
    ]  # fmt: skip
    for name, rule, edit in edits:
        yield Fault(f"archives with {name}", rule, _rewritten(edit))
    extra = _member(f"{ROOT}/Lib/extra.py", b"x")
    for name in (TGZ, XZ):
        yield Fault(f"{name} alone holds more", "archive.differ", _rewritten(extra, name))
    for what, change in (
        ("something behind its end", lambda packed: packed + b"evil"),
        ("two streams", lambda packed: packed + packed),
        ("no end", lambda packed: packed[:-8]),
        ("a page of HTML in its place", lambda _: b"<html>" * 2_000),
        ("a zip in its place", lambda _: zip_of({"a": b"x"})),
    ):
        for name in (TGZ, XZ):
            yield Fault(f"{name} has {what}", "archive.unreadable", _put(name, change))

    for name, what, change in (
        (TGZ, "a time in gzip's header", lambda packed: packed[:4] + b"\1" + packed[5:]),
        (TGZ, "a name in gzip's header",
         lambda packed: packed[:3] + b"\x08" + packed[4:10] + b"Python.tar\0" + packed[10:]),
        (XZ, "another check of xz", lambda packed: lzma.compress(
             lzma.decompress(packed), check=lzma.CHECK_CRC32)),
    ):  # fmt: skip
        yield Fault(f"{name} has {what}", "archive.compressor", _put(name, change))


def _rewritten(edit: Callable[[Members], Members], only: str = "") -> Callable[[Released], None]:
    return lambda world: world.rewrite(edit, only)


def _put(name: str, change: Callable[[bytes], bytes]) -> Callable[[Released], None]:
    """The archive is changed and signed, and the site knows."""

    def do(world: Released) -> None:
        file = file_of(name)
        world.put(file, change(world.path(file).read_bytes()))
        world.sign(file, world.manager, world.key)

    return do
