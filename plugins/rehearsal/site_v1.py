"""Version 1 of the rehearsed site's API, after what was observed of the real one (tastypie).

What is odd here is odd there: a bad credential hides even public rows, a duplicate is a 500
without a word, and an object in the place of an address is written to the row that it names.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, RedirectResponse, Response

from plugins.rehearsal.site_people import Throttle, by_key, people
from plugins.rehearsal.site_rows import DEFAULTS, FLAGS, Broken, Invalid, Row, Rows

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["V1"]

_SORRY: Final = "Sorry, this request could not be processed. Please try again later."
_PAGE: Final = 20
_MOST: Final = 1000
_WRITABLE: Final = {
    "os": ("name", "slug"),
    "release": tuple(f for f in DEFAULTS["release"] if not f.startswith("content")),
    "release_file": tuple(DEFAULTS["release_file"]),
}
_FILTERS: Final = {
    "os": {"name", "slug"},
    "release": {"name", "slug", "is_published", "pre_release", "version", "version__startswith"},
    "release_file": {
        "name", "slug", "description__contains", "os", "release", "os__slug", "os__name",
        "release__name", "release__slug",
    },
}  # fmt: skip


class _Refused(Exception):
    """The request ends with this answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class V1:
    """The three resources of ``/api/v1/downloads/``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._throttle = Throttle(600, 3600)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        path = request.url.path
        found = re.fullmatch(r"/api/v1/downloads/(os|release|release_file)(?:/([^/]+))?(/)?", path)
        if found is None:
            return Response(status_code=404)
        if not found[3]:
            return RedirectResponse(f"{path}/", status_code=301)
        try:
            return await self._answer(request, found[1], found[2] or "")
        except _Refused as refused:
            return refused.answer
        except Invalid as invalid:
            return JSONResponse({f"downloads/{found[1]}": invalid.fields}, status_code=400)
        except Broken:
            return JSONResponse({"error_message": _SORRY}, status_code=500)

    async def _answer(self, request: Request, kind: str, pk: str) -> Response:
        method = request.headers.get("x-http-method-override", request.method).upper()
        allowed = {"GET", "POST", "OPTIONS"} if not pk else {"GET", "DELETE", "OPTIONS"}
        if not pk and kind == "release_file":
            allowed.add("DELETE")
        if method not in allowed or "x-http-method-override" in request.headers:
            return Response(status_code=405)
        if method == "OPTIONS":
            return Response(",".join(sorted(allowed)))
        user = self._user(request)
        if method != "GET" and not (user and people(self._store)[user]["staff"]):
            return _unauthorized()
        wait_s = self._throttle.wait_s(user)
        if (ordered := self._store.fault("site.429")) is not None:
            wait_s = int(ordered or 1)
        if wait_s:
            return Response(status_code=429, headers={"Retry-After": str(wait_s)})
        rows = Rows(self._store)
        if method == "GET":
            answer = self._read(request, rows, kind, pk, staff=bool(user))
        elif method == "POST":
            answer = await self._create(request, rows, kind)
        else:
            answer = self._delete(request, rows, kind, pk)
        self._throttle.count(user)
        return answer

    def _user(self, request: Request) -> str:
        """Who asks; "" for a guest. Refused if anything about a credential is wrong."""
        if {"username", "api_key"} & set(request.query_params):
            raise _Refused(_unauthorized())
        text = request.headers.get("authorization")
        if text is None:
            return ""
        user = by_key(self._store, text)
        if not user:
            raise _Refused(_unauthorized())
        return user

    def _read(self, request: Request, rows: Rows, kind: str, pk: str, *, staff: bool) -> Response:
        def seen(row: Row) -> bool:
            return kind != "release" or bool(row["is_published"]) or staff

        if pk:
            row = rows.get(kind, pk)
            if row is None:
                return Response(status_code=404)
            return JSONResponse(_told(kind, pk, row)) if seen(row) else _unauthorized()
        wanted = _filters(request, kind)
        found = [
            _told(kind, key, row)
            for key, row in rows.table(kind).items()
            if seen(row) and all(_matches(rows, row, *each) for each in wanted.items())
        ]
        try:
            limit = int(request.query_params.get("limit", _PAGE)) or _MOST
            offset = int(request.query_params.get("offset", 0))
        except ValueError:
            raise _Refused(_error("Invalid limit or offset provided.")) from None
        path = request.url.path
        more = offset + limit < len(found)
        meta = {
            "limit": limit, "offset": offset, "total_count": len(found),
            "next": f"{path}?limit={limit}&offset={offset + limit}" if more else None,
            "previous": f"{path}?limit={limit}&offset={max(0, offset - limit)}" if offset else None,
        }  # fmt: skip
        return JSONResponse({"meta": meta, "objects": found[offset : offset + limit]})

    async def _create(self, request: Request, rows: Rows, kind: str) -> Response:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return Response(status_code=415)
        try:
            sent = json.loads(await request.body())
        except ValueError:
            raise _Refused(_error("Request is not valid JSON.")) from None
        if not isinstance(sent, dict):
            raise _Refused(_error("Request is not an object."))
        row = {**DEFAULTS[kind], **self._hydrated(rows, kind, sent)}
        if kind == "release_file":
            rows.check_urls(row)
        pk = rows.save(kind, row)
        return Response(status_code=201, headers={"Location": f"/api/v1/downloads/{kind}/{pk}/"})

    def _hydrated(self, rows: Rows, kind: str, sent: dict[str, Any]) -> Row:
        row: Row = {}
        for field in _WRITABLE[kind]:
            value = sent.get(field)
            if kind == "release_file" and field in ("os", "release"):
                row[field] = self._related(rows, field, sent)
            elif value is None:
                continue  # null is as if it were left out
            elif field in FLAGS:
                row[field] = bool(value)
            elif field in ("version", "filesize"):
                try:
                    row[field] = int(value)
                except (TypeError, ValueError):
                    raise Broken from None
            elif field == "release_date":
                row[field] = _utc(str(value))
            else:
                row[field] = str(value)
        return row

    def _related(self, rows: Rows, field: str, sent: dict[str, Any]) -> str:
        if field not in sent:
            raise _Refused(_error(f"The '{field}' field has no data and doesn't allow a default."))
        value = sent[field]
        if value is None:
            raise Broken
        if isinstance(value, dict):
            return self._written_through(rows, field, value)
        if not isinstance(value, str):
            raise _Refused(_error(f"The '{field}' field was given data that was not a URI."))
        found = re.search(rf"/api/v[12]/downloads/{field}/(\d+)/$", value)
        if found is None:
            raise _Refused(Response(status_code=404))
        if rows.get(field, found[1]) is None:
            raise _Refused(_error(f"Could not find the provided {field} object via resource URI."))
        return found[1]

    def _written_through(self, rows: Rows, kind: str, value: dict[str, Any]) -> str:
        """The hazard: an object where an address belongs is saved to the row that it names."""
        found = re.search(r"/(\d+)/$", str(value.get("resource_uri", "")))
        pk = found[1] if found and rows.get(kind, found[1]) is not None else ""
        known = {**(rows.get(kind, pk) or {}), **self._hydrated(rows, kind, value)}
        return rows.save(kind, known, pk)

    def _delete(self, request: Request, rows: Rows, kind: str, pk: str) -> Response:
        if pk:
            if rows.get(kind, pk) is None:
                return Response(status_code=404)
            rows.delete(kind, pk)
            return Response(status_code=204)
        asked = request.query_params.multi_items()
        if len(asked) != 1 or asked[0][0] != "release" or not asked[0][1].isdigit():
            return _error("Deleting release files requires exactly one 'release' filter.")
        rows.delete(kind, *rows.files_of(asked[0][1]))
        return Response(status_code=204)


def _filters(request: Request, kind: str) -> dict[str, str]:
    """What is asked for; a field that is known and no filter is refused, others are ignored."""
    wanted = {}
    for name, value in request.query_params.items():
        if name in _FILTERS[kind]:
            wanted[name] = value
        elif name.partition("__")[0] in _WRITABLE[kind]:
            message = f"The '{name}' field does not allow filtering."
            raise _Refused(_error(message))
    return wanted


def _matches(rows: Rows, row: Row, name: str, value: str) -> bool:
    field, _, rest = name.partition("__")
    if field in ("os", "release"):
        if not rest:
            return str(row[field]) == value
        related = rows.get(field, row[field])
        return related is not None and str(related[rest]) == value
    if rest == "contains":
        return value in row[field]
    if rest == "startswith":
        return str(row[field]).startswith(value)
    if field in FLAGS:
        return row[field] is (value.lower() in ("true", "1"))
    return str(row[field]) == value


def _told(kind: str, pk: str, row: Row) -> dict[str, Any]:
    told = {field: row[field] for field in _WRITABLE[kind]}
    for field in ("os", "release"):
        if field in told:
            told[field] = f"/api/v1/downloads/{field}/{told[field]}/"
    if "release_date" in told:
        told["release_date"] = str(told["release_date"]).removesuffix("Z")
    return {**told, "resource_uri": f"/api/v1/downloads/{kind}/{pk}/"}


def _utc(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Refused(
            _error(f"Datetime provided to 'release_date' is not valid: {text}")
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unauthorized() -> Response:
    return Response(status_code=401, media_type="text/html")


def _error(message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=400)
