"""Forms: the simulated site's admin, with its login and the form in which a page's text is saved.

Like any browser's form it saves all of itself: a box that is not sent is switched off. Fields,
answers and words are those of Django's admin as python.org's application serves it.
"""

from __future__ import annotations

import re
import secrets
from html import escape
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, RedirectResponse, Response

from plugins.rehearsal.site_layout import page
from plugins.rehearsal.site_people import by_password, people
from plugins.rehearsal.site_rows import DEFAULTS, FLAGS, Broken, Row, Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["Admin"]

Form: TypeAlias = "dict[str, str]"

_MARKUPS: Final = ("html", "markdown", "restructuredtext", "plain")
_PREFIX: Final = "files"
_FORM: Final = ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
_VERSIONS: Final = {
    "3": "Python 3.x.x", "2": "Python 2.x.x", "1": "Python 1.x.x", "100": "Python install manager",
}  # fmt: skip
_WRONG: Final = (
    "Please enter the correct username and password for a staff account. Note that both fields "
    "may be case-sensitive."
)


class Admin:
    """The admin: a login, and the form of one release with the forms of its files in it."""

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
            known = request.cookies.get("csrftoken")
            if not known or form.get("csrfmiddlewaretoken") != known:
                forbidden = (
                    "<h1>403 Forbidden</h1><p>CSRF verification failed. Request aborted.</p>"
                )
                return _private(HTMLResponse(forbidden, status_code=403))
        user = self._sessions.get(request.cookies.get("sessionid", ""), "")
        if path == "/admin/login/":
            answer = self._login(request, form, cookie)
        elif not user:
            answer = RedirectResponse(f"/admin/login/?next={path}", status_code=302)
        elif not self._may_change(user):
            answer = page("403", ["<h1>403 Forbidden</h1>"], 403)
        elif found := re.fullmatch(r"/admin/downloads/release/(\d+)/change/", path):
            answer = self._change(found[1], form, cookie)
        else:
            answer = page("Site administration", ["<h1>Select release to change</h1>"])
        answer.set_cookie("csrftoken", cookie, samesite="lax")
        return _private(answer)

    def _may_change(self, user: str) -> bool:
        """Whether the person has the right to change releases, which not all of the staff have."""
        if self._store.fault("site.no_right") is not None:
            return False
        return bool(people(self._store)[user].get("changes", True))

    def _login(self, request: Request, form: Form | None, cookie: str) -> Response:
        if form is not None:
            name, password = form.get("username", ""), form.get("password", "")
            user = by_password(self._store, name, password)
            if user and self._store.fault("site.password_refused") is None:
                session = secrets.token_hex(16)
                self._sessions[session] = user
                target = form.get("next") or request.query_params.get("next", "/admin/")
                answer = RedirectResponse(target, 302)
                answer.set_cookie("sessionid", session, httponly=True, samesite="lax")
                return answer
        wrong = "" if form is None else f'<p class="errornote">{_WRONG}</p>'
        fields = (
            _hidden("csrfmiddlewaretoken", cookie),
            '<input type="text" name="username" autofocus maxlength="150" required>',
            '<input type="password" name="password" autocomplete="current-password" required>',
            _hidden("next", request.query_params.get("next", "/admin/")),
            '<input type="submit" value="Log in">',
        )
        return page("Log in", [wrong, _form(fields, "login-form")])

    def _change(self, pk: str, form: Form | None, cookie: str) -> Response:
        rows = Rows(self._store)
        row = rows.get("release", pk)
        if row is None:
            return RedirectResponse("/admin/", status_code=302)
        if form is None:
            leave = _form([_hidden("csrfmiddlewaretoken", cookie)], "logout-form")
            return page("Change release", [leave, _form(_fields(rows, pk, row, cookie))])
        if any(f"{_PREFIX}-{name}" not in form for name in _FORM):
            return _refused("ManagementForm data is missing or has been tampered with")
        if not all(form.get(name, "").strip() for name in ("name", "slug", "content")):
            return _refused("Please correct the error below.")
        try:
            # The admin saves in one transaction: what fails after the save takes it back.
            rows.save("release", {**row, **_sent(form)}, pk, atomic=True)
        except Broken:
            return HTMLResponse("<h1>Server Error (500)</h1>", status_code=500)
        return RedirectResponse("/admin/downloads/release/", status_code=302)


def _sent(form: Form) -> Row:
    """The fields of the release as the form has them."""
    flags = [name for name in FLAGS if name in DEFAULTS["release"]]
    moment = f"{form.get('release_date_0', '')}T{form.get('release_date_1', '')}Z"
    texts = ("name", "slug", "release_notes_url", "content_markup_type")
    return {
        **{name: form.get(name, "") for name in texts},
        **{name: name in form for name in flags},
        # Browsers send every line break of a text area as two characters.
        "content": form.get("content", ""),
        "version": int(form.get("version", "3")),
        "release_date": moment,
    }


def _fields(rows: Rows, pk: str, row: Row, cookie: str) -> Iterator[str]:
    yield _hidden("csrfmiddlewaretoken", cookie)
    for name in ("name", "slug"):
        yield _input(name, row[name])
    yield _select("version", _VERSIONS, str(row["version"]))
    for name in FLAGS:
        if name in row:
            yield _box(name, ticked=row[name])
    day, clock = str(row["release_date"])[:10], str(row["release_date"])[11:19]
    yield _input("release_date_0", day) + _input("release_date_1", clock)
    yield _hidden("initial-release_date_0", day) + _hidden("initial-release_date_1", clock)
    yield _input("release_page", row["release_page"] or "")
    yield _input("release_notes_url", row["release_notes_url"], "url")
    # HTML drops the first line break of a text area; Django's widget puts one there.
    yield f'<textarea name="content">\n{escape(row["content"])}</textarea>'
    yield _select("content_markup_type", {m: m for m in _MARKUPS}, row["content_markup_type"])
    files = rows.files_of(pk)
    for name, number in zip(_FORM, (len(files), len(files), 0, 1000), strict=True):
        yield _hidden(f"{_PREFIX}-{name}", str(number))
    for number, (key, file) in enumerate(files.items()):
        yield from _file(f"{_PREFIX}-{number}", key, pk, file)
    # What a browser's script copies for a new row.
    yield from _file(f"{_PREFIX}-__prefix__", "", pk, DEFAULTS["release_file"])
    yield '<input type="submit" value="Save" class="default" name="_save">'
    yield '<input type="submit" value="Save and add another" name="_addanother">'
    yield '<input type="submit" value="Save and continue editing" name="_continue">'


def _file(prefix: str, key: str, release: str, file: Row) -> Iterator[str]:
    yield _box(f"{prefix}-DELETE", ticked=False)
    for name, value in file.items():
        if isinstance(value, bool):
            yield _box(f"{prefix}-{name}", ticked=value)
        elif name == "description":
            yield f'<textarea name="{prefix}-{name}">\n{escape(value)}</textarea>'
        elif name not in ("os", "release"):
            yield _input(f"{prefix}-{name}", str(value))
    yield _input(f"{prefix}-os", str(file["os"] or ""))
    yield _hidden(f"{prefix}-id", key) + _hidden(f"{prefix}-release", release)


def _refused(problem: str) -> Response:
    return page("Change release", [f'<p class="errornote">{problem}</p>'])


def _private(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "private"
    return answer


def _form(fields: Iterable[str], name: str = "release_form") -> str:
    return f'<form method="post" id="{name}">' + "\n".join(fields) + "</form>"


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _input(name: str, value: str, kind: str = "text") -> str:
    return f'<input type="{kind}" name="{name}" value="{escape(value)}">'


def _box(name: str, *, ticked: bool) -> str:
    return f'<input type="checkbox" name="{name}"{" checked" if ticked else ""}>'


def _select(name: str, options: dict[str, str], chosen: str) -> str:
    shown = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{label}</option>'
        for value, label in options.items()
    )
    return f'<select name="{name}">{shown}</select>'
