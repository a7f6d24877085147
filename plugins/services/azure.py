"""Azure: the Pipeline port over the REST API of Azure DevOps, version 7.1.

Runs of a public project can be read without a token; starting and keeping one needs a personal
access token with the scope Build (read & execute). Read in the service's own specification
(MicrosoftDocs/vsts-rest-api-specs, build and pipelines 7.1, 2026-05) and not tried on the real one.
"""

from __future__ import annotations

import base64
import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from doit_receipts.errors import ServiceFailed
from plugins.model.windows_build import DEFINITION
from plugins.model.zipped import BrokenZip, opened_zip
from plugins.ports.pipeline import PipelineRecord, PipelineRun
from plugins.services.bounds import Bounds
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.secret import Secret
    from plugins.services.answers import Part

__all__ = ["AzurePipeline"]

_API: Final = "7.1"
_SHOWN_RUNS: Final = 50
_MOST_RECORDS: Final = 5_000
_MOST_BYTES: Final = 1 << 23
_MOST_UNPACKED: Final = 1 << 21
_MOST_FILES: Final = 200
# Where Azure keeps what a run left; a read is led there, without the token.
_STORAGE: Final = ("visualstudio.com", "azure.com", "windows.net")
_FOR_EVER_DAYS: Final = 365_000
_LONG: Final = "21"
"""How a year begins that is kept for as long as anybody can tell: 21xx and later."""


class AzurePipeline:
    """One pipeline of the project at ``address``, such as https://dev.azure.com/Python/cpython."""

    def __init__(
        self,
        address: str,
        token: Secret | None,
        definition: int = DEFINITION,
        bounds: Bounds | None = None,
    ) -> None:
        self._address = address.rstrip("/")
        self._token = token
        self._definition = definition
        limits = bounds or Bounds(size_bytes=_MOST_BYTES)
        self._web = HttpClient(
            "Azure", self._address, self._login, bounds=limits, leads_to=_STORAGE
        )

    def __repr__(self) -> str:
        return f"pipeline({self._definition} at {self._address})"

    def _login(self) -> Mapping[str, str]:
        if self._token is None:
            return {}
        login = base64.b64encode(f":{self._token.reveal()}".encode()).decode()
        return {"authorization": f"Basic {login}"}

    @property
    def may_act(self) -> bool:
        """See the port."""
        return self._token is not None

    @property
    def page(self) -> str:
        """See the port."""
        return f"{self._address}/_build?definitionId={self._definition}"

    # ── runs ───────────────────────────────────────────────────────────────────────────────

    def runs(self) -> tuple[PipelineRun, ...]:
        """See the port. The newest fifty."""
        action = "list the newest runs"
        query: dict[str, Any] = {
            "definitions": self._definition,
            "queryOrder": "queueTimeDescending",
            "$top": _SHOWN_RUNS,
        }
        answer = self._json("/_apis/build/builds", action, **query)
        listed = answer.parts("value") if answer is not None else ()
        return tuple(self._run(each) for each in listed[:_SHOWN_RUNS])

    def run(self, number: int) -> PipelineRun | None:
        """See the port."""
        found = self._json(f"/_apis/build/builds/{number}", f"read run {number}")
        if found is None or found.flag("deleted", may_miss=True):
            return None
        return self._run(found)

    def start(self, parameters: Mapping[str, str]) -> int:
        """See the port."""
        path = f"/_apis/pipelines/{self._definition}/runs"
        action = "start the Windows build"
        # not again: each request is a run of its own
        answer = self._web.send(
            "POST", path, action, again=False, params={"api-version": _API},
            json={"templateParameters": dict(parameters)},
        )  # fmt: skip
        self._refuse_login(answer, action)
        return self._web.json(answer, action).number("id")

    def _run(self, part: Part) -> PipelineRun:
        number = part.number("id")
        given = part.part("templateParameters", may_miss=True)
        status = part.line("status", may_miss=True)
        ended = status == "completed"
        return PipelineRun(
            number,
            part.line("buildNumber"),
            status,
            part.line("result", may_miss=not ended) if ended else "",
            f"{self._address}/_build/results?buildId={number}",
            {name: _value(given, name) for name in given.names()},
            part.part("requestedFor", may_miss=True).line("displayName", may_miss=True),
            _between(part, "startTime", "finishTime") if ended else timedelta(),
        )

    # ── how far it has come ────────────────────────────────────────────────────────────────

    def timeline(self, number: int) -> tuple[PipelineRecord, ...]:
        """See the port. Empty for a run that has not begun."""
        action = f"read the timeline of run {number}"
        answer = self._json(f"/_apis/build/builds/{number}/timeline", action, empty=True)
        listed = answer.parts("records", may_miss=True) if answer is not None else ()
        if len(listed) > _MOST_RECORDS:
            raise self._web.failed(action, f"it has more than {_MOST_RECORDS:,} records")
        found = (
            PipelineRecord(
                each.line("id"),
                each.line("parentId", may_miss=True),
                each.line("type"),
                each.line("name", may_miss=True),
                each.line("state", may_miss=True),
                each.line("result", may_miss=True),
                tuple(
                    issue.line("message", may_miss=True)[:300]
                    for issue in each.parts("issues", may_miss=True)
                    if issue.line("type", may_miss=True) == "error"
                )[:5],
                each.number("order", may_miss=True),
            )
            for each in listed
        )
        return tuple(sorted(found, key=lambda record: (record.order, record.name)))

    def approvers(self, approval: str) -> tuple[str, ...]:
        """See the port. Azure may tell them to members of the project only."""
        action = "read who approves"
        try:
            query: dict[str, Any] = {"approvalIds": approval, "$expand": "steps"}
            answer = self._json("/_apis/pipelines/approvals", action, **query)
        except ServiceFailed:
            return ()
        listed = answer.parts("value") if answer is not None else ()
        names = [
            step.part("assignedApprover", may_miss=True).line("displayName", may_miss=True)
            for each in listed
            for step in each.parts("steps", may_miss=True)
        ]
        return tuple(dict.fromkeys(name for name in names if name))[:10]

    # ── what it left ───────────────────────────────────────────────────────────────────────

    def artifact(self, number: int, name: str) -> Mapping[str, bytes] | None:
        """See the port. Raises ServiceFailed for a zip archive that is broken or too large."""
        action = f"fetch {name} of run {number}"
        artifact = self._json(f"/_apis/build/builds/{number}/artifacts", action, artifactName=name)
        if artifact is None:
            return None
        url = artifact.part("resource").url("downloadUrl")
        if urlsplit(url).scheme != urlsplit(self._address).scheme:
            raise self._web.failed(action, "the artifact is offered without encryption")
        if not self._is_ours(url):
            raise self._web.failed(action, f"the artifact is on another server, {url[:100]}")
        answer = self._web.send("GET", url, action, again=True, also=(404, 410))
        if answer.status_code != 200:
            return None
        return self._unpacked(answer.content, action)

    def _is_ours(self, url: str) -> bool:
        host, own = urlsplit(url).hostname or "", urlsplit(self._address).hostname or ""
        return host == own or any(host.endswith(f".{each}") for each in (*_STORAGE, own))

    def _unpacked(self, raw: bytes, action: str) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        left = _MOST_UNPACKED
        try:
            with opened_zip(io.BytesIO(raw)) as opened:
                entries = [each for each in opened.infolist() if not each.is_dir()]
                if len(entries) > _MOST_FILES:
                    raise self._web.failed(action, f"it holds more than {_MOST_FILES} files")
                for each in entries:
                    with opened.open(each) as stream:
                        content = stream.read(left + 1)
                    left -= len(content)
                    if left < 0:
                        problem = f"it unfolds to more than {_MOST_UNPACKED:,} bytes"
                        raise self._web.failed(action, problem)
                    found[each.filename.replace("\\", "/").rpartition("/")[2]] = content
        except BrokenZip as error:
            raise self._web.failed(action, f"it is not a complete zip archive: {error}") from error
        return found

    # ── how long it is kept ────────────────────────────────────────────────────────────────

    def is_retained(self, number: int) -> bool:
        """See the port: a lease of it is valid for as long as nobody plans."""
        action = f"read the leases of run {number}"
        answer = self._json(f"/_apis/build/builds/{number}/leases", action)
        listed = answer.parts("value") if answer is not None else ()
        return any(
            each.line("validUntil")[:2] >= _LONG
            for each in listed
            if each.number("runId") == number
        )

    def retain(self, number: int) -> None:
        """See the port."""
        lease = {
            "daysValid": _FOR_EVER_DAYS,
            "definitionId": self._definition,
            "ownerId": "pep101",
            "protectPipeline": False,
            "runId": number,
        }
        action = f"keep run {number}"
        answer = self._web.send(
            "POST", "/_apis/build/retention/leases", action, again=True,
            params={"api-version": _API}, json=[lease],
        )  # fmt: skip
        self._refuse_login(answer, action)

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _json(self, path: str, action: str, *, empty: bool = False, **query: Any) -> Part | None:
        """The answer, or None if there is no such thing (404), or nothing yet where that may be."""
        query["api-version"] = _API
        also = (404, 302)
        answer = self._web.send("GET", path, action, again=True, also=also, params=query)
        if answer.status_code == 404 or (empty and answer.status_code == 204):
            return None
        self._refuse_login(answer, action)
        if empty and answer.content.strip() in (b"", b"null"):
            return None
        return self._web.json(answer, action)

    def _refuse_login(self, answer: Any, action: str) -> None:
        """Azure answers who may not look with a page to log in: 203, or it leads to one."""
        if answer.status_code not in (203, 302):
            return
        if self._token is None:
            problem = "it asks for a login, so the project is not open to everybody any more"
            remedy = "write [credentials] azure: a token with the scope Build (read & execute)"
        else:
            problem = "it asks for a login, so the token is wrong or has expired"
            remedy = "make a new token with the scope Build (read & execute)"
        raise self._web.failed(action, problem, remedy)


def _value(given: Part, name: str) -> str:
    """A value of the form: text, or a box as true or false."""
    plain = given.plain[name]
    if isinstance(plain, bool):
        return str(plain).lower()
    return given.line(name, may_miss=True)


def _between(part: Part, first: str, last: str) -> timedelta:
    """The time between two moments of the answer, zero where one of them is missing or wrong."""
    moments = []
    for name in (first, last):
        try:
            moments.append(datetime.fromisoformat(part.line(name, may_miss=True)))
        except ValueError:
            return timedelta()
    begun, ended = moments
    if (begun.tzinfo is None) is not (ended.tzinfo is None):
        return timedelta()
    return max(ended - begun, timedelta())
