"""Version 2 of the rehearsed site's API, after what was observed of the real one (DRF).

What is odd here is odd there: once a system's button stands, no further row of that system can
be made, and a second button that is switched on later is a page of HTML with status 500.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from plugins.rehearsal.site_people import Throttle, by_token, people
from plugins.rehearsal.site_rows import (
    DEFAULTS,
    FLAGS,
    SIDECARS,
    TEXTS,
    Broken,
    Invalid,
    Row,
    Rows,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["V2"]

_DAY_S: Final = 86_400
_GUEST_CALLS: Final = 100
_USER_CALLS: Final = 3_000
_NEEDED: Final = {
    "os": ("name", "slug"),
    "release": ("name", "slug"),
    "release_file": ("name", "slug", "os", "release", "url"),
}
_FIELDS: Final = {
    "os": ("name", "slug"),
    "release": tuple(f for f in DEFAULTS["release"] if not f.startswith("content")),
    "release_file": tuple(DEFAULTS["release_file"]),
}
_FILTERS: Final = {
    "os": {"name", "slug"},
    "release": {"name", "slug", "is_published", "pre_release", "version", "release_date"},
    "release_file": {"name", "slug", "description__contains", "os", "release"},
}
_VERSIONS: Final = (1, 2, 3, 100)
_REQUIRED: Final = "This field is required."


class _Refused(Exception):
    """The request ends with this answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class V2:
    """The three resources of ``/api/v2/downloads/``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guests = Throttle(_GUEST_CALLS, _DAY_S)
        self._users = Throttle(_USER_CALLS, _DAY_S)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path = request.url.path
        found = re.fullmatch(r"/api/v2/downloads/(os|release|release_file)(?:/([^/]+))?(/)?", path)
        if found is None:
            return Response(status_code=404)
        if not found[3]:
            return RedirectResponse(f"{path}/", status_code=301)
        try:
            return await self._answer(request, found[1], found[2] or "")
        except _Refused as refused:
            return refused.answer
        except Invalid as invalid:
            return JSONResponse(invalid.fields, status_code=400)
        except Broken:
            return HTMLResponse("<h1>Server Error (500)</h1>", status_code=500)

    async def _answer(self, request: Request, kind: str, pk: str) -> Response:
        staff = self._staff(request)
        rows = Rows(self._store)
        method = request.method
        if pk == "delete_by_release" and kind == "release_file":
            return self._delete_by_release(request, rows)
        if method == "GET":
            return self._read(request, rows, kind, pk, staff=staff)
        if method == "POST" and not pk:
            return await self._create(request, rows, kind)
        return await self._change(request, rows, kind, pk)

    async def _change(self, request: Request, rows: Rows, kind: str, pk: str) -> Response:
        method = request.method
        row = rows.get(kind, pk)
        if method not in ("PUT", "PATCH", "DELETE") or not pk:
            return _detail(405, f'Method "{method}" not allowed.')
        if row is None:
            return _detail(404, "Not found.")
        if method == "DELETE":
            rows.delete(kind, pk)
            return Response(status_code=204)
        sent = await self._sent(request, rows, kind, row, whole=method == "PUT")
        rows.save(kind, {**row, **sent}, pk)
        return JSONResponse(_told(request, kind, pk, {**row, **sent}))

    def _staff(self, request: Request) -> bool:
        """Whether a member of the staff asks. Refused if a token is wrong or too many calls."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = ""
        if scheme.lower() == "token":  # an ApiKey is not even looked at here
            user = by_token(self._store, token.strip())
            if not user:
                raise _Refused(_unauthorized("Invalid token."))
        throttle = self._users if user else self._guests
        wait_s = throttle.wait_s(user)
        if (ordered := self._store.fault("site.429")) is not None:
            wait_s = int(ordered or 1)
        if wait_s:
            told = f"Request was throttled. Expected available in {wait_s} seconds."
            raise _Refused(_detail(429, told, {"Retry-After": str(wait_s)}))
        throttle.count(user)
        staff = bool(user) and bool(people(self._store)[user]["staff"])
        if request.method != "GET" and not user:
            raise _Refused(_unauthorized("Authentication credentials were not provided."))
        if request.method != "GET" and not staff:
            told = "You do not have permission to perform this action."
            raise _Refused(_detail(403, told))
        return staff

    def _read(self, request: Request, rows: Rows, kind: str, pk: str, *, staff: bool) -> Response:
        def seen(row: Row) -> bool:
            return kind != "release" or bool(row["is_published"]) or staff

        if pk:
            row = rows.get(kind, pk)
            if row is None or not seen(row):
                return _detail(404, "Not found.")
            return JSONResponse(_told(request, kind, pk, row))
        wanted = self._filters(request, rows, kind)
        return JSONResponse(
            [
                _told(request, kind, key, row)
                for key, row in rows.table(kind).items()
                if seen(row) and all(_matches(row, *each) for each in wanted.items())
            ]
        )

    def _filters(self, request: Request, rows: Rows, kind: str) -> dict[str, str]:
        wanted = dict(request.query_params.items())
        unknown = [name for name in wanted if name not in _FILTERS[kind]]
        if unknown and kind == "release_file":
            raise Invalid({name: ["Unknown filter."] for name in unknown})
        for field in ("os", "release"):
            if kind == "release_file" and field in wanted and not rows.get(field, wanted[field]):
                told = "Select a valid choice. That choice is not one of the available choices."
                raise Invalid({field: [told]})
        return {name: value for name, value in wanted.items() if name not in unknown}

    async def _create(self, request: Request, rows: Rows, kind: str) -> Response:
        sent = await self._sent(request, rows, kind, None, whole=True)
        row = {**DEFAULTS[kind], **sent}
        if kind == "release_file":
            self._no_button_yet(rows, row)
        pk = rows.save(kind, row)
        told = _told(request, kind, pk, Rows(self._store).table(kind)[pk])
        return JSONResponse(told, status_code=201, headers={"Location": told["resource_uri"]})

    def _no_button_yet(self, rows: Rows, row: Row) -> None:
        """The bug: asked of every new row, also of one without a button."""
        if any(
            each["download_button"] and (each["os"], each["release"]) == (row["os"], row["release"])
            for each in rows.table("release_file").values()
        ):
            told = "The fields os, release must make a unique set."
            raise Invalid({"non_field_errors": [told]})

    async def _sent(
        self, request: Request, rows: Rows, kind: str, before: Row | None, *, whole: bool
    ) -> Row:
        """The fields that were sent, checked one by one."""
        try:
            sent = json.loads(await request.body())
        except ValueError:
            raise _Refused(_detail(400, "JSON parse error")) from None
        wrong: dict[str, list[str]] = {}
        row: Row = {}
        for field in _FIELDS[kind]:
            if field not in sent:
                if whole and field in _NEEDED[kind]:
                    wrong[field] = [_REQUIRED]
                continue
            try:
                row[field] = _checked(rows, kind, field, sent[field], before)
            except ValueError as error:
                wrong[field] = [str(error)]
        if wrong:
            raise Invalid(wrong)
        if kind == "release_file":
            rows.check_urls({**DEFAULTS[kind], **(before or {}), **row}, before)
        return row

    def _delete_by_release(self, request: Request, rows: Rows) -> Response:
        if request.method != "DELETE":
            return _detail(405, f'Method "{request.method}" not allowed.')
        release = request.query_params.get("release", "")
        if not re.fullmatch(r"-?\d+", release):
            return Response(status_code=400)
        rows.delete("release_file", *rows.files_of(release))
        return Response(status_code=204)


def _checked(rows: Rows, kind: str, field: str, value: object, before: Row | None) -> object:  # noqa: C901, PLR0911 - one rule for each kind of field
    if kind == "release_file" and field in ("os", "release"):
        found = re.fullmatch(rf"(?:https?://[^/]+)?/api/v2/downloads/{field}/(\d+)/", str(value))
        if found is None:
            message = "Invalid hyperlink - No URL match."
            raise ValueError(message)
        if rows.get(field, found[1]) is None:
            message = "Invalid hyperlink - Object does not exist."
            raise ValueError(message)
        return found[1]
    if field in FLAGS:
        if not isinstance(value, bool):
            message = "Must be a valid boolean."
            raise ValueError(message)
        return value
    if field == "version":
        if value not in _VERSIONS:
            message = f'"{value}" is not a valid choice.'
            raise ValueError(message)
        return value
    if field == "filesize":
        if not isinstance(value, int) or abs(value) >= 2**31:
            message = "A valid integer is required."
            raise ValueError(message)
        return value
    if field == "release_date":
        moment = datetime.fromisoformat(str(value))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if field == "release_page" and value is None:
        return None
    _check_text(rows, kind, field, value, before)
    return value


def _check_text(rows: Rows, kind: str, field: str, value: object, before: Row | None) -> None:
    if not isinstance(value, str):
        message = "Not a valid string."
        raise ValueError(message)  # noqa: TRY004 - it is the client's mistake
    if field in TEXTS and len(value) > 200:
        message = "Ensure this field has no more than 200 characters."
        raise ValueError(message)
    if field in _NEEDED[kind] and not value:
        message = "This field may not be blank."
        raise ValueError(message)
    if field == "slug" and not re.fullmatch(r"[-a-zA-Z0-9_]+", value):
        message = "Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."
        raise ValueError(message)
    if value and (field == "url" or field in SIDECARS) and not re.match(r"https?://\S+\.", value):
        message = "Enter a valid URL."
        raise ValueError(message)
    unique = ("slug", "url") if kind == "release_file" else ("slug",)
    if field in unique and any(
        each[field] == value for each in rows.table(kind).values() if each is not before
    ):
        message = f"{kind.replace('_', ' ')} with this {field} already exists."
        raise ValueError(message)


def _matches(row: Row, name: str, value: str) -> bool:
    field, _, rest = name.partition("__")
    if rest == "contains":
        return value in row[field]
    if field in FLAGS:
        return row[field] is (value.lower() == "true")
    return str(row[field]) == value


def _told(request: Request, kind: str, pk: str, row: Row) -> dict[str, Any]:
    base = f"{request.url.scheme}://{request.url.netloc}/api/v2/downloads"
    told = {field: row[field] for field in _FIELDS[kind]}
    for field in ("os", "release"):
        if field in told:
            told[field] = f"{base}/{field}/{told[field]}/"
    return {**told, "resource_uri": f"{base}/{kind}/{pk}/"}


def _unauthorized(detail: str) -> Response:
    return _detail(401, detail, {"WWW-Authenticate": "Token"})


def _detail(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)
