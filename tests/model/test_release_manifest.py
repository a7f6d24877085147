"""The release manifest as a value: one text for one manifest, and nothing else is read."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from plugins.model.article import article_of
from plugins.model.content import Content
from plugins.model.published_file import SizeClass
from plugins.model.release_manifest import (
    BrokenRecord,
    Entry,
    EntryKind,
    ReleaseManifest,
    listing_entry,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHA256 = "ab" * 32
TGZ = Entry(EntryKind.FILE, "3.13.6/Python-3.13.6.tgz", Content(7, SHA256))
ROW = Entry.of(EntryKind.ROW, "3136-tgz", {"filesize": 7, "name": "Gzipped", "is_source": True})
MANIFEST = ReleaseManifest.of("3.13.6", [ROW, TGZ, listing_entry(["python-3136"])])


def test_a_manifest_reads_back_equal_in_any_order_of_its_entries() -> None:
    raw = MANIFEST.to_bytes()
    assert ReleaseManifest.from_bytes(raw, "here") == MANIFEST
    assert ReleaseManifest.of("3.13.6", reversed(MANIFEST.entries)).to_bytes() == raw


def test_anybody_can_read_it_with_a_parser_of_json_and_sha256sum() -> None:
    """The digest of a thing without bytes is that of its fields, compact and sorted."""
    plain = json.loads(MANIFEST.to_bytes())
    (row,) = (each for each in plain["entries"] if each["kind"] == EntryKind.ROW.value)
    text = json.dumps(row["fields"], sort_keys=True, separators=(",", ":"))
    assert row["sha256"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b'"size":7', b'"size": 7'),
        lambda raw: raw.replace(b'"size":7', b'"size":7.0'),
        lambda raw: raw.replace(b'"size":7', b'"size":-7'),
        lambda raw: raw.replace(b'"size":7', b'"size":true'),
        lambda raw: raw.replace(b"abab", b"ABAB"),
        lambda raw: raw.replace(b'"filesize":7', b'"filesize":8'),
        lambda raw: raw.replace(b'"kind":"file"', b'"kind":"folder"'),
        lambda raw: raw.replace(b'"name":"Gzipped"', b'"name":["Gzipped"]'),
        lambda raw: raw.replace(b"manifest 1", b"manifest 2"),
        lambda raw: raw.replace(b'"entries": [', b'"entries": [' + b"[" * 9_000),
        lambda raw: raw.replace(b'{"kind":"file"', b'{"kind":"file","kind":"file"'),
        lambda raw: raw.replace(raw.split(b"\n")[3], raw.split(b"\n")[3] + b"\n" + raw[40:140]),
        lambda raw: b"\n".join([*raw.split(b"\n")[:4], *raw.split(b"\n")[3:]]),
        lambda raw: raw[: len(raw) // 2],
        lambda _: b"",
        lambda _: b"\xff\xfe",
        lambda _: b"null",
    ],
)
def test_any_other_text_is_refused_in_one_line(change: Callable[[bytes], bytes]) -> None:
    raw = MANIFEST.to_bytes()
    assert change(raw) != raw
    with pytest.raises(BrokenRecord, match="release manifest 1"):
        ReleaseManifest.from_bytes(change(raw), "here")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (EntryKind.FILE, "3.13.6/\ud800"),
        (EntryKind.FILE, "3.13.6/a\nb"),
        (EntryKind.FILE, "3.13.6/\u202eexe"),
        (EntryKind.FILE, "3.13.6/../../x"),
        (EntryKind.FILE, "/3.13.6/x"),
        (EntryKind.FILE, "3.13.6/x?y"),
        (EntryKind.FILE, "3.13.6\\x"),
        (EntryKind.FILE, "x" * 501),
        (EntryKind.FILE, ""),
        (EntryKind.DOCS_PAGE, "release/3.13.6/.."),
        (EntryKind.PAGE, ".evil.example/x"),
        (EntryKind.PAGE, "@evil.example/x"),
        (EntryKind.BOX, "//evil.example/x"),
        (EntryKind.REDIRECT, ""),
        (EntryKind.REF, "--upload-pack=x"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(kind: EntryKind, name: str) -> None:
    """Whoever verifies a release asks for what is listed, by its name."""
    raw = ReleaseManifest.of("3.13.6", [Entry(kind, name, Content(7, SHA256))]).to_bytes()
    with pytest.raises(BrokenRecord, match="release manifest 1"):
        ReleaseManifest.from_bytes(raw, "here")


@pytest.mark.parametrize(
    "entries",
    [
        [Entry(EntryKind.FILE, "x", Content(10**4000, SHA256))],
        [Entry(EntryKind.FILE, "x", Content(SizeClass.ARCHIVE.value[1] + 1, SHA256))],
        [Entry.of(EntryKind.ROW, "x", {"filesize": 10**4000})],
        [Entry(EntryKind.FILE, str(each), Content(7, SHA256)) for each in range(20_001)],
    ],
)
def test_what_no_release_has_is_refused(entries: list[Entry]) -> None:
    raw = ReleaseManifest.of("3.13.6", entries).to_bytes()
    with pytest.raises(BrokenRecord, match="release manifest 1"):
        ReleaseManifest.from_bytes(raw, "here")


@given(some.binary(max_size=300), some.integers(0, 2_000))
def test_whatever_is_put_into_it_is_refused_or_the_same(put: bytes, place: int) -> None:
    raw = MANIFEST.to_bytes()
    changed = raw[:place] + put + raw[place + len(put) :]
    with suppress(BrokenRecord):
        assert ReleaseManifest.from_bytes(changed, "here").to_bytes() == changed


PAGE = """<html><nav>menu</nav><main><h1>Python 3.13.6</h1>{note}
<p>Release date: Dec. 1, 2026</p> <p>Words.</p><table><tr><td>Gzipped</td></tr></table>
<footer>today: {foot}</footer>"""
SUPERSEDED = """<div class="user-feedback level-notice">
    <span>Note:</span> Python 3.13.6 has been superseded by
    <a href="/downloads/release/python-3137/">Python 3.13.7</a>.
</div>"""
ENDED = """<div class="user-feedback level-error">
    <span>Warning:</span>
    Python 3.13.6 reached end-of-life on 2029-10-01.
    It is no longer supported and does not receive security updates.
    We recommend upgrading to the <a href="/downloads/latest/python3/">latest Python release</a>.
</div>"""


@pytest.mark.parametrize(("note", "foot"), [(SUPERSEDED, "a"), (ENDED + SUPERSEDED, "b")])
def test_what_the_site_adds_later_is_no_other_article(note: str, foot: str) -> None:
    plain = article_of(PAGE.format(note="", foot=""))
    assert article_of(PAGE.format(note=note, foot=foot)) == plain


@pytest.mark.parametrize(
    "note",
    [
        SUPERSEDED.replace("/downloads/release/python-3137/", "https://evil.example/"),
        SUPERSEDED.replace("/downloads/release/python-3137/", "/downloads/release/../../x/"),
        SUPERSEDED.replace("Python 3.13.7", "<b>Python</b>"),
        ENDED.replace("We recommend", "<script>x()</script>"),
        "<p>Get it elsewhere.</p>",
    ],
)
def test_anything_else_in_it_is_another_article(note: str) -> None:
    assert article_of(PAGE.format(note=note, foot="")) != article_of(PAGE.format(note="", foot=""))


@pytest.mark.parametrize("page", ["", "<h1>404</h1>", "</table><h1>x</h1>", "<h10>x</table>"])
def test_a_page_without_heading_and_table_has_no_article(page: str) -> None:
    assert article_of(page) is None


@pytest.mark.parametrize(
    "name", ["a page?.html", "a#b", "ü.html", "a/../b", "", "/a", "-a", "x" * 501, "a\nb", 'a"b']
)
def test_what_no_reader_would_take_is_not_written(name: str) -> None:
    odd = ReleaseManifest.of("3.13.6", [TGZ, Entry(EntryKind.DOCS_PAGE, name, Content(1, SHA256))])
    with pytest.raises(BrokenRecord, match="cannot list the documentation page"):
        odd.readable_bytes("here")
    with pytest.raises(BrokenRecord):
        ReleaseManifest.from_bytes(odd.to_bytes(), "here")


def test_neither_is_a_number_or_a_name_that_comes_twice() -> None:
    huge = Entry.of(EntryKind.ROW, "row", {"filesize": 1 << 80})
    for entries in ([huge], [TGZ, TGZ], [Entry(EntryKind.FILE, "a", Content(-1, SHA256))]):
        with pytest.raises(BrokenRecord):
            ReleaseManifest.of("3.13.6", entries).readable_bytes("here")
    assert MANIFEST.readable_bytes("here") == MANIFEST.to_bytes()


@given(some.text(max_size=40))
def test_each_name_is_written_and_read_or_neither(name: str) -> None:
    """What `verify` refuses is never signed: nobody could have the release judged after that."""
    made = ReleaseManifest.of("3.13.6", [Entry(EntryKind.FILE, name, Content(1, SHA256))])
    try:
        raw = made.readable_bytes("here")
    except BrokenRecord:
        with pytest.raises(BrokenRecord):
            ReleaseManifest.from_bytes(made.to_bytes(), "here")
    else:
        assert ReleaseManifest.from_bytes(raw, "here") == made
