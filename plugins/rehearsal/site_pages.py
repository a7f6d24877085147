"""Pages: what users see of the simulated python.org, as far as a release changes it.

Source: the views and templates of apps/downloads, and pydotorg/views.py, of python/pythondotorg
at 0a7e8d1f.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, RedirectResponse, Response

from plugins.model.release import Phase
from plugins.model.schedule_edit import phase_before
from plugins.rehearsal import peps, places
from plugins.rehearsal.sigstore import RELEASE_MANAGER
from plugins.rehearsal.site_layout import missing, page
from plugins.rehearsal.site_rows import Row, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["Pages"]

_FTP: Final = "/ftp/python/"
_LATEST: Final = re.compile(
    r"/(?:downloads|getit)/latest(?:/(python[23]|python3\.\d+|prerelease|pymanager))?/?"
)
_IN_FEED: Final = 10
_KILO: Final = 1024
_BEFORE: Final = {each.value: phase_before(each).value for each in list(Phase)[1:]}
_NUMBER: Final = re.compile(r"Python\s([\d.]+)")


class Pages:
    """The public pages and files."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, request: Request) -> Response | None:
        """Answer one request; None if there is no such page."""
        path = request.url.path
        if path.startswith(_FTP):
            return places.served(places.downloads(self._store), path.removeprefix(_FTP), _FTP)
        rows = Rows(self._store)
        fixed: dict[str, Callable[[Rows], Response]] = {
            "/": _home,
            "/downloads/": self._overview,
            "/getit/": self._overview,
            "/downloads/operating-systems/": _systems,
            "/getit/operating-systems/": _systems,
            "/downloads/feed.rss": _feed,
            "/getit/feed.rss": _feed,
            "/doc/": _documentation,
            "/doc/versions/": _versions,
            "/downloads/metadata/sigstore/": _signers,
        }
        if answer := fixed.get(path):
            return answer(rows)
        if found := _LATEST.fullmatch(path):
            return _latest(rows, found[1] or "python3")
        for form, show in (
            (r"/(?:downloads|getit)/release/([-\w]+)/", self._release),
            (r"/box/([-\w]+)/", _box),
            (r"/(?:downloads|getit)/([-\w]+)/", _system),
        ):
            if found := re.fullmatch(form, path):
                return show(rows, found[1])
        return None

    def _overview(self, rows: Rows) -> Response:
        return _overview(rows, self._cycle())

    def _release(self, rows: Rows, slug: str) -> Response:
        return _release(rows, slug, self._cycle())

    def _cycle(self) -> Mapping[str, Mapping[str, Any]]:
        """The release cycle as the site has it: it asks once an hour, and may get no answer."""
        if self._store.fault("site.no_cycle") is not None:
            return {}
        cycle = peps.cycle(self._store)
        if cycle and self._store.fault("site.old_cycle") is not None:
            return {
                series: {**entry, "status": _BEFORE.get(entry["status"], entry["status"])}
                for series, entry in cycle.items()
            }
        return cycle


def _home(rows: Rows) -> Response:
    box = rows.boxes.get("homepage-downloads", "")
    return page("Welcome to Python.org", ["<h1>Welcome to Python.org</h1>", box])


def _overview(rows: Rows, cycle: Mapping[str, Mapping[str, Any]]) -> Response:
    """Buttons and list come from the tables, the sources from a box, statuses from the PEPs."""
    parts = ["<h1>Download the latest version of Python</h1>"]
    latest = rows.latest()
    if latest is not None:
        name = escape(latest[1]["name"])
        parts += [
            f'<p>{escape(system["name"])}: <a class="button" href="{escape(file["url"])}">'
            f"Download {name}</a></p>"
            for _, system in rows.in_order("os")
            if (file := rows.button(latest[0], system["slug"])) is not None
        ]
        parts.append(f'<p><a class="button" href="{_address(latest[1])}">Download {name}</a></p>')
    shown = [
        row
        for row in rows.table("release").values()
        if row["is_published"] and row["show_on_download_page"] and not row["pre_release"]
    ]
    shown.sort(key=lambda row: str(row["release_date"]), reverse=True)
    shown.sort(key=_version, reverse=True)
    parts += ["<h2>Active Python releases</h2>", *_statuses(rows, cycle)]
    parts += ["<h2>Looking for a specific release?</h2><ol>"]
    for row in shown:
        notes = f'<a href="{escape(row["release_notes_url"])}">Release notes</a>'
        parts.append(f"<li>{_link(row)} {_day(row)} {notes}</li>")
    parts += ["</ol>", rows.boxes.get("download-sources", "")]
    return page("Download Python", parts)


def _statuses(rows: Rows, cycle: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The table of series, as its template has it; of ended series the newest alone."""
    yield (
        '<div class="list-row-headings">\n'
        '    <span class="release-version">Python version</span>\n'
        '    <span class="release-status">Maintenance status</span>\n'
        "</div>\n<ol>"
    )
    found_end = False
    for series in sorted(cycle, key=_minor, reverse=True):
        entry = cycle[series]
        status, first = escape(entry["status"]), escape(entry["first_release"])
        if status == "feature":
            status, first = "pre-release", f"{first} (planned)"
        if status == "end-of-life":
            if found_end:
                continue
            found_end = True
            last = rows.newest(series)
            if last is not None:
                number = _NUMBER.match(last["name"])
                link = f'<a href="{_address(last)}">{number[1] if number else ""}</a>'
                status = f"end-of-life, last release was {link}"
        yield (
            f'<li>\n    <span class="release-version">{series}</span>\n'
            f'    <span class="release-status">{status}</span>\n'
            f'    <span class="release-start">{first}</span>\n'
            f'    <span class="release-end">{escape(entry["end_of_life"])}</span>\n</li>'
        )
    yield "</ol>"


def _signers(_rows: Rows) -> Response:
    """Who signs the bundles of each series, for those who verify them."""
    who = f"<td>{RELEASE_MANAGER.email}</td><td>{RELEASE_MANAGER.connector}</td>"
    series = "".join(f"<tr><td>3.{minor}</td>{who}</tr>" for minor in range(8, 30))
    return page("Sigstore Information", [f"<table>{series}</table>"])


def _systems(rows: Rows) -> Response:
    links = [
        f'<li><a href="/downloads/{row["slug"]}/">{escape(row["name"])}</a></li>'
        for _, row in rows.in_order("os")
    ]
    head = "<h1>Operating systems</h1><ul>"
    return page("Python Operating Systems List", [head, *links, "</ul>"])


def _system(rows: Rows, slug: str) -> Response:
    system = next((row for row in rows.table("os").values() if row["slug"] == slug), None)
    if system is None:
        return missing()
    name = "Python Source Releases"
    if slug != "source":
        name = f"Python Releases for {system['name']}"
    parts = [f"<h1>{escape(name)}</h1>"]
    if latest := rows.latest():
        link = f'<a href="{_address(latest[1])}">Latest Python 3 Release - {latest[1]["name"]}</a>'
        parts.append(f"<ul><li>{link}</li></ul>")
    public = [(pk, row) for pk, row in rows.table("release").items() if row["is_published"]]
    public.sort(key=lambda pair: str(pair[1]["release_date"]), reverse=True)
    for title, early in (("Stable Releases", False), ("Pre-releases", True)):
        parts.append(f"<h2>{title}</h2>")
        for pk, row in public:
            files = rows.files_of(pk, slug).values()
            if row["pre_release"] is not early or not files:
                continue
            link = f'<a href="{_address(row)}">{escape(row["name"])} - {_day(row)}</a>'
            parts.append(f"<h3>{link}</h3>")
            parts += [
                f'<p>Download <a href="{escape(file["url"])}">{escape(file["name"])}</a></p>'
                for file in sorted(files, key=lambda file: str(file["name"]))
            ]
    return page(name, parts)


def _release(rows: Rows, slug: str, cycle: Mapping[str, Mapping[str, Any]]) -> Response:
    """A release's page; drafts are shown to everybody who knows the address."""
    found = [(pk, row) for pk, row in rows.table("release").items() if row["slug"] == slug]
    if not found:
        return missing()
    (pk, row) = found[0]
    parts = [f"<h1>{escape(row['name'])}</h1>", *_ended(row, cycle), *_superseded(rows, row)]
    parts.append(f"<p><strong>Release date:</strong> {_day(row)}</p>")
    parts.append(f"<article>{_rendered(row)}</article>")
    if row["release_notes_url"]:
        parts.append(f'<p><a href="{escape(row["release_notes_url"])}">Full Changelog</a></p>')
    heads = ("Version", "Operating system", "Description", "File size", "SHA-256 checksum")
    parts.append("<h2>Files</h2><table><tr>")
    parts += [f"<th>{each}</th>" for each in heads]
    parts.append("</tr>")
    system = rows.table("os")
    files = [(system[str(file["os"])], file) for file in rows.files_of(pk).values()]

    def place(pair: tuple[Row, Row]) -> tuple[bool, bool, str, str]:
        # Sources come first, what Windows needs last.
        slug, name = str(pair[0]["slug"]), str(pair[1]["name"])
        return (name.startswith("Windows"), slug != "source", slug, name)

    for where, file in sorted(files, key=place):
        parts.append(
            f'<tr><td><a href="{escape(file["url"])}">{escape(file["name"])}</a></td>'
            f"<td>{escape(where['name'])}</td><td>{escape(file['description'])}</td>"
            f"<td>{_size(file['filesize'])}</td>"
            f"<td><code>{_breakable(file['sha256_sum'])}</code></td></tr>"
        )
    parts.append("</table>")
    return page(f"Python Release {row['name']}", parts)


def _ended(row: Row, cycle: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The warning of each page of a series that has ended; Python 2 has, without a day."""
    number = _NUMBER.match(row["name"])
    series = ".".join(number[1].split(".")[:2]) if number else ""
    if not cycle or number is None:
        return
    entry = cycle.get(series)
    ended = entry["status"] == "end-of-life" if entry else series.startswith("2.")
    if ended:
        since = f" on {entry['end_of_life']}" if entry else ""
        yield (
            f'<div class="notice"><span>Warning:</span>\n'
            f"            Python {number[1]} reached end-of-life{since}.\n"
            "            It is no longer supported and does not receive security updates.</div>"
        )


def _superseded(rows: Rows, row: Row) -> Iterator[str]:
    """The note of any page of a series that is not the newest; pre-releases count."""
    number = _NUMBER.match(row["name"])
    series = re.match(r"3\.\d+", number[1]) if number else None
    newest = rows.newest(series[0]) if series and row["version"] == 3 else None
    if newest is not None and newest is not row:
        name = escape(row["name"])
        yield f'<p class="notice">Note: {name} has been superseded by {_link(newest)}.</p>'


def _box(rows: Rows, name: str) -> Response:
    box = rows.boxes.get(name)
    return missing() if box is None else HTMLResponse(box)


def _latest(rows: Rows, what: str) -> Response:
    if what in ("python2", "pymanager"):
        found = rows.latest(2 if what == "python2" else 100)
        if found is None:  # the application looks for a page that it does not have
            return HTMLResponse("<h1>Server Error (500)</h1>", status_code=500)
        return RedirectResponse(_address(found[1]), 302)
    if what == "prerelease":
        row = rows.newest(pre_release=True)
    elif "." in what:
        row = rows.newest(what.removeprefix("python"))
    else:
        latest = rows.latest()
        row = latest[1] if latest else None
    return RedirectResponse(_address(row) if row else "/downloads/", 302)


def _feed(rows: Rows) -> Response:
    public = [row for row in rows.table("release").values() if row["is_published"]]
    public.sort(key=lambda row: str(row["release_date"]), reverse=True)
    items = "".join(
        f"<item><title>{escape(row['name'])}</title>"
        f"<link>https://www.python.org{_address(row)}</link>"
        f"<pubDate>{format_datetime(_moment(row))}</pubDate></item>"
        for row in public[:_IN_FEED]
    )
    head = "<title>Python Releases</title><link>https://www.python.org/downloads/</link>"
    return Response(
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{head}{items}'
        "</channel></rss>",
        media_type="application/rss+xml",
    )


def _documentation(rows: Rows) -> Response:
    latest = rows.latest()
    number = _NUMBER.match(latest[1]["name"]) if latest else None
    which = f"Python {number[1]}" if number else "Current"
    link = f'<a href="https://docs.python.org/3/">Browse {which} Documentation</a>'
    return page("Our Documentation", ["<h1>Python Documentation</h1>", f"<p>{link}</p>"])


def _versions(rows: Rows) -> Response:
    finals = [
        row
        for row in rows.table("release").values()
        if row["is_published"] and not row["pre_release"] and _NUMBER.match(row["name"])
    ]
    finals.sort(key=_version, reverse=True)
    parts = ["<h1>Python documentation by version</h1><ul>"]
    for row in finals:
        number = ".".join(map(str, _version(row)))
        day = _moment(row).strftime("%-d %B %Y")
        link = f'<a href="https://docs.python.org/release/{number}/">Python {number}</a>'
        parts.append(f"<li>{link}, released on {day}</li>")
    return page("Python documentation by version", [*parts, "</ul>"])


def _rendered(row: Row) -> str:
    """The text of a page as the site's sanitizer leaves it: comments are dropped, spans stay.

    Markdown is shown as it was written, which is all that a rehearsal needs of it.
    """
    text = re.sub(r"<!--.*?-->", "", str(row["content"]), flags=re.DOTALL)
    if row["content_markup_type"] == "html":
        return text
    span = r'<span id="[-\w]+"></span>'
    marks = re.findall(span, text)
    return f"<pre>{escape(re.sub(span, '', text))}</pre>{''.join(marks)}"


def _breakable(digest: str) -> str:
    """A digest that a browser may break, so that no reader finds it in one piece."""
    chunks = [escape(digest[start : start + 16]) for start in range(0, len(digest), 16)]
    half = len(chunks) // 2
    parts = ("<wbr>".join(chunks[:half]), "<wbr>".join(chunks[half:]))
    return "<wbr>".join(f"<span>{part}</span>" for part in parts)


def _size(size_bytes: object) -> str:
    """As Django's filesizeformat has it; what is no number is no size."""
    if not isinstance(size_bytes, int):
        return "0 bytes"
    size, units = float(size_bytes), iter(("bytes", "KB", "MB", "GB"))
    unit = next(units)
    while size >= _KILO and unit != "GB":
        size, unit = size / _KILO, next(units)
    return f"{size_bytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


def _address(row: Row) -> str:
    return f"/downloads/release/{row['slug']}/"


def _link(row: Row) -> str:
    return f'<a href="{_address(row)}">{escape(row["name"])}</a>'


def _minor(series: str) -> int:
    return int(series.partition(".")[2])


def _version(row: Row) -> tuple[int, ...]:
    number = _NUMBER.match(row["name"])
    parts = (number[1] if number else "").split(".")
    return tuple(map(int, parts)) if all(map(str.isdigit, parts)) else (0,)


def _moment(row: Row) -> datetime:
    return datetime.fromisoformat(str(row["release_date"]))


def _day(row: Row) -> str:
    """A day as the site's templates write it: Dec. 1, 2026."""
    months = (
        "Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.",
        "Dec.",
    )  # fmt: skip
    moment = _moment(row)
    return f"{months[moment.month - 1]} {moment.day}, {moment.year}"
