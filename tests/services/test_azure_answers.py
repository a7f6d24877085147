"""Azure's answers with each field wrong: every one of them gives one line, and no traceback."""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from doit_receipts.errors import ReleaseError
from plugins.services.azure import AzurePipeline
from plugins.services.bounds import Bounds
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

RUN = {
    "id": 42, "buildNumber": "Release_v3.15.0rc1_20261129.01", "status": "completed",
    "result": "succeeded", "deleted": False, "requestedFor": {"displayName": "A person"},
    "templateParameters": {"SourceTag": "v3.15.0rc1", "DoPublish": "True"},
}  # fmt: skip
RECORD = {
    "id": "a", "parentId": None, "type": "Job", "name": "a job", "state": "completed",
    "result": "failed", "order": 1, "issues": [{"type": "error", "message": "it broke"}],
}  # fmt: skip
ANSWERS: dict[str, tuple[Any, Callable[[AzurePipeline], object]]] = {
    "/_apis/build/builds": ({"value": [RUN]}, lambda azure: azure.runs()),
    "/_apis/build/builds/42": (RUN, lambda azure: azure.run(42)),
    "/_apis/build/builds/42/timeline": ({"records": [RECORD]}, lambda azure: azure.timeline(42)),
    "/_apis/build/builds/42/leases": (
        {"value": [{"runId": 42, "validUntil": "2999-01-01T00:00:00Z"}]},
        lambda azure: azure.is_retained(42),
    ),
    "/_apis/build/builds/42/artifacts": (
        {"name": "hashes", "resource": {"downloadUrl": "http://127.0.0.1:9/zip"}},
        lambda azure: azure.artifact(42, "hashes"),
    ),
    "/_apis/pipelines/approvals": (
        {"value": [{"steps": [{"assignedApprover": {"displayName": "A person"}}]}]},
        lambda azure: azure.approvers("a"),
    ),
    "/_apis/pipelines/21/runs": ({"id": 42}, lambda azure: azure.start({"SourceTag": "v"})),
}
DEEP: Any = []
for _ in range(70):
    DEEP = [DEEP]
WRONG = {
    "missing": None,
    "null": "null",
    "text": json.dumps("text"),
    "negative": "-1",
    "fraction": "1.5",
    "true": "true",
    "list": "[1]",
    "object": '{"x": 1}',
    "huge number": "9" * 5000,
    "not a number": "NaN",
    "endless": "1e999",
    "huge text": json.dumps("x" * 100_000),
    "control": json.dumps("\x1b[2J\n\r\u202e"),
    "half a character": '"\\ud800"',
    "deep": json.dumps(DEEP),
    "deeper": "[" * 50_000 + "]" * 50_000,
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of an answer, the whole of it first."""
    yield path
    if not isinstance(value, dict | list):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from places(inner, (*path, key))


def with_wrong(answer: Any, path: tuple[Any, ...], text: str | None) -> str:
    """The answer as JSON, with this text in one place of it."""
    mark = "@@here@@"
    if not path:
        return text if text is not None else ""
    changed = copy.deepcopy(answer)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    if text is None:
        del inner[path[-1]]
        return json.dumps(changed)
    inner[path[-1]] = mark
    return json.dumps(changed).replace(f'"{mark}"', text)


@contextmanager
def answering(told: dict[str, str]) -> Iterator[str]:
    async def answer(request: Request) -> Response:
        return Response(told[request.url.path], media_type="application/json")

    with served(Starlette(routes=[Route("/{any:path}", answer, methods=["GET", "POST"])])) as at:
        yield at


@pytest.mark.slow
@pytest.mark.parametrize("path", ANSWERS)
def test_each_field_that_is_wrong_gives_one_line(path: str) -> None:
    good, ask = ANSWERS[path]
    told: dict[str, str] = {}
    refused = 0
    with answering(told) as address:
        azure = AzurePipeline(address, None, bounds=Bounds(size_bytes=1 << 20))
        for place in places(good):
            for text in WRONG.values():
                told[path] = with_wrong(good, place, text)
                try:
                    found = ask(azure)
                except ReleaseError as error:
                    refused += 1
                    line = str(error)
                    assert line.startswith("Azure: ")
                    assert line.isprintable(), (place, line)
                    assert len(line) < 1000, (place, line)
                else:
                    assert "\x1b" not in repr(found)
                    assert len(repr(found)) < 10_000, (place, text)
    # Who approves is told if it can be; everything else is needed.
    assert refused or "approvals" in path
