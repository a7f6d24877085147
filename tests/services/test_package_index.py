"""Tests of the package index over a server on loopback that answers as the simple API does."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.ports.sbom import Wheel
from plugins.services.package_index import SimpleIndex
from plugins.services.programs import MachinePrograms

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = [
    {"filename": name, "url": f"https://x/{name}", "hashes": {"sha256": digest * 64}}
    for name, digest in (
        ("ruamel_yaml-0.18-py3-none-any.whl", "d"),
        ("ruamel_yaml-0.18.6-cp39-cp39-win32.whl", "c"),
        ("ruamel_yaml-0.18.6-cp313-cp313-win32.whl", "b"),
        ("ruamel.yaml-0.18.6.tar.gz", "a"),
    )
]
ANSWERS = {
    "/simple/ruamel-yaml/": json.dumps({"files": FILES}),
    "/simple/sdist/": json.dumps({"files": FILES[-1:]}),
    "/simple/broken/": "<html>",
    "/simple/list/": "[]",
    "/simple/wrong/": json.dumps({"files": [{"filename": "wrong-1-py3-none-any.whl"}]}),
}


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        wanted = self.headers["Accept"] == "application/vnd.pypi.simple.v1+json"
        found = ANSWERS.get(self.path) if wanted else None
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write((found or "not found").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def index() -> Iterator[SimpleIndex]:
    server = HTTPServer(("127.0.0.1", 0), _Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    yield SimpleIndex(f"http://127.0.0.1:{server.server_port}", MachinePrograms())
    server.shutdown()
    server.server_close()


def test_first_wheel_is_taken_or_the_file_that_is_named(index: SimpleIndex) -> None:
    """Names and files are spelled as people like; every mirror that pip can use has this API."""
    first = Wheel("https://x/ruamel_yaml-0.18.6-cp313-cp313-win32.whl", "b" * 64)
    assert index.wheel("Ruamel.YAML", "0.18.6") == first
    named = Wheel("https://x/ruamel.yaml-0.18.6.tar.gz", "a" * 64)
    assert index.wheel("ruamel.yaml", "0.18.6", "ruamel.yaml-0.18.6.tar.gz") == named


@pytest.mark.parametrize("project", ["absent", "sdist", "broken", "list", "wrong"])
def test_index_without_a_good_answer_is_told_in_one_line(index: SimpleIndex, project: str) -> None:
    with pytest.raises(ServiceFailed) as stopped:
        index.wheel(project, "1")
    assert f"look up {project} 1" in str(stopped.value)
    assert "\n" not in str(stopped.value)
