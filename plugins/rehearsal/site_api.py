"""API: version 2 of python.org's downloads API as the application answers (Django REST framework).

What is odd here is odd there: once a system's button is on, no further row of that system can
be made, and a second button that is switched on later is a page of HTML with status 500. Version
1 is not simulated: no client of ours speaks it. Source: apps/downloads/api.py and pydotorg/drf.py
of python/pythondotorg at 0a7e8d1f; tests/rehearsal/test_site_contract.py can ask that application
the same.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, JSONResponse, Response

from plugins.rehearsal.site_fields import FIELDS, hydrated, moment
from plugins.rehearsal.site_people import Throttle, by_token, people
from plugins.rehearsal.site_rows import DEFAULTS, FLAGS, Broken, Invalid, Row, Rows

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["Api"]

_DAY_S: Final = 86_400
_GUEST_CALLS: Final = 100
_USER_CALLS: Final = 3_000
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_LISTS: Final = ("GET", "POST", "HEAD", "OPTIONS")
_ONE: Final = ("GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_BY_RELEASE: Final = ("DELETE", "OPTIONS")
_PARSES: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_MODELS: Final = {"os": "OS", "release": "Release", "release_file": "ReleaseFile"}
_FILTERS: Final = {
    "os": {"name", "slug"},
    "release": {"name", "slug", "is_published", "pre_release", "version", "release_date"},
    "release_file": {"name", "slug", "description__contains", "os", "release"},
}
_PATH: Final = re.compile(r"/api/v2/downloads/(os|release|release_file)/(?:([^/.]+)/)?")


class _Refused(Exception):
    """The request ends with this answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class Api:
    """The three resources of ``/api/v2/downloads/``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guests = Throttle(_GUEST_CALLS, _DAY_S)
        self._users = Throttle(_USER_CALLS, _DAY_S)

    async def __call__(self, request: Request) -> Response | None:
        """Answer one request; None if the API has nothing at that path."""
        found = _PATH.fullmatch(request.url.path)
        if found is None:
            return None
        kind, pk = found[1], found[2] or ""
        allowed: tuple[str, ...] = _ONE if pk else _LISTS
        if (kind, pk) == ("release_file", "delete_by_release"):
            allowed = _BY_RELEASE
        try:
            answer = await self._answer(request, kind, pk, allowed)
        except _Refused as refused:
            answer = refused.answer
        except Invalid as invalid:
            answer = JSONResponse(invalid.fields, status_code=400)
        except Broken:
            # Not the framework's answer any more, so it has none of its headers.
            return HTMLResponse("<h1>Server Error (500)</h1>", status_code=500)
        answer.headers["Allow"] = ", ".join(allowed)
        return answer

    async def _answer(
        self, request: Request, kind: str, pk: str, allowed: tuple[str, ...]
    ) -> Response:
        staff = self._staff(request)
        method = request.method
        if method not in allowed:
            raise _Refused(_detail(405, f'Method "{method}" not allowed.'))
        if method == "OPTIONS":
            name = f"{_MODELS[kind].title()} {'Instance' if pk else 'List'}"
            about = {"name": name, "renders": ["application/json"], "parses": list(_PARSES)}
            return JSONResponse(about)
        rows = Rows(self._store)
        if allowed is _BY_RELEASE:
            return _delete_by_release(request, rows)
        if method in ("GET", "HEAD"):
            return self._read(request, rows, kind, pk, staff=staff)
        if method == "POST":
            return await self._create(request, rows, kind)
        return await self._change(request, rows, kind, pk)

    def _staff(self, request: Request) -> bool:
        """Whether a member of the staff asks. Refused if a token is wrong or too many calls."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user, safe = "", request.method in _SAFE
        if scheme.lower() == "token":  # an ApiKey is not even looked at here
            user = self._user(token)
        staff = bool(user) and bool(people(self._store)[user]["staff"])
        if not safe and not user:
            raise _Refused(_unauthorized("Authentication credentials were not provided."))
        if not safe and not staff:
            raise _Refused(_detail(403, "You do not have permission to perform this action."))
        # The framework asks for the right first: who has none is not counted.
        throttle = self._users if user else self._guests
        wait_s = throttle.wait_s(user)
        if (ordered := self._store.fault("site.429")) is not None:
            wait_s = int(ordered or 1)
        if wait_s:
            unit = "second" if wait_s == 1 else "seconds"
            problem = f"Request was throttled. Expected available in {wait_s} {unit}."
            raise _Refused(_detail(429, problem, {"Retry-After": str(wait_s)}))
        throttle.count(user)
        return staff

    def _user(self, token: str) -> str:
        if not token.strip():
            raise _Refused(_unauthorized("Invalid token header. No credentials provided."))
        if " " in token.strip():
            problem = "Invalid token header. Token string should not contain spaces."
            raise _Refused(_unauthorized(problem))
        user = by_token(self._store, token.strip())
        if not user:
            raise _Refused(_unauthorized("Invalid token."))
        if not people(self._store)[user]["active"]:
            raise _Refused(_unauthorized("User inactive or deleted."))
        return user

    def _read(self, request: Request, rows: Rows, kind: str, pk: str, *, staff: bool) -> Response:
        def seen(row: Row) -> bool:
            return kind != "release" or bool(row["is_published"]) or staff

        if pk:
            row = rows.get(kind, pk)
            if row is None or not seen(row):
                raise _Refused(_not_found(kind, pk))
            return JSONResponse(_shown(request, kind, pk, row))
        wanted = _filters(request, rows, kind)
        found = [
            _shown(request, kind, key, row)
            for key, row in rows.in_order(kind)
            if seen(row) and all(_matches(row, *each) for each in wanted.items())
        ]
        if kind == "os" and (unknown := self._store.fault("site.no_system")) is not None:
            found = [each for each in found if each["slug"] != unknown]
        if self._store.fault("site.garbled") is not None:
            found = [{**each, "slug": [each["slug"]]} for each in found]
        return JSONResponse(found)

    async def _create(self, request: Request, rows: Rows, kind: str) -> Response:
        sent = hydrated(rows, kind, await _sent(request), None, whole=True)
        row = {**DEFAULTS[kind], **sent}
        if kind == "release_file":
            rows.check_urls(row)
            _no_button_yet(rows, row)
        pk = rows.save(kind, row)
        made = _shown(request, kind, pk, Rows(self._store).table(kind)[pk])
        return JSONResponse(made, status_code=201, headers={"Location": made["resource_uri"]})

    async def _change(self, request: Request, rows: Rows, kind: str, pk: str) -> Response:
        row = rows.get(kind, pk)
        if row is None:
            raise _Refused(_not_found(kind, pk))
        if request.method == "DELETE":
            rows.delete(kind, pk)
            return Response(status_code=204)
        whole = request.method == "PUT"
        sent = hydrated(rows, kind, await _sent(request, partial=not whole), row, whole=whole)
        changed = {**row, **sent}
        if kind == "release_file":
            rows.check_urls(changed, row)
            if any(str(changed[field]) != str(row[field]) for field in ("os", "release")):
                _no_button_yet(rows, changed)
        rows.save(kind, changed, pk)
        return JSONResponse(_shown(request, kind, pk, changed))


async def _sent(request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The object that was sent, as JSON or as a form; nothing sent is an empty one."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if not body:
        return {}
    if kind == "application/json":
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _Refused(_detail(400, f"JSON parse error - {error}")) from None
        if not isinstance(found, dict):
            problem = f"Invalid data. Expected a dictionary, but got {type(found).__name__}."
            raise Invalid({"non_field_errors": [problem]})
        return found
    if kind == "application/x-www-form-urlencoded":
        # A form has no word for an unticked box, so one that is not there is switched off.
        unticked: dict[str, Any] = {} if partial else dict.fromkeys(FLAGS, False)
        return {**unticked, **dict(parse_qsl(body.decode(), keep_blank_values=True))}
    raise _Refused(_detail(415, f'Unsupported media type "{kind}" in request.'))


def _no_button_yet(rows: Rows, row: Row) -> None:
    """The bug: asked of every new row, also of one without a button."""
    pair = (str(row["os"]), str(row["release"]))
    if any(
        each["download_button"] and (str(each["os"]), str(each["release"])) == pair
        for each in rows.table("release_file").values()
    ):
        problem = "The fields os, release must make a unique set."
        raise Invalid({"non_field_errors": [problem]})


def _delete_by_release(request: Request, rows: Rows) -> Response:
    release = request.query_params.get("release", "")
    if not re.fullmatch(r"\s*-?\d+\s*", release):
        return Response(status_code=400)
    rows.delete("release_file", *rows.files_of(release.strip()))
    return Response(status_code=204)


def _filters(request: Request, rows: Rows, kind: str) -> dict[str, str]:
    """What is asked for. Unknown filters are ignored, except among files, and so are blank ones."""
    wanted = {name: value for name, value in request.query_params.items() if value}
    for field, value in wanted.items():
        if kind == "release_file" and field in ("os", "release") and not rows.get(field, value):
            problem = "Select a valid choice. That choice is not one of the available choices."
            raise Invalid({field: [problem]})
        if kind == "release" and field == "version" and value not in ("1", "2", "3", "100"):
            problem = f"Select a valid choice. {value} is not one of the available choices."
            raise Invalid({field: [problem]})
        if kind == "release" and field == "release_date":
            try:
                wanted[field] = moment(value)
            except ValueError:
                raise Invalid({field: ["Enter a valid date/time."]}) from None
    unknown = [name for name in request.query_params if name not in _FILTERS[kind]]
    if unknown and kind == "release_file":
        raise Invalid({"error": [_not_allowed(name) for name in unknown]})
    return {name: value for name, value in wanted.items() if name not in unknown}


def _not_allowed(name: str) -> str:
    field, separator, lookup = name.rpartition("__")
    if not separator:
        field, lookup = name, "exact"
    return f"'{lookup}' is not an allowed filter on the '{field}' field."


def _matches(row: Row, name: str, value: str) -> bool:
    field, _, rest = name.partition("__")
    if rest == "contains":
        return value in row[field]
    if field in FLAGS:
        wanted = {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
        return wanted is None or row[field] is wanted
    return str(row[field]) == value


def _shown(request: Request, kind: str, pk: str, row: Row) -> dict[str, Any]:
    base = f"{request.url.scheme}://{request.url.netloc}/api/v2/downloads"
    uri = f"{base}/{kind}/{pk}/"
    shown = {field: uri if field == "resource_uri" else row[field] for field in FIELDS[kind]}
    for field in ("os", "release"):
        if field in shown:
            shown[field] = f"{base}/{field}/{shown[field]}/"
    return {**shown, "resource_uri": uri}


def _not_found(kind: str, pk: str) -> Response:
    number = pk.isascii() and pk.isdigit()
    return _detail(404, f"No {_MODELS[kind]} matches the given query." if number else "Not found.")


def _unauthorized(detail: str) -> Response:
    return _detail(401, detail, {"WWW-Authenticate": "Token"})


def _detail(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)
