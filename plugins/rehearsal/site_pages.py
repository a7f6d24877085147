"""Pages: what users see of the rehearsed python.org, and the admin where a page's text is saved."""

from __future__ import annotations

import re
import secrets
from html import escape
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, RedirectResponse, Response

from plugins.rehearsal import places
from plugins.rehearsal.site_people import by_password
from plugins.rehearsal.site_rows import DEFAULTS, FLAGS, Broken, Row, Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["Admin", "Pages"]

Form: TypeAlias = "dict[str, str]"

_MARKUPS: Final = ("html", "markdown", "restructuredtext", "plain")
_PREFIX: Final = "files"
_FORM: Final = ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")


class Pages:
    """The public pages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path = request.url.path
        rows = Rows(self._store)
        if path.startswith("/ftp/python/"):
            below = path.removeprefix("/ftp/python/")
            return places.served(places.downloads(self._store), below, "/ftp/python/")
        by_form = {
            r"/downloads/release/([-\w]+)/": self._release,
            r"/box/([-\w]+)/": self._box,
            r"/downloads/latest()/": self._latest,
            r"/downloads/latest/(\w+(?:\.\d+)?)/": self._latest,
        }
        for form, answer in by_form.items():
            if found := re.fullmatch(form, path):
                return answer(rows, found[1])
        if path in ("/", "/downloads/", "/downloads/feed.rss"):
            return _page("Download Python", self._overview(rows))
        if found := re.fullmatch(r"/downloads/([-\w]+)/", path):
            return self._system(rows, found[1])
        return _missing()

    def _release(self, rows: Rows, slug: str) -> Response:
        """A release's page; drafts are shown to everybody who knows the address."""
        found = [(pk, row) for pk, row in rows.table("release").items() if row["slug"] == slug]
        if not found:
            return _missing()
        (pk, row) = found[0]
        parts = [f"<h1>{escape(row['name'])}</h1>", *_superseded(rows, row)]
        parts.append(f"<p><strong>Release date:</strong> {row['release_date'][:10]}</p>")
        parts.append(f"<article>{_rendered(row)}</article>")
        if row["release_notes_url"]:
            parts.append(f'<p><a href="{escape(row["release_notes_url"])}">Full Changelog</a></p>')
        parts.append("<h2>Files</h2><table>")
        for file in sorted(rows.files_of(pk).values(), key=lambda each: str(each["name"])):
            system = rows.table("os")[str(file["os"])]["name"]
            parts.append(
                f'<tr><td><a href="{escape(file["url"])}">{escape(file["name"])}</a></td>'
                f"<td>{escape(system)}</td><td>{escape(file['description'])}</td>"
                f"<td>{file['filesize']}</td><td>{escape(file['sha256_sum'])}</td></tr>"
            )
        parts.append("</table>")
        return _page(f"Python Release {row['name']}", parts)

    def _box(self, rows: Rows, name: str) -> Response:
        told = rows.boxes.get(name)
        return HTMLResponse(f"<pre>{escape(told)}</pre>") if told else _missing()

    def _overview(self, rows: Rows) -> Iterator[str]:
        shown = [
            row
            for row in rows.published()
            if row["show_on_download_page"] and not row["pre_release"]
        ]
        for row in sorted(shown, key=lambda each: str(each["release_date"]), reverse=True):
            yield f'<p><a href="/downloads/release/{row["slug"]}/">{escape(row["name"])}</a></p>'

    def _system(self, rows: Rows, slug: str) -> Response:
        systems = [row for row in rows.table("os").values() if row["slug"] == slug]
        if not systems:
            return _missing()
        parts = [f"<h1>Python Releases for {escape(systems[0]['name'])}</h1>"]
        for pk, row in rows.table("release").items():
            if row["is_published"]:
                parts.append(f"<h2>{escape(row['name'])}</h2>")
                parts += [
                    f'<p><a href="{escape(file["url"])}">Download {escape(file["name"])}</a></p>'
                    for file in rows.files_of(pk, slug).values()
                ]
        return _page("Downloads", parts)

    def _latest(self, rows: Rows, what: str) -> Response:
        if what == "prerelease":
            early = [row for row in rows.published() if row["pre_release"]]
            found = max(early, key=lambda row: str(row["release_date"]), default=None)
        else:
            # "python3" and nothing at all mean the latest of all.
            series = what.removeprefix("python") if "." in what else ""
            found = rows.latest(series)
        target = f"/downloads/release/{found['slug']}/" if found else "/downloads/"
        return RedirectResponse(target, status_code=302)


class Admin:
    """The admin: a login, and the form of one release with the forms of its files in it.

    Like any browser's form it saves all of itself: a box that is not sent is switched off.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sessions: dict[str, str] = {}

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path = request.url.path
        cookie = request.cookies.get("csrftoken") or secrets.token_hex(16)
        form: Form | None = None
        if request.method == "POST":
            form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            if form.get("csrfmiddlewaretoken") != request.cookies.get("csrftoken"):
                return HTMLResponse("<h1>CSRF verification failed.</h1>", status_code=403)
        if path == "/admin/login/":
            answer = self._login(request, form, cookie)
        elif request.cookies.get("sessionid") not in self._sessions:
            answer = RedirectResponse(f"/admin/login/?next={path}", status_code=302)
        elif found := re.fullmatch(r"/admin/downloads/release/(\d+)/change/", path):
            answer = self._change(found[1], form, cookie)
        else:
            answer = _missing()
        answer.set_cookie("csrftoken", cookie, samesite="lax")
        return answer

    def _login(self, request: Request, form: Form | None, cookie: str) -> Response:
        if form is not None:
            name, password = str(form.get("username", "")), str(form.get("password", ""))
            if user := by_password(self._store, name, password):
                session = secrets.token_hex(16)
                self._sessions[session] = user
                answer = RedirectResponse(request.query_params.get("next", "/admin/"), 302)
                answer.set_cookie("sessionid", session, httponly=True, samesite="lax")
                return answer
        wrong = "<p class=errornote>Please enter the correct username and password.</p>"
        fields = (
            _hidden("csrfmiddlewaretoken", cookie),
            '<input type="text" name="username"><input type="password" name="password">',
        )
        return _page("Log in", [wrong if form is not None else "", _form(fields)])

    def _change(self, pk: str, form: Form | None, cookie: str) -> Response:
        rows = Rows(self._store)
        row = rows.get("release", pk)
        if row is None:
            return _missing()
        if form is None:
            return _page("Change release", [_form(_fields(rows, pk, row, cookie))])
        if any(f"{_PREFIX}-{name}" not in form for name in _FORM):
            return _page(
                "Change release", ["<p class=errornote>ManagementForm data is missing</p>"]
            )
        try:
            rows.save("release", {**row, **_sent(form)}, pk)
        except Broken:
            return HTMLResponse("<h1>Server Error (500)</h1>", status_code=500)
        return RedirectResponse("/admin/downloads/release/", status_code=302)


def _sent(form: Form) -> Row:
    """The fields of the release as the form has them."""
    flags = [name for name in FLAGS if name in DEFAULTS["release"]]
    moment = f"{form.get('release_date_0', '')}T{form.get('release_date_1', '')}Z"
    texts = ("name", "slug", "release_notes_url", "content_markup_type")
    return {
        **{name: str(form.get(name, "")) for name in texts},
        **{name: name in form for name in flags},
        # Browsers send every line break of a text area as two characters.
        "content": str(form.get("content", "")),
        "version": int(str(form.get("version", 3))),
        "release_date": moment,
    }


def _fields(rows: Rows, pk: str, row: Row, cookie: str) -> Iterator[str]:
    yield _hidden("csrfmiddlewaretoken", cookie)
    for name in ("name", "slug", "release_notes_url"):
        yield f'<input type="text" name="{name}" value="{escape(row[name])}">'
    yield f'<input type="text" name="release_date_0" value="{row["release_date"][:10]}">'
    yield f'<input type="text" name="release_date_1" value="{row["release_date"][11:19]}">'
    yield _select("version", {"3": "Python 3.x.x", "2": "Python 2.x.x"}, str(row["version"]))
    for name in FLAGS:
        if name in row:
            checked = " checked" if row[name] else ""
            yield f'<input type="checkbox" name="{name}"{checked}>'
    yield f'<input type="text" name="release_page" value="{row["release_page"] or ""}">'
    # HTML drops the first line break of a text area; Django's widget puts one there.
    yield f'<textarea name="content">\n{escape(row["content"])}</textarea>'
    yield _select("content_markup_type", {m: m for m in _MARKUPS}, row["content_markup_type"])
    files = rows.files_of(pk)
    for name, number in zip(_FORM, (len(files), len(files), 0, 1000), strict=True):
        yield _hidden(f"{_PREFIX}-{name}", str(number))
    for number, (key, file) in enumerate(files.items()):
        yield _hidden(f"{_PREFIX}-{number}-id", key)
        for name in ("name", "slug", "url", "sha256_sum"):
            value = escape(file[name])
            yield f'<input type="text" name="{_PREFIX}-{number}-{name}" value="{value}">'
        checked = " checked" if file["download_button"] else ""
        yield f'<input type="checkbox" name="{_PREFIX}-{number}-download_button"{checked}>'
    yield '<input type="submit" name="_save" value="Save">'


def _superseded(rows: Rows, row: Row) -> list[str]:
    """The note that a newer release of the series is out; pre-releases count."""
    found = re.match(r"Python (\d+\.\d+)\.", row["name"])
    newest = rows.latest(found[1]) if found else None
    if newest is None or newest["slug"] == row["slug"]:
        return []
    if str(newest["release_date"]) <= str(row["release_date"]):
        return []
    link = f'<a href="/downloads/release/{newest["slug"]}/">{escape(newest["name"])}</a>'
    return [f"<p>Note: {escape(row['name'])} has been superseded by {link}.</p>"]


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


def _page(title: str, parts: Iterable[str]) -> HTMLResponse:
    body = "\n".join(parts)
    head = (
        f'<!doctype html><html lang="en"><head><title>{escape(title)} | Python.org</title></head>'
    )
    return HTMLResponse(f"{head}<body>{body}</body></html>")


def _form(fields: Iterable[str]) -> str:
    return '<form method="post">' + "\n".join(fields) + "</form>"


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _select(name: str, options: dict[str, str], chosen: str) -> str:
    told = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{label}</option>'
        for value, label in options.items()
    )
    return f'<select name="{name}">{told}</select>'


def _missing() -> Response:
    return HTMLResponse("<h1>Not Found</h1>", status_code=404)
