"""Fields: what the simulated API takes as the value of each field, and its words for the rest.

It is lenient as Django REST framework 3.15 is (``"true"``, ``1`` and ``"3"`` are taken, names are
trimmed) and refuses in that library's own words. Measured on the application itself.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from plugins.rehearsal.site_rows import FLAGS, SIDECARS, TEXTS, Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.rehearsal.site_rows import Row, Rows

__all__ = ["FIELDS", "NEEDED", "hydrated", "moment"]

NEEDED: Final = {
    "os": ("name", "slug"),
    "release": ("name", "slug"),
    "release_file": ("name", "slug", "os", "release", "url"),
}
"""Fields that a new row has to have."""
FIELDS: Final = {
    "os": ("name", "slug"),
    "release": (
        "name", "slug", "version", "is_published", "is_latest", "release_date", "pre_release",
        "release_page", "release_notes_url", "show_on_download_page",
    ),
    "release_file": (
        "name", "slug", "os", "release", "description", "is_source", "url", "gpg_signature_file",
        "md5_sum", "sha256_sum", "filesize", "download_button", "resource_uri",
        "sigstore_signature_file", "sigstore_cert_file", "sigstore_bundle_file",
        "sbom_spdx2_file",
    ),
}  # fmt: skip
"""The fields of each kind in the order of the answers; the text of a page is none of them."""

_KINDS: Final = {"os": "Operating System", "release": "Release", "release_file": "Release File"}
_TRUE: Final = ("t", "y", "yes", "true", "on", "1")
_FALSE: Final = ("f", "n", "no", "false", "off", "0")
_VERSIONS: Final = {"3": 3, "2": 2, "1": 1, "100": 100}
_MOST: Final = 200
_INT32: Final = 2**31
_URLS: Final = ("url", "release_notes_url", *SIDECARS)
_URL: Final = re.compile(
    r"(?:https?|ftps?)://[^\s/.]+(?:\.[^\s/.]+)*(?::\d{1,5})?(?:[/?#]\S*)?", re.ASCII
)
_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]+")
_OWN_PAGES: Final = re.compile(
    r"/|/(?:downloads|getit|doc|admin|box)/.*|/api/v[12]/(?:downloads|pages)/\w+/(?:\d+/)?"
)


class _Wrong(ValueError):
    """The value is refused in these words."""


def hydrated(
    rows: Rows, kind: str, sent: Mapping[str, object], before: Row | None, *, whole: bool
) -> Row:
    """The fields that were sent, as they are stored. Raises Invalid with what is wrong of each.

    ``before`` is the row that is changed; ``whole`` says that every needed field has to be there.
    """
    wrong: dict[str, list[str]] = {}
    row: Row = {}
    for field in FIELDS[kind]:
        if field == "resource_uri":
            continue
        if field not in sent:
            if whole and field in NEEDED[kind]:
                wrong[field] = ["This field is required."]
            continue
        try:
            row[field] = _value(rows, kind, field, sent[field], before)
        except _Wrong as error:
            wrong[field] = [str(error)]
    if wrong:
        raise Invalid(wrong)
    return row


def _value(rows: Rows, kind: str, field: str, value: object, before: Row | None) -> object:  # noqa: PLR0911 - one rule for each kind of field
    if field == "release_page":
        # A path that leads to no page: the simulated site has none.
        return None if value in (None, "") else _linked(rows, "page", value)
    if kind == "release_file" and field in ("os", "release"):
        return _linked(rows, field, None if value == "" else value)
    if value is None:
        raise _Wrong(_NULL)
    if field in FLAGS:
        return _flag(value)
    if field == "version":
        if str(value) not in _VERSIONS:
            message = f'"{value}" is not a valid choice.'
            raise _Wrong(message)
        return _VERSIONS[str(value)]
    if field == "filesize":
        return _number(value)
    if field == "release_date":
        return _date(value)
    return _text(rows, kind, field, value, before)


_NULL: Final = "This field may not be null."


def _flag(value: object) -> bool:
    text = str(value).lower() if isinstance(value, bool | int | str) else ""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    message = "Must be a valid boolean."
    raise _Wrong(message)


def _number(value: object) -> int:
    text = re.sub(r"\.0*\s*$", "", str(value))
    if not re.fullmatch(r"\s*[-+]?\d+\s*", text):
        message = "A valid integer is required."
        raise _Wrong(message)
    number = int(text)
    if number >= _INT32:
        message = f"Ensure this value is less than or equal to {_INT32 - 1}."
        raise _Wrong(message)
    if number < -_INT32:
        message = f"Ensure this value is greater than or equal to {-_INT32}."
        raise _Wrong(message)
    return number


def moment(text: str) -> str:
    """A time as the site stores it, in UTC. Raises ValueError for what is none."""
    found = datetime.fromisoformat(text)
    found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return found.isoformat().replace("+00:00", "Z")


def _date(value: object) -> str:
    try:
        return moment(value if isinstance(value, str) else "")
    except ValueError:
        message = (
            "Datetime has wrong format. Use one of these formats instead: "
            "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
        )
        raise _Wrong(message) from None


def _linked(rows: Rows, kind: str, value: object) -> str:
    """The key of the object that an address of version 2 leads to."""
    if value is None:
        raise _Wrong(_NULL)
    if not isinstance(value, str):
        message = f"Incorrect type. Expected URL string, received {type(value).__name__}."
        raise _Wrong(message)
    path = urlsplit(value).path if value.startswith(("http:", "https:")) else value
    own = "pages/page" if kind == "page" else f"downloads/{kind}"
    found = re.fullmatch(rf"/api/v2/{own}/([^/.]+)/", path)
    if found is None:
        known = _OWN_PAGES.fullmatch(path) is not None
        message = f"Invalid hyperlink - {'Incorrect' if known else 'No'} URL match."
        raise _Wrong(message)
    if kind == "page" or rows.get(kind, found[1]) is None:
        message = "Invalid hyperlink - Object does not exist."
        raise _Wrong(message)
    return found[1]


def _text(rows: Rows, kind: str, field: str, value: object, before: Row | None) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        message = "Not a valid string."
        raise _Wrong(message)
    text = str(value).strip()
    needed = field in NEEDED[kind]
    if needed and not text:
        message = "This field may not be blank."
        raise _Wrong(message)
    if field in TEXTS and len(text) > _MOST:
        message = f"Ensure this field has no more than {_MOST} characters."
        raise _Wrong(message)
    if field == "slug" and not _SLUG.fullmatch(text):
        message = 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
        raise _Wrong(message)
    if field in _URLS and text and not _is_url(text):
        message = "Enter a valid URL."
        raise _Wrong(message)
    unique = ("slug", "url") if kind == "release_file" else ("slug",)
    if field in unique and any(
        each[field] == text for each in rows.table(kind).values() if each is not before
    ):
        name = "URL" if field == "url" else field
        message = f"{_KINDS[kind]} with this {name} already exists."
        raise _Wrong(message)
    return text


def _is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None and bool(
        "." in urlsplit(text).netloc or urlsplit(text).hostname == "localhost"
    )
