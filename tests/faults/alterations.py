"""Alterations of a published release, made by rule: each kind of byte range, page, field and ref.

Whoever does them holds servers, site and caches, and no key: rows say what is served, and every
cache serves it. Many are done to one release at once, as long as none touches what another is
judged by; so each has to be told by a finding that names it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from plugins.model.promise import record_paths
from plugins.rehearsal import cache
from plugins.rehearsal.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.released import Released

__all__ = ["Alteration", "alterations_of", "batches"]

RANGES: Final[dict[str, Callable[[bytes], bytes | None]]] = {
    "its first byte": lambda raw: bytes([raw[0] ^ 1]) + raw[1:],
    "a byte in its middle": lambda raw: _flipped(raw, len(raw) // 2),
    "its last byte": lambda raw: _flipped(raw, len(raw) - 1),
    "cut short": lambda raw: raw[: len(raw) // 2],
    "a byte behind its end": lambda raw: raw + b"\n",
    "a byte before its beginning": lambda raw: b"\n" + raw,
    "empty": lambda _: b"",
    "gone": lambda _: None,
}
"""What may happen to a file's bytes; None if it does not exist any more."""
_ALL: Final = "all"
"""Among what an alteration disturbs: nothing else can be told beside it."""
_SITE: Final = "the site's release"
_ARTICLE: Final = "the page's words"
_CURRENT: Final = "doc/current"
_LATE: Final = ("edge",)


@dataclass(frozen=True)
class Alteration:
    """One thing that is not as it was published, of some kind, and what has to name it.

    ``needs`` is what it is judged by; ``disturbs`` are other subjects that change with it.
    """

    kind: str
    named: str
    do: Callable[[Released], None]
    needs: str
    disturbs: frozenset[str] = field(default_factory=frozenset)
    group: str = ""

    def clashes(self, other: Alteration) -> bool:
        """Whether the two cannot be told apart."""
        ours, theirs = self.disturbs | {self.needs}, other.disturbs | {other.needs}
        return _ALL in ours | theirs or self.needs in theirs or other.needs in ours


def batches(alterations: Iterable[Alteration]) -> list[list[Alteration]]:
    """All of them, in as few looks as they can be told apart in."""
    made: list[list[Alteration]] = []
    for each in alterations:
        fitting = (batch for batch in made if not any(each.clashes(other) for other in batch))
        batch = next(fitting, None)
        if batch is None:
            made.append([each])
        else:
            batch.append(each)
    # Caches keep what they are told to only if nothing is purged behind that.
    return [sorted(batch, key=lambda each: each.group in _LATE) for batch in made]


def alterations_of(world: Released) -> Iterator[Alteration]:
    """Every alteration of the release that is out."""
    yield from _of_files(world)
    yield from _of_pages(world)
    yield from _of_lists(world)
    yield from _of_rows(world)
    yield from _of_release(world)
    yield from _of_words(world)
    yield from _of_boxes(world)
    yield from _of_redirects()
    yield from _of_refs()
    yield from _of_current()


def _flipped(raw: bytes, place: int) -> bytes:
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def _changed(path: Path, change: Callable[[bytes], bytes | None]) -> bytes:
    raw = change(path.read_bytes())
    if raw is None:
        path.unlink()
        return b""
    path.write_bytes(raw)
    return raw


# ── files ────────────────────────────────────────────────────────────────────────────────────


def _kind_of(world: Released, remote: str) -> str:
    whole = world.contract.with_extras([remote])
    found = whole.find(remote)
    assert found is not None, remote
    return found.kind.value


def _of_files(world: Released) -> Iterator[Alteration]:
    record, *signed = record_paths(world.release)
    rows = {row["url"]: row["slug"] for row in _tables(world)["release_file"].values()}
    for folder in ("3.13.6", "doc/3.13.6"):
        for path in sorted((world.root / folder).rglob("*")):
            if not path.is_file():
                continue
            remote = path.relative_to(world.root).as_posix()
            slug = rows.get(f"https://www.python.org/ftp/python/{remote}", "")
            disturbs = {f"row {slug}", _ARTICLE} if slug else set()
            if remote == record:
                disturbs = {_ALL}
            elif remote in signed:  # with one that is good, what the manifest lists is followed
                disturbs = set(signed) - {remote}
            for what, change in RANGES.items():
                yield Alteration(
                    f"{_kind_of(world, remote)}: {what}",
                    remote,
                    _file(remote, change),
                    remote,
                    frozenset(disturbs),
                )
    # A file that may be there by its name, beside those that are.
    for name in (
        "3.13.6/amd64/evil.msi",
        "3.13.6/win32/evil.msi.asc",
        "3.13.6/python-3.13.6-amd64.exe.spdx.json",
        "3.13.6/python-3.13.6t-embed-amd64.zip",
        "3.13.6/Python-3.13.7.tgz",
        "doc/3.13.6/python-3.13.6-docs-pdf.zip",
    ):
        yield Alteration(f"one more file: {name.rpartition('.')[2]}", name, _more(name), name)


def _file(remote: str, change: Callable[[bytes], bytes | None]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.root / remote
        raw = _changed(path, change)
        found = world.contract.find(remote)
        if found is not None and path.exists():
            world.put(found, raw)
        world.purge()

    return do


def _more(name: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.root / name
        path.parent.mkdir(mode=0o775, exist_ok=True)
        path.write_bytes(b"more\n" * 30)
        world.purge()

    return do


# ── hosted pages and lists ───────────────────────────────────────────────────────────────────


def _of_pages(world: Released) -> Iterator[Alteration]:
    for path in sorted(world.docs.rglob("*")):
        page = path.relative_to(world.docs).as_posix()
        if not path.is_file() or page.startswith(".") or not path.stat().st_size:
            continue
        suffix = page.rpartition(".")[2]
        for what, change in RANGES.items():
            kind = f"hosted {suffix}: {what}"
            yield Alteration(kind, page, _page(page, change), f"docs/{page}")


def _page(page: str, change: Callable[[bytes], bytes | None]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        _changed(world.docs / page, change)
        shutil.rmtree(world.world / "state" / "cdn" / "docs", ignore_errors=True)

    return do


def _of_lists(world: Released) -> Iterator[Alteration]:
    """A folder's list hides one file of each kind."""
    for folder in ("3.13.6", "doc/3.13.6", "3.13.6/amd64"):
        kinds = {
            _kind_of(world, f"{folder}/{path.name}"): path.name
            for path in sorted((world.root / folder).iterdir())
            if path.is_file()
        }
        for kind, name in kinds.items():
            remote = f"{folder}/{name}"
            yield Alteration(
                f"hidden from its list: {kind}", remote, _hidden(folder, name), f"list {folder}"
            )


def _hidden(folder: str, name: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        names = sorted(
            each.name + "/" * each.is_dir()
            for each in (world.root / folder).iterdir()
            if each.name not in (name, "index.html")
        )
        links = "\n".join(f'<a href="{each}">{each}</a>' for each in names)
        (world.root / folder / "index.html").write_text(f"<html>{links}</html>")
        world.purge()

    return do


# ── python.org ───────────────────────────────────────────────────────────────────────────────


def _tables(world: Released) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((world.world / "state" / "site.json").read_bytes())
    return found


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value[4:5] == "-" and value.endswith("Z"):
            return f"2025{value[4:]}"
        case str() if value.startswith("https://"):
            return f"{value}x"
        case _:
            return f"{value}x"


def _of_rows(world: Released) -> Iterator[Alteration]:
    """Each field of rows, of every row in its turn; a row less, more and twice."""
    tables = _tables(world)
    rows = sorted(tables["release_file"].items())
    fields = sorted(rows[0][1])
    systems = sorted(tables["os"])
    for place, name in enumerate(fields):
        for turn in (0, len(rows) // 2):
            key, row = rows[(place + turn) % len(rows)]
            value = _other(row[name])
            if name == "os":
                value = next(each for each in systems if each != str(row["os"]))
            change = _set("release_file", key, name, value)
            if name == "release":
                change = _to_another_release(key)
            yield Alteration(
                f"a row's {name}",
                row["slug"],
                change,
                f"row {row['slug']}",
                frozenset({_ALL if name == "release" else _ARTICLE}),
            )
    key, row = rows[0]
    again = {**row, "slug": "3136-again", "url": f"{row['url']}.again"}
    changes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("a row less", row["slug"], {key: None}),
        ("a row more", "3136-again", {"998": again}),
    )
    for what, slug, rows_then in changes:
        yield Alteration(
            what, slug, _put_rows("release_file", rows_then), f"row {slug}", frozenset({_ARTICLE})
        )


def _set(table: str, key: str, name: str, value: object) -> Callable[[Released], None]:
    return lambda world: world.site(lambda all_: all_[table][key].__setitem__(name, value))


def _to_another_release(key: str) -> Callable[[Released], None]:
    """The row is that of an older release."""

    def change(tables: dict[str, Any]) -> None:
        ((number, row),) = tables["release"].items()
        older = {"name": "Python 3.12.0", "slug": "python-3120", "is_latest": False}
        tables["release"] = {"997": {**row, **older}, number: row}
        tables["release_file"][key]["release"] = "997"

    return lambda world: world.site(change)


def _put_rows(table: str, rows: dict[str, Any]) -> Callable[[Released], None]:
    def change(tables: dict[str, Any]) -> None:
        tables[table] |= {key: row for key, row in rows.items() if row is not None}
        for key, row in rows.items():
            if row is None:
                del tables[table][key]

    return lambda world: world.site(change)


_TEXT: Final = ("content", "content_markup_type")


def _of_release(world: Released) -> Iterator[Alteration]:
    """Each field of the release; and one more release of its name."""
    ((key, row),) = _tables(world)["release"].items()
    everything = frozenset({_ALL})
    for name, value in sorted(row.items()):
        if name in _TEXT or name == "release_page":
            continue
        wide = everything if name in ("slug", "is_published", "is_latest", "version") else set()
        yield Alteration(
            f"the release's {name}",
            "python-3136",
            _set("release", key, name, 2 if name == "version" else _other(value)),
            _SITE,
            frozenset({_ARTICLE, _CURRENT, *wide}),
        )
    again = {**row, "slug": "python-3136-fixed", "is_latest": False}
    yield Alteration(
        "one more release of its name",
        "exists once more",
        _put_rows("release", {"999": again}),
        _SITE,
        everything,
    )


def _of_words(world: Released) -> Iterator[Alteration]:
    """The text of the page: words, a link, a digest, a script."""
    ((key, row),) = _tables(world)["release"].items()
    text = str(row["content"])
    word = max(text.split(), key=len)
    for what, changed in (
        ("a word", text.replace(word, f"{word}s", 1)),
        ("one more link", f'{text}\n<a href="https://evil.example/">mirror</a>'),
        ("one more digest", f"{text}\n{'0' * 64}"),
        ("a word less", text.replace(word, "", 1)),
        ("nothing", ""),
    ):
        yield Alteration(
            f"the page's text: {what}",
            "/downloads/release/python-3136/",
            _set("release", key, "content", changed),
            _ARTICLE,
        )


def _of_boxes(world: Released) -> Iterator[Alteration]:
    for name, text in _tables(world)["boxes"].items():
        for what, changed in (
            ("a word", text.replace("Download", "Get", 1)),
            ("a link", text.replace("https://www.python.org/ftp", "https://evil.example/ftp", 1)),
            ("more text", f"{text}<p>more</p>"),
            ("empty", ""),
        ):
            yield Alteration(
                f"a box: {what}", f"/box/{name}/", _set_box(name, changed), f"box {name}"
            )


def _set_box(name: str, text: str) -> Callable[[Released], None]:
    return lambda world: world.site(lambda tables: tables["boxes"].__setitem__(name, text))


def _of_redirects() -> Iterator[Alteration]:
    """Each address of the latest release leads elsewhere, at one edge."""
    for number, path in enumerate(
        ("/downloads/latest", "/downloads/latest/python3", "/downloads/latest/python3.13")
    ):
        for slash in ("", "/"):
            edge = cache.EDGES[number % 2]
            yield Alteration(
                "a redirect leads elsewhere", f"{path}{slash}", _leads(edge, f"{path}{slash}"),
                f"redirect {path}{slash}", group="edge",
            )  # fmt: skip


def _leads(edge: str, path: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        headers = {"location": "/downloads/release/python-3135/", "content-type": "text/html"}
        kept = cache.Kept(302, headers, b"")
        cache.keep(Store(world.world / "state"), edge, cache.WWW, path, kept)

    return do


# ── upstream, and the link ───────────────────────────────────────────────────────────────────


def _of_refs() -> Iterator[Alteration]:
    def ref(*words: str) -> Callable[[Released], None]:
        def do(world: Released) -> None:
            world.git("update-ref", *words)

        return do

    def again(world: Released) -> None:
        """The manager's own tag of the same commit, made once more."""
        world.put_tag(world.tag_payload.rstrip("\n") + "\n\n", world.manager, world.key)

    tag = "refs/tags/v3.13.6"
    for what, do in (
        ("the tag is gone", ref("-d", tag)),
        ("the tag is a light one", ref(tag, "v3.13.6^{commit}")),
        ("the tag is on another commit", ref(tag, "v3.13.5")),
        ("the tag was made again", again),
    ):
        yield Alteration(what, "v3.13.6", do, "tag")
    for name in ("refs/heads/v3.13.6", "refs/tags/3.13", "refs/tags/v3.13.6-1", "refs/x/v3.13.6"):
        yield Alteration(f"one more ref: {name}", name, ref(name, "v3.13.5^{commit}"), name)
    yield Alteration(
        "the branch is set back", "v3.13.6", ref("refs/heads/3.13", "v3.13.6^{commit}^"), "tag"
    )


def _of_current() -> Iterator[Alteration]:
    def gone(world: Released) -> None:
        (world.root / "doc" / "current").unlink()
        world.purge()

    def older(world: Released) -> None:
        shutil.copytree(world.root / "doc/3.13.6", world.root / "doc/3.13.5")
        for path in (world.root / "doc/3.13.5").iterdir():
            path.rename(path.with_name(path.name.replace("3.13.6", "3.13.5")))
        gone(world)
        (world.root / "doc" / "current").symlink_to("3.13.5")

    def folder(world: Released) -> None:
        gone(world)
        shutil.copytree(world.root / "doc/3.13.6", world.root / "doc/current")
        epub = world.root / "doc/current/python-3.13.6-docs.epub"
        epub.write_bytes(_flipped(epub.read_bytes(), 99))

    for what, do in (("gone", gone), ("leads to an older one", older), ("a folder", folder)):
        disturbs = frozenset({_ALL} if do is folder else ())
        yield Alteration(f"{_CURRENT}: {what}", _CURRENT, do, _CURRENT, disturbs)
