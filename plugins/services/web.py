"""Web: HTTP with JSON as every service of the hub speaks it, its errors translated in one place.

Reads, and writes that may be done again, are asked again a few times when a server stumbles;
anything else is asked once. No header of a request and no secret is in an error or a log.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize

from doit_receipts.errors import ServiceFailed
from plugins.services.patience import quiet_stamina

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import httpx

__all__ = ["Web"]

_TIMEOUT_S: Final = 30.0
_ATTEMPTS: Final = 4
_LONGEST_WAIT_S: Final = 30.0
_MOST_CHARACTERS: Final = 300
# A server that may answer the same request better in a moment. 403 is in it with Retry-After
# only: GitHub's limit against floods has either number.
_FOR_NOW: Final = (429, 502, 503, 504)


class _Stumbled(ServiceFailed):
    """A failure that may be gone in a moment; ``wait_s`` is what the server asked for."""

    wait_s: float = 0.0


class Web:
    """One server: ``top`` its address, ``headers`` what every request carries, told at use."""

    def __init__(
        self,
        service: str,
        top: str,
        headers: Callable[[], Mapping[str, str]],
        *,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._service = service
        self._top = top
        self._headers = headers
        self._timeout_s = timeout_s
        self._opened: httpx.Client | None = None

    def get(
        self, path: str, action: str, *, may_miss: bool = False, **query: Any
    ) -> httpx.Response:
        """What stands there; with ``may_miss`` that nothing does (404) is an answer as well."""
        answer = self._asked("GET", path, action, again=True, params=query or None)
        if answer.status_code == 404 and not may_miss:
            raise self._refused(answer, action)
        return answer

    def get_all(self, path: str, action: str, *, key: str = "", **query: Any) -> list[Any]:
        """Every page of a list that the server cuts; ``key`` names it in each answer."""
        found: list[Any] = []
        answer = self.get(path, action, per_page=100, **query)
        while True:
            page = self.json(answer, action)
            found += page[key] if key else page
            following = answer.links.get("next", {}).get("url")
            if not following:
                return found
            answer = self._asked("GET", following, action, again=True)

    def send(
        self, method: str, path: str, action: str, *, again: bool, content: Any = None
    ) -> httpx.Response:
        """The request was taken. ``again``: it may be asked twice and is as if asked once."""
        return self._asked(method, path, action, again=again, json=content)

    def json(self, answer: httpx.Response, action: str) -> Any:
        """The answer's JSON. Raises ServiceFailed if it is none."""
        try:
            return answer.json()
        except ValueError as error:
            raise ServiceFailed(
                service=self._service,
                action=action,
                problem=f"answered {answer.status_code} with something that is no JSON",
                remedy="see that the address is right",
            ) from error

    def download(self, path: str, action: str, file: Path) -> str:
        """The bytes stand in the file, whole; returns their sha256. Streamed to the disk."""
        import hashlib

        import httpx

        from doit_receipts.durable import replacing

        digest = hashlib.sha256()
        # The token belongs to the API: httpx drops it where another host is redirected to.
        asked = self._client().stream(
            "GET", path, headers=dict(self._headers()), follow_redirects=True,
            timeout=httpx.Timeout(self._timeout_s, read=120),
        )  # fmt: skip
        with self._translated(action), asked as answer:
            if answer.status_code != 200:
                answer.read()
                raise self._refused(answer, action)
            with replacing(file) as stream:
                for part in answer.iter_bytes(1 << 20):
                    digest.update(part)
                    stream.write(part)
        return digest.hexdigest()

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _client(self) -> httpx.Client:
        if self._opened is None:
            import httpx

            # trust_env: proxies and certificates are the machine's, and .netrc is not read for
            # requests that carry their own authorization
            self._opened = httpx.Client(
                base_url=self._top, timeout=self._timeout_s, headers={"user-agent": "pep101"}
            )
            finalize(self, self._opened.close)
        return self._opened

    def _asked(
        self, method: str, path: str, action: str, *, again: bool, **more: Any
    ) -> httpx.Response:
        stamina = quiet_stamina()

        def wait(error: Exception) -> bool | float:
            if not isinstance(error, _Stumbled):
                return False
            return error.wait_s or True

        def ask() -> httpx.Response:
            with self._translated(action):
                answer = self._client().request(method, path, headers=dict(self._headers()), **more)
            if answer.status_code < 400 or (answer.status_code == 404 and method != "POST"):
                return answer
            raise self._refused(answer, action)

        if not again:
            return ask()
        retried = stamina.retry(
            on=wait, attempts=_ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=5, wait_jitter=0.2
        )
        answer: httpx.Response = retried(ask)()
        return answer

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        import httpx

        try:
            yield
        except httpx.TimeoutException as error:
            raise _Stumbled(
                service=self._service,
                action=action,
                problem=f"no answer within {self._timeout_s:g} s",
                remedy="run the same command again; it looks first whether it was done",
            ) from error
        except httpx.HTTPError as error:
            # the text of an error may hold a whole address, with what was asked of it
            kind = type(error).__name__
            raise _Stumbled(
                service=self._service,
                action=action,
                problem=f"cannot be reached at {_place_of(error) or self._top} ({kind})",
                remedy="see to the network, then run the same command again",
            ) from error

    def _refused(self, answer: httpx.Response, action: str) -> ServiceFailed:
        status = answer.status_code
        said = _said(answer)
        limited = answer.headers.get("x-ratelimit-remaining") == "0"
        waits = answer.headers.get("retry-after", "")
        kind = ServiceFailed
        if status == 401:
            remedy = "see that the token is right and has not expired"
        elif limited:
            remedy = "the hourly limit is used up; run the same command again in an hour"
        elif status in _FOR_NOW or (status == 403 and waits) or status == 500:
            kind, remedy = _Stumbled, "run the same command again in a few minutes"
        elif status == 403:
            remedy = "see that the account has the right to do this, and the token its scope"
        else:
            remedy = ""
        error = kind(
            service=self._service, action=action, problem=f"status {status}: {said}", remedy=remedy
        )
        if isinstance(error, _Stumbled) and waits.isdigit():
            if int(waits) > _LONGEST_WAIT_S:
                return ServiceFailed(
                    service=self._service,
                    action=action,
                    problem=f"status {status}: {said}",
                    remedy=f"it asks to wait {waits} s; run the same command again then",
                )
            error.wait_s = float(waits)
        return error


def _place_of(error: httpx.HTTPError) -> str:
    """Which host did not answer: an answer may have led elsewhere. Nothing of what was asked."""
    try:
        url = error.request.url
    except RuntimeError:  # httpx says so where there was no request yet
        return ""
    return f"{url.scheme}://{url.netloc.decode()}"


def _said(answer: httpx.Response) -> str:
    """The server's own word for what is wrong, in one short line."""
    try:
        content = answer.json()
    except ValueError:
        content = None
    told: list[str] = []
    if isinstance(content, dict):
        told += [str(content[key]) for key in ("message", "error") if content.get(key)]
        for each in content.get("errors") or ():
            told.append(
                str(each.get("message") or each.get("code"))
                if isinstance(each, dict)
                else str(each)
            )
    text = " ".join(" ".join(told).split()) or answer.reason_phrase
    return text[:_MOST_CHARACTERS]
