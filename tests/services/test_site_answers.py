"""Every field that is read of python.org's answers: wrong, missing, huge, endless, nested."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from doit_receipts.errors import ReleaseError, ServiceFailed
from plugins.model.secret import Secret
from plugins.services.anonymous_client import AnonymousClient
from plugins.services.site import PythonOrg
from plugins.services.site_reader import SiteReader
from tests.lying_server import answer, lying

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

V2: Final = "/api/v2/downloads"
RELEASE: Final[dict[str, Any]] = {
    "name": "Python 3.13.6", "slug": "python-3136", "version": 3, "is_published": True,
    "is_latest": True, "release_date": "2026-12-01T12:00:00Z", "pre_release": False,
    "release_page": None, "release_notes_url": "", "show_on_download_page": True,
    "resource_uri": f"http://site{V2}/release/1/",
}  # fmt: skip
ROW: Final[dict[str, Any]] = {
    "name": "tgz", "slug": "3136-tgz", "os": f"http://site{V2}/os/3/",
    "release": f"http://site{V2}/release/1/", "description": "", "is_source": True,
    "url": "https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz", "gpg_signature_file": "",
    "md5_sum": "", "sha256_sum": "0" * 64, "filesize": 7, "download_button": False,
    "resource_uri": f"http://site{V2}/release_file/1/", "sigstore_signature_file": "",
    "sigstore_cert_file": "", "sigstore_bundle_file": "", "sbom_spdx2_file": "",
}  # fmt: skip
SYSTEM: Final[dict[str, Any]] = {
    "name": "Source", "slug": "source", "resource_uri": f"http://site{V2}/os/3/",
}  # fmt: skip
READ: Final = {
    "release": ("name", "slug", "version", "is_published", "is_latest", "release_date",
                "pre_release", "release_notes_url", "show_on_download_page", "resource_uri"),
    "release_file": ("name", "slug", "os", "release", "description", "is_source", "url",
                     "gpg_signature_file", "sha256_sum", "filesize", "download_button",
                     "resource_uri", "sigstore_signature_file", "sigstore_cert_file",
                     "sigstore_bundle_file", "sbom_spdx2_file"),
    "os": ("slug", "resource_uri"),
}  # fmt: skip
"""The fields that are used, by kind."""
GONE: Final = object()


def deep(levels: int) -> Any:
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


WRONG: Final[dict[str, Any]] = {
    "missing": GONE, "null": None, "a list": ["x"], "an object": {"x": 1}, "nested": deep(400),
    "a float": 1.5,
}  # fmt: skip


def read_all(base: str, memory: Path, token: Secret | None) -> list[str]:
    """What each reader of the site says, in one line each, after reading all that it can."""
    visits = memory / "visits.json"
    readers = (
        PythonOrg(base, token, timeout_s=5),
        SiteReader(AnonymousClient(base, base, [base], visits)),
    )
    lines = []
    for reader in readers:
        try:
            for release in reader.releases():
                reader.rows(release)
            lines.append("")
        except ReleaseError as error:
            lines.append(str(error))
    return lines


def lists(**changed: Any) -> Callable[[socket.socket, str], None]:
    """A site whose lists are these, by kind; the others are as they should be."""
    known = {"release": [RELEASE], "release_file": [ROW], "os": [SYSTEM], **changed}

    def speak(connection: socket.socket, path: str) -> None:
        kind = path.partition("?")[0].rstrip("/").rpartition("/")[2]
        body = known[kind] if isinstance(known[kind], bytes) else json.dumps(known[kind]).encode()
        connection.sendall(answer(body, Content_Type="application/json"))

    return speak


@pytest.fixture
def token(tmp_path: Path) -> Secret:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text("canary-token-77d1")
    return Secret(f"file:{file}")


def test_answers_as_they_should_be_are_read(tmp_path: Path, token: Secret) -> None:
    with lying(lists()) as base:
        assert read_all(base, tmp_path, token) == ["", ""]


@pytest.mark.parametrize("how", ["missing", "null"])
def test_row_without_the_digest_that_nobody_writes_any_more_is_read(
    tmp_path: Path, token: Secret, how: str
) -> None:
    row = {name: value for name, value in ROW.items() if name != "md5_sum"}
    if how == "null":
        row["md5_sum"] = None
    with lying(lists(release_file=[row])) as base:
        assert read_all(base, tmp_path, token) == ["", ""]
        site = PythonOrg(base, token, timeout_s=5)
        (found,) = site.rows(site.releases()[0])
    assert found.fields["md5_sum"] == ""


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("kind", READ)
def test_every_field_that_is_wrong_is_one_line(
    tmp_path: Path, token: Secret, kind: str, how: str
) -> None:
    """It says who answered what, which field it is and what to do; and it is no crash."""
    whole = {"release": RELEASE, "release_file": ROW, "os": SYSTEM}[kind]
    for field in READ[kind]:
        value = WRONG[how]
        broken = {name: each for name, each in whole.items() if name != field}
        if value is not GONE:
            broken[field] = value
        with lying(lists(**{kind: [broken]})) as base:
            for line in read_all(base, tmp_path, token):
                assert line, (kind, field, how)
                assert "\n" not in line
                assert f"GET {V2}/{kind}/" in line, line
                if how != "nested":
                    assert field in line, line
                assert line.count(";") >= 1  # and what to do
                assert len(line) < 1_000
                assert "canary" not in line


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"<html>busy</html>", b"null", b"7", b'"text"', b"{}", b'{"detail": "x"}',
        b"[7]", b"[null]", b"[[]]", b"[" * 200_000, b'[{"a":' * 50_000, b"\xff\xfe[]",
        b"[1e999]", b"[NaN]", b'[{"name": "\\ud800"}]', b"9" * 10_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", READ)
def test_a_list_that_is_none_is_one_line(
    tmp_path: Path, token: Secret, kind: str, body: bytes
) -> None:
    with lying(lists(**{kind: body})) as base:
        for line in read_all(base, tmp_path, token):
            assert f"GET {V2}/{kind}/" in line, line
            assert "\n" not in line
            assert len(line) < 1_000


def test_texts_that_would_play_with_a_terminal_or_a_log_are_shown_as_they_are(
    tmp_path: Path, token: Secret
) -> None:
    evil = "Python 3.13.6\x1b[2J\n\u202eDone"
    with lying(lists(release=[{**RELEASE, "slug": {evil: 1}}])) as base:
        for line in read_all(base, tmp_path, token):
            assert not {"\x1b", "\n", "\u202e"} & set(line)


def test_a_list_without_an_end_is_given_up(tmp_path: Path, token: Secret) -> None:
    def speak(connection: socket.socket, _path: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        while True:
            connection.sendall(b" " * (1 << 20))

    with lying(speak) as base:
        for line in read_all(base, tmp_path, token):
            assert "the answer is larger than" in line
            assert "\n" not in line


def test_a_list_elsewhere_is_not_followed_with_the_token(tmp_path: Path, token: Secret) -> None:
    asked: list[str] = []

    def other(connection: socket.socket, path: str) -> None:
        asked.append(path)
        connection.sendall(answer(b"[]"))

    with lying(other) as elsewhere:

        def speak(connection: socket.socket, _path: str) -> None:
            connection.sendall(answer(status="302 Found", Location=f"{elsewhere}/take"))

        with lying(speak) as base:
            lines = read_all(base, tmp_path, token)
    assert all(lines)
    assert asked == []


@pytest.mark.parametrize(
    "body", [b"", b"<form>" * 10_000, b"<form><input name=username>" * 3, b"\xff" * 1_000]
)
def test_a_login_page_that_is_none_is_one_line(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "admin"
    file.touch(mode=0o600)
    file.write_text("rm:canary-password-31fe")

    def speak(connection: socket.socket, path: str) -> None:
        listed = json.dumps([RELEASE]).encode()
        connection.sendall(answer(listed if "/api/" in path else body, Content_Type="text/html"))

    with lying(speak) as base:
        site = PythonOrg(base, None, Secret(f"file:{file}"), timeout_s=5)
        with pytest.raises(ServiceFailed) as raised:
            site.may_save_texts()
    assert "\n" not in str(raised.value)
    assert raised.value.remedy
    assert "canary" not in str(raised.value)
