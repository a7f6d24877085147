"""HTTP client: the one way in which services speak HTTP, with one set of bounds.

An answer is bounded in size, time and rate (``Bounds``), and is never unfolded: nothing packed is
asked for, and what comes packed is refused. A write is never led elsewhere, a read only to hosts
that were named, and a secret goes to the client's own server alone. Reads, and writes that may
be done twice, are asked again a few times when a server stumbles. No header of a request and no
secret is in an error or a log.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn
from weakref import finalize

from doit_receipts.errors import ServiceFailed, Waiting
from plugins.model.printable import printable
from plugins.services.answers import Part, json_of
from plugins.services.bounds import Bounds
from plugins.services.retry import retried
from plugins.services.retry_after import until, wait_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    import httpx

__all__ = ["HttpClient", "Stumbled", "worth_another_try"]

_LONGEST_WAIT_S: Final = 60
_MOST_REDIRECTS: Final = 3
_MOST_PAGES: Final = 50
_SHOWN_CHARACTERS: Final = 300
_SHORTEST_SECRET: Final = 6
_HERE: Final = ("127.0.0.1", "::1", "localhost")
# A server that may answer the same request better in a moment.
_BUSY: Final = (429, 500, 502, 503, 504)
_REMEDIES: Final[Mapping[int, str]] = {
    401: "check that the secret in [credentials] is right and has not expired",
    403: "ask its administrators for the right to do this; a token also needs the scope",
    404: "check that its address in release.toml is right",
}


class Stumbled(ServiceFailed):
    """A failure that may be gone in a moment; ``wait_s`` is what the server asked for.

    ``undone``: nothing was done, so that it may be asked again in any case.
    """

    wait_s: float = 0.0
    undone: bool = False


def worth_another_try(error: Exception) -> bool | float:
    """For ``retried``: whether the same request may be answered in a moment, and in which."""
    return isinstance(error, Stumbled) and (error.wait_s or True)


class HttpClient:
    """One server at ``base``; ``login`` gives the headers that hold secrets, read at each use.

    ``leads_to`` are the ends of names of other hosts to which a read may be redirected, without
    the secrets. ``throttled_is_undone``: a request that is answered with 429 was not done.
    ``hidden`` gives secrets that stand elsewhere than in headers.
    """

    def __init__(
        self,
        service: str,
        base: str,
        login: Callable[[], Mapping[str, str]] = dict,
        *,
        headers: Mapping[str, str] | None = None,
        bounds: Bounds = Bounds(),  # noqa: B008 - a value that nobody changes
        leads_to: Collection[str] = (),
        throttled_is_undone: bool = False,
        hidden: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self.service = service
        self.base = base.rstrip("/")
        self.bounds = bounds
        self._login = login
        self._fixed = {"accept-encoding": "identity", **(headers or {})}
        self._leads_to = tuple(leads_to)
        self._throttled_is_undone = throttled_is_undone
        self._hidden = hidden
        self._opened: httpx.Client | None = None

    def get(
        self,
        path: str,
        action: str,
        *,
        may_miss: bool = False,
        redirects: bool = True,
        **query: Any,
    ) -> httpx.Response:
        """What is there; with ``may_miss`` that nothing is (404) is an answer as well.

        Without ``redirects`` an answer that leads elsewhere is returned as it is.
        """
        also = (*((404,) if may_miss else ()), *(() if redirects else (301, 302, 303, 307, 308)))
        return self.send("GET", path, action, again=True, also=also, params=query or None)

    def get_all(self, path: str, action: str, *, key: str = "", **query: Any) -> tuple[Part, ...]:
        """Every entry of a list that the server cuts into pages; ``key`` names it in each answer.

        Raises ServiceFailed for more than 50 pages, and for a page that is on another server.
        """
        found: list[Part] = []
        following, more = path, {"per_page": 100, **query}
        for _ in range(_MOST_PAGES):
            answer = self.get(following, action, **more)
            found += self.json(answer, action).parts(key)
            following, more = answer.links.get("next", {}).get("url", ""), {}
            if not following:
                return tuple(found)
            if not self._is_own(following):
                self.fail(
                    action, f"its next page is on another server, {printable(following[:200])}"
                )
        problem = f"the list has more than {_MOST_PAGES} pages of 100 entries"
        raise self.failed(action, problem)

    def send(
        self,
        method: str,
        path: str,
        action: str,
        *,
        again: bool,
        also: Collection[int] = (),
        **more: Any,
    ) -> httpx.Response:
        """The request was done. ``again``: it may be asked twice and is as if asked once.

        Any status but 2xx and those in ``also`` is an error; ``more`` is as for httpx.
        """

        def ask() -> httpx.Response:
            import httpx

            with self.open(method, path, action, also, **more) as answer:
                content = b"".join(self.body(answer, action, self.bounds.size_bytes))
                whole = httpx.Response(
                    answer.status_code, headers=answer.headers, content=content,
                    request=answer.request,
                )  # fmt: skip
            if whole.is_success or whole.status_code in also:
                return whole
            raise self.refused(whole, action)

        def worth_it(error: Exception) -> bool | float:
            return (again or getattr(error, "undone", False)) and worth_another_try(error)

        return retried(ask, worth_it)

    def json(self, answer: httpx.Response, action: str) -> Part:
        """The answer's JSON, to be asked for its fields. Raises ServiceFailed if it is none."""
        url = answer.request.url
        return json_of(answer.content, self.service, action, str(url.copy_with(query=None)))

    def download(self, path: str, action: str, file: Path, most_bytes: int) -> str:
        """The bytes stand in the file, complete; returns their sha256. Streamed to the disk."""
        import hashlib

        from doit_receipts.durable import replacing

        def fetch() -> str:
            digest = hashlib.sha256()
            with self.open("GET", path, action) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise self.refused(answer, action)
                with replacing(file) as stream:
                    for chunk in self.body(answer, action, most_bytes):
                        digest.update(chunk)
                        stream.write(chunk)
            return digest.hexdigest()

        return retried(fetch, worth_another_try)

    def close(self) -> None:
        """No connection is open, and no cookie is kept."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # ── one exchange ───────────────────────────────────────────────────────────────────────

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        action: str,
        also: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Iterator[httpx.Response]:
        """The beginning of an answer, whose ``body`` is still to be read; of any status.

        Raises ServiceFailed for a server that cannot be reached, is too slow, or leads elsewhere.
        """
        import httpx

        client = self._client()
        url = httpx.URL(f"{self.base}{path}" if path.startswith("/") else path)
        with self.translated(action):
            for _ in range(_MOST_REDIRECTS + 1):
                own = self._login() if self._is_own(str(url)) else {}
                request = client.build_request(
                    method, url, headers={**self._fixed, **own, **(headers or {})}, **more
                )
                answer = client.send(request, stream=True)
                try:
                    if not answer.has_redirect_location or answer.status_code in also:
                        yield answer
                        return
                    url = self._led_to(answer, action)
                    more.pop("params", None)
                finally:
                    answer.close()
        self.fail(action, f"it leads elsewhere more than {_MOST_REDIRECTS} times")

    def body(
        self, answer: httpx.Response, action: str, most_bytes: int, *, packed: bool = False
    ) -> Iterator[bytes]:
        """The bytes as they were sent, all of them. Raises ServiceFailed if they are too many.

        With ``packed`` they may be packed, and are counted and given as that.
        """
        length = answer.headers.get("content-length", "")[:20]
        told = int(length) if length.isascii() and length.isdigit() else None
        if answer.request.method == "HEAD" or answer.status_code in (204, 304):
            told = None
        coding = answer.headers.get("content-encoding", "") or "identity"
        if coding.lower() != "identity" and not packed:
            self.fail(action, f"its answer is packed ({printable(coding[:40])}), unasked")
        size = 0
        with self.translated(action):
            if told is not None and told > most_bytes:
                raise self._too_large(action, most_bytes)
            for chunk in answer.iter_raw():
                size += len(chunk)
                if size > most_bytes:
                    raise self._too_large(action, most_bytes)
                yield chunk
        # A connection that closed early is not always an error to the client.
        if told is not None and told != size:
            raise self.stumbled(action, f"{size:,} of {told:,} bytes came")

    @contextmanager
    def translated(self, action: str) -> Iterator[None]:
        """What httpx and httpcore raise is raised as ServiceFailed, worth another try."""
        import httpcore
        import httpx

        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.TimeoutException,
                httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError,
                httpcore.UnsupportedProtocol) as error:  # fmt: skip
            raise self._lost(action, error) from error

    def fail(self, action: str, problem: str, remedy: str = "") -> NoReturn:
        """Raise the error of this service that another try would not mend."""
        raise self.failed(action, problem, remedy)

    def failed(self, action: str, problem: str, remedy: str = "") -> ServiceFailed:
        """An error of this service, which another try would not mend."""
        return ServiceFailed(
            service=self.service,
            action=action,
            problem=problem,
            remedy=remedy or f"check that {self.base} is the right address and what it answers",
        )

    def refused(self, answer: httpx.Response, action: str) -> Exception:
        """The error that an answer means: its status, and what the service said in one line."""
        status, waits = answer.status_code, answer.headers.get("retry-after", "")
        said, details = self._said(answer)
        problem = f"answered {status}: {said or answer.reason_phrase}".rstrip(": ")
        busy = status in _BUSY or (status == 403 and bool(waits))
        wait_s = wait_of(waits)
        if answer.headers.get("x-ratelimit-remaining") == "0" and not waits:
            remedy = "its hourly limit is used up; run the same command again in an hour"
        elif busy and wait_s > _LONGEST_WAIT_S:
            return Waiting(
                who=self.service,
                problem=f"{action}: it takes no more calls before {until(wait_s)}",
                remedy="run the same command again then; nothing is said about what is there",
            )
        elif busy:
            error = self.stumbled(action, problem, details)
            error.wait_s = wait_s or (1.0 if status == 429 else 0.0)
            error.undone = status == 429 and self._throttled_is_undone
            return error
        else:
            remedy = _REMEDIES.get(status, "run the same command again")
        return ServiceFailed(
            service=self.service, action=action, problem=problem, remedy=remedy, details=details
        )

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _client(self) -> httpx.Client:
        if self._opened is None:
            import httpx

            from plugins.services.minimum_rate import minimum_rate_transport

            self._opened = httpx.Client(
                transport=minimum_rate_transport(self.base, self.bounds),
                timeout=self.bounds.silence_s,
                headers={"user-agent": "pep101"},
            )
            # Whoever drops a service need not know that it has connections.
            finalize(self, self._opened.close)
        return self._opened

    def _is_own(self, url: str) -> bool:
        import httpx

        try:
            own, other = httpx.URL(self.base), httpx.URL(url)
        except httpx.InvalidURL:
            return False
        return (own.scheme, own.netloc) == (other.scheme, other.netloc)

    def _led_to(self, answer: httpx.Response, action: str) -> httpx.URL:
        """Where a read goes on. Raises ServiceFailed for a write, and for any other host."""
        import httpx

        location = answer.headers["location"][:4_000]
        shown = printable(location.partition("?")[0][:200])
        if answer.request.method not in ("GET", "HEAD"):
            self.fail(
                action, f"answered {answer.status_code} and leads to {shown}: nothing was done"
            )
        try:
            url = answer.request.url.join(location)
        except httpx.InvalidURL as error:
            problem = f"leads to {shown}, which is no address"
            raise self.failed(action, problem) from error
        named = url.scheme == "https" and any(
            url.host == each or url.host.endswith(f".{each}") for each in self._leads_to
        )
        # What is rehearsed here has its storage here, under another name.
        here = self._leads_to and {url.host, httpx.URL(self.base).host} <= set(_HERE)
        if not (named or here or self._is_own(str(url))):
            self.fail(action, f"leads to {shown}, which is another server")
        return url

    def _too_large(self, action: str, most_bytes: int) -> ServiceFailed:
        return self.failed(action, f"is larger than the {most_bytes:,} bytes that it may have")

    def stumbled(self, action: str, problem: str, details: tuple[str, ...] = ()) -> Stumbled:
        """An error of this service that may be gone in a moment."""
        return Stumbled(
            service=self.service, action=action, problem=problem, details=details,
            remedy="run the same command again in a few minutes",
        )  # fmt: skip

    def _lost(self, action: str, error: Exception) -> ServiceFailed:
        kind = type(error).__name__
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower()
        # The text of an error may hold a whole address, with what was asked of it; ours does not.
        why = f" ({error})" if "too slow to wait for" in str(error) else ""
        if kind in ("ConnectError", "ConnectTimeout"):
            words = f"cannot be reached: {words}"
        elif kind.endswith("Timeout"):
            words = f"timed out: {words}"
        found = self.stumbled(action, f"{words} at {self.base}{why}")
        # A connection that was never made carried nothing.
        found.undone = kind in ("ConnectError", "ConnectTimeout")
        return found

    def _said(self, answer: httpx.Response) -> tuple[str, tuple[str, ...]]:
        """The server's own words: its message, or else the beginning of its text as a detail."""
        try:
            content = self.json(answer, "").plain
        except ServiceFailed:
            content = None
        words: list[str] = []
        if isinstance(content, dict):
            words += [str(content[key]) for key in ("message", "error") if content.get(key)]
            errors = content.get("errors")
            for each in errors if isinstance(errors, list) else ():
                known = isinstance(each, dict)
                words.append(str(each.get("message") or each.get("code") if known else each))
        said = printable(" ".join(" ".join(words).split())[:_SHOWN_CHARACTERS])
        text = answer.content.decode(errors="replace")[: 1 << 16]
        text = printable(" ".join(re.sub(r"<[^>]*>", " ", text).split())[:_SHOWN_CHARACTERS])
        secrets = [value.rpartition(" ")[2] for name, value in self._login().items()
                   if name != "api-username"]  # fmt: skip
        secrets += self._hidden()
        if any(len(each) >= _SHORTEST_SECRET and each in said + text for each in secrets):
            return "(what it said holds a secret)", ()
        return said, () if said or not text else (text,)
