"""The simulated python.org: the API of its downloads (version 2), its pages and its admin."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.routing import Route

from plugins.rehearsal.site_api import Api
from plugins.rehearsal.site_forms import Admin
from plugins.rehearsal.site_layout import missing, slash_added, with_keys
from plugins.rehearsal.site_pages import Pages
from plugins.rehearsal.site_people import people
from plugins.rehearsal.site_rows import Row, Rows

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from plugins.model.version import Version
    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "app", "section", "seed"]

FAULTS: Final = {
    "site.500_after_write": "A write is stored and answered with status 500.",
    "site.cdn_unreachable": (
        "The site's own purge fails: a release is stored, its boxes stay old, the answer is 500."
    ),
    "site.429": "A request is throttled; the argument is Retry-After in seconds.",
    "site.garbled": "A field of a list has the wrong type.",
    "site.no_system": "An operating system has no record; the argument is its slug.",
    "site.no_cycle": "The site gets no answer from the PEPs: its table of series is empty.",
    "site.old_cycle": "The site still has each series in the phase before its own.",
    "site.no_right": "The login to the admin works, without the permission to change releases.",
    "site.password_refused": "The admin refuses the password.",
}
_FLAGS: Final = (
    ("is_latest", "latest"),
    ("pre_release", "pre-release"),
    ("show_on_download_page", "on the download page"),
)
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def seed(store: Store, before: Version | None = None) -> dict[str, str]:
    """The site is as on the morning of a release: ``before`` is out, and the latest if final.

    What is there already is kept. Returns what the site wants to hear, by the names of
    [credentials].
    """
    rows = Rows(store)
    if before is not None and not rows.table("release"):
        _release_before(rows, before)
    person = people(store)["rm"]
    return {"site": person["token"], "site_admin": f"rm:{person['password']}"}


def _release_before(rows: Rows, version: Version) -> None:
    """The last of Python 2, a final of Python 3 and the one before, each with its source archive.

    Without a latest release of both the site does not make its boxes.
    """
    _add(rows, "2.7.18", "2.7.18", "2020-04-20T12:00:00Z", major=2)
    if version.is_prerelease:
        final = f"3.{version.minor - 1}.5"
        _add(rows, final, final, "2019-10-01T12:00:00Z")
    _add(rows, str(version), version.folder, "2020-01-01T12:00:00Z", early=version.is_prerelease)


def _add(
    rows: Rows, version: str, folder: str, date: str, *, major: int = 3, early: bool = False
) -> None:
    """A public release, the latest of its kind if it is a final one."""
    slug = f"python-{version}".replace(".", "")
    own = {"name": f"Python {version}", "slug": slug, "release_date": date, "version": major}
    pk = rows.save("release", {**own, "pre_release": early})
    source = next(key for key, row in rows.table("os").items() if row["slug"] == "source")
    file = {
        "name": "XZ compressed source tarball",
        "slug": f"{slug}-source",
        "os": source,
        "release": pk,
        "url": f"https://www.python.org/ftp/python/{folder}/Python-{version}.tar.xz",
        "is_source": True,
        "download_button": True,
    }
    rows.save("release_file", file)
    flags = {"is_published": True, "is_latest": not early}
    rows.save("release", {**rows.table("release")[pk], **flags}, pk)


def app(store: Store) -> Starlette:
    """All parts of the site."""
    api, admin, pages = Api(store), Admin(store), Pages(store)

    async def answer(request: Request) -> Response:
        path = request.url.path
        if path.startswith("/admin/"):
            return with_keys(await admin(request), path)
        found = await (api if path.startswith("/api/") else pages)(request)
        if found is None and not path.endswith("/") and "." not in path.rpartition("/")[2]:
            # Answered before any of the site's own headers is added.
            return slash_added(path, request.url.query)
        if path.startswith("/ftp/") and found is not None:
            return found
        return with_keys(found or missing(), path)

    async def endpoint(request: Request) -> Response:
        return await answer(request)

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=_METHODS)])


def section(store: Store) -> str:
    """What a user sees of the newest release: its page, its files, its flags."""
    rows = Rows(store)
    found = list(rows.table("release").items())
    if not found:
        return "<section><h2>python.org</h2><p>There is no release yet.</p></section>"
    releases = "".join(_shown(store, rows, pk, row) for pk, row in reversed(found))
    return f"<section><h2>python.org, as a user sees it</h2>{releases}</section>"


def _shown(store: Store, rows: Rows, pk: str, row: Row) -> str:
    tags = ["public" if row["is_published"] else "draft"]
    tags += [tag for flag, tag in _FLAGS if row[flag]]
    base = store.load("addresses", {}).get("cdn", "")
    link = f'<a href="{base}/downloads/release/{escape(row["slug"])}/">{escape(row["name"])}</a>'
    head = f"<h3>{link}" + "".join(f'<span class="tag">{each}</span>' for each in tags) + "</h3>"
    text = f"<pre>{escape(row['content'])}</pre>" if row["content"] else ""
    if text:
        text = f"<details><summary>its text</summary>{text}</details>"
    files = sorted(rows.files_of(pk).values(), key=lambda each: (str(each["os"]), each["name"]))
    lines = "".join(_line(rows, file, base) for file in files)
    heads = '<tr><th>file</th><th>system</th><th class="number">bytes</th><th>sha256</th></tr>'
    return f"{head}{text}<table>{heads}{lines}</table>" if lines else head + text


def _line(rows: Rows, file: Row, base: str) -> str:
    path = str(file["url"]).partition("python.org")[2]
    button = '<span class="tag">button</span>' if file["download_button"] else ""
    return (
        f'<tr><td><a href="{base}{escape(path)}">{escape(file["name"])}</a>{button}</td>'
        f"<td>{escape(rows.table('os')[str(file['os'])]['name'])}</td>"
        f'<td class="number">{file["filesize"]:,}</td>'
        f"<td><code>{escape(file['sha256_sum'][:16])}…</code></td></tr>"
    )
