"""Faults of files as users get them: any one of them, and the set that they are."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from plugins.model.published_file import Kind, PublishedFile
from plugins.rehearsal.windows_files import sbom_of
from tests.faults.fault import FILES, HTML, TGZ, XZ, Fault, file_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["changed_to", "file_faults", "flipped", "gone", "set_faults"]

# One of every kind and size class, and both archives of everything that has two.
_ONE_OF_EACH: Final = tuple(
    each
    for each in FILES
    if each.kind in (Kind.SOURCE, Kind.SBOM, Kind.MANIFEST)
    or each.name.endswith((".tgz.asc", "html.zip", "html.tar.bz2", ".epub", ".pkg", "amd64.exe"))
)


def file_faults() -> Iterator[Fault]:
    for number, file in enumerate(FILES):
        # The endpoints take turns, so that each is stale and lacks something of every kind.
        one, other = ("a", "b") if number % 2 else ("b", "a")
        rule = "cache.stale"
        yield Fault(f"{file.name} is gone", "file.missing", gone(file))
        yield Fault(f"{file.name} is an older one at edge {one}", rule, _stale(file, one))
        yield Fault(f"{file.name} is not there for edge {other}", rule, _not_there(file, other))
    for file in _ONE_OF_EACH:
        yield Fault(f"{file.name} is empty", "file.size", changed_to(file, lambda _: b""))
        yield Fault(f"{file.name} is not for all to read", "file.closed", _closed(file))
        yield Fault(f"{file.name} has a flipped bit", _rule_of(file), changed_to(file, flipped))
        yield Fault(f"{file.name} is cut in half", _cut_rule(file), changed_to(file, _cut))


def _rule_of(file: PublishedFile) -> str:
    """What tells that bytes which belong to a file are not its own; rows are as they were."""
    if file.row is not None:
        return "row.digest"
    return {
        Kind.SIGNATURE: "signature.unreadable",
        Kind.SBOM: "sbom.content",
        Kind.DOCS: "docs.unreadable",
    }[file.kind]


def _cut_rule(file: PublishedFile) -> str:
    if file.kind is Kind.SOURCE:
        return "archive.unreadable"
    if file.row is not None:
        return "row.size"
    return "sbom.unreadable" if file.kind is Kind.SBOM else _rule_of(file)


def gone(file: PublishedFile) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.path(file).unlink()
        world.purge()

    return do


def _closed(file: PublishedFile) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.path(file).chmod(0o600)
        world.purge()

    return do


def changed_to(file: PublishedFile, change: Callable[[bytes], bytes]) -> Callable[[Released], None]:
    """The file's bytes are others, and nothing else is: caches serve them, rows tell the old."""

    def do(world: Released) -> None:
        path = world.path(file)
        path.write_bytes(change(path.read_bytes()))
        world.purge()

    return do


def flipped(content: bytes) -> bytes:
    """One bit in the middle of what matters: of an SBOM in a digest, else halfway."""
    place = content.rfind(b'"checksumValue": "') + 20 if content[:1] == b"{" else -1
    place = place if place > 20 else len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _stale(file: PublishedFile, edge: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.keep(edge, file.url, 200, b"what stood there before\n" * 9)

    return do


def _not_there(file: PublishedFile, edge: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.keep(edge, file.url, 404, b"Not Found", "text/plain")

    return do


# ── the set ──────────────────────────────────────────────────────────────────────────────────


def _stray(name: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"stray\n" * 20)
        world.purge()

    return do


def _sbom_with(key: str, value: object) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        exe = world.path(file_of("python-3.13.6-amd64.exe"))
        content = json.loads(sbom_of(world.release.version, exe.name, exe.read_bytes()))
        content["packages"][0][key] = value
        exe.with_name(f"{exe.name}.spdx.json").write_text(json.dumps(content))
        world.purge()

    return do


def _swapped(one: str, other: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        first, second = (world.path(file_of(each)) for each in (one, other))
        content = first.read_bytes(), second.read_bytes()
        first.write_bytes(content[1])
        second.write_bytes(content[0])
        world.purge()

    return do


def _closed_folder(world: Released) -> None:
    (world.root / "3.13.6").chmod(0o2770)
    world.purge()


def set_faults() -> Iterator[Fault]:
    for name in (
        "3.13.6/python-3.13.6-amd64.exe.old",
        "3.13.6/Python-3.13.6.tar.bz2",
        "3.13.6/index.php",
        "3.13.6/amd64/evil.exe",
        "3.13.6/python-3.13.5.exe",
        "3.13.6/Python-3.13.6.tgz.asc.asc",
        "3.13.6/SHA256SUMS",
        "doc/3.13.6/python-3.13.6-docs-pdf-a4.zip",
        "doc/3.13.6/notes <b>.txt",
    ):
        yield Fault(f"{name} stands there as well", "file.unrecognised", _stray(name))
    for one, other, rule in (
        (TGZ, XZ, "archive.unreadable"),
        ("python-3.13.6.exe", "python-3.13.6-amd64.exe", "row.digest"),
        (f"{TGZ}.asc", f"{XZ}.asc", "signature.bytes"),
        (f"{TGZ}.spdx.json", f"{XZ}.spdx.json", "sbom.archive"),
        (f"{HTML}.zip", "python-3.13.6-docs-text.zip", "docs.different"),
        ("python-3.13.6-embed-win32.zip", "python-3.13.6-embed-amd64.zip", "row.digest"),
    ):
        yield Fault(f"{one} and {other} are swapped", rule, _swapped(one, other))
    for key, value in (
        ("checksums", [{"algorithm": "SHA256", "checksumValue": "0" * 64}]),
        ("checksums", []),
        ("versionInfo", "3.13.5"),
        ("packageFileName", "python-3.13.6.exe"),
        ("downloadLocation", "https://www.python.org/ftp/python/3.13.5/python-3.13.5-amd64.exe"),
        ("externalRefs", [{"referenceLocator": "cpe:2.3:a:python:python:3.13.5:*:*:*:*:*:*:*"}]),
    ):
        words = f"an installer's SBOM has other {key}" if value else f"it has no {key}"
        yield Fault(words, "file.described", _sbom_with(key, value))
    yield Fault("the folder is closed to users", "file.closed", _closed_folder)
    rule = "file.manifest"
    packages = ("python-3.13.6-embed-amd64.zip", "python-3.13.6-embed-win32.zip")
    for name in packages:
        yield Fault(f"{name} is another, and its row says so", rule, _put(file_of(name), flipped))
    for told, old, new in (
        ("another digest", b'"sha256": "', b'"sha256": "0'),
        ("another address", b"https://www.python.org/", b"https://evil.example/"),
        ("a package that is not there", b"-embed-amd64.zip", b"-embed-amd63.zip"),
        ("another version shown", b'"display-name": "Python ', b'"display-name": "Python 3.13.5 '),
        ("no JSON", b"{", b""),
    ):
        change = partial(_replaced, old, new)
        yield Fault(f"a manifest with {told}", rule, _put(file_of("windows-3.13.6.json"), change))


def _put(file: PublishedFile, change: Callable[[bytes], bytes]) -> Callable[[Released], None]:
    """The file is another, and row and caches know."""
    return lambda world: world.put(file, change(world.path(file).read_bytes()))


def _replaced(old: bytes, new: bytes, content: bytes) -> bytes:
    return content.replace(old, new, 1)
