"""Tests of the package index over a server on loopback that answers as the JSON API does."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.ports.sbom import Wheel
from plugins.services.package_index import JsonIndex
from plugins.services.programs import MachinePrograms

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = [
    {"filename": "idna-3.10.tar.gz", "packagetype": "sdist", "url": "https://x/s",
     "digests": {"sha256": "a" * 64}},
    {"filename": "idna-3.10-py3-none-any.whl", "packagetype": "bdist_wheel", "url": "https://x/w",
     "digests": {"sha256": "b" * 64}},
]  # fmt: skip
ANSWERS = {
    "/pypi/idna/3.10/json": json.dumps({"urls": FILES}),
    "/pypi/sdist/1/json": json.dumps({"urls": FILES[:1]}),
    "/pypi/broken/1/json": "<html>",
    "/pypi/list/1/json": "[]",
    "/pypi/wrong/1/json": json.dumps({"urls": [{"filename": "x"}]}),
}


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = ANSWERS.get(self.path)
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write((found or "not found").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def index() -> Iterator[JsonIndex]:
    server = HTTPServer(("127.0.0.1", 0), _Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    yield JsonIndex(f"http://127.0.0.1:{server.server_port}", MachinePrograms())
    server.shutdown()
    server.server_close()


def test_first_wheel_is_taken_or_the_file_that_is_named(index: JsonIndex) -> None:
    assert index.wheel("idna", "3.10") == Wheel("https://x/w", "b" * 64)
    assert index.wheel("idna", "3.10", "idna-3.10.tar.gz") == Wheel("https://x/s", "a" * 64)


@pytest.mark.parametrize("project", ["absent", "sdist", "broken", "list", "wrong"])
def test_index_without_a_good_answer_is_told_in_one_line(index: JsonIndex, project: str) -> None:
    with pytest.raises(ServiceFailed) as stopped:
        index.wheel(project, "1")
    assert f"look up {project} 1" in str(stopped.value)
    assert "\n" not in str(stopped.value)
