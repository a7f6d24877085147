"""HTTP client: the one way in which services use HTTP, with one set of bounds.

An answer is bounded in size, time and rate (``Bounds``), and is never decompressed: no
compression is asked for, and compressed answers are refused. A write is never redirected, a read
only to hosts that were named, and a secret goes to the client's own server alone. Reads, and
writes that may be done twice, are sent again a few times when a server fails for a moment. No
header of a request and no secret is in an error or a log.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote
from weakref import finalize

from doit_receipts.outside import Act, Unanswered, leaves
from doit_receipts.printable import printable
from plugins.services.answers import Part, json_of
from plugins.services.bounds import Bounds
from plugins.services.http_errors import (
    REFUSED,
    HttpErrors,
    Stumbled,
    nothing_done,
    worth_another_try,
)
from plugins.services.retry import retried

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    import httpx

__all__ = ["HttpClient"]

_MOST_REDIRECTS: Final = 3
_MOST_PAGES: Final = 50
_ASKING: Final = ("GET", "HEAD")
_HELD: Final = "held"
_HERE: Final = ("127.0.0.1", "::1", "localhost")


class HttpClient(HttpErrors):
    """One server at ``base``; ``login`` gives the headers that hold secrets, read at each use.

    ``leads_to`` are the ends of names of other hosts to which a read may be redirected, without
    the secrets. ``throttled_is_undone``: a request that is answered with 429 was not done.
    ``hidden`` gives secrets that are elsewhere than in headers. Without ``tells_acts``, whoever
    uses it tells of its acts.
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
        super().__init__(
            service,
            base.rstrip("/"),
            self._secrets,
            throttled_is_undone=throttled_is_undone,
            throttled_s=bounds.throttled_s,
        )
        self.bounds = bounds
        self._login = login
        self._fixed = {"accept-encoding": "identity", **(headers or {})}
        self._leads_to = tuple(leads_to)
        self._hidden = hidden
        self.tells_acts = True
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
        """What the address serves; with ``may_miss`` a 404 is an answer as well.

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
                    action,
                    f"the next page of the list is on another server, {printable(following[:200])}",
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

        Any status but 2xx and those in ``also`` is an error; ``more`` is as for httpx. One that a
        plan holds back is answered by 204.
        """
        if method not in _ASKING and self.tells_acts:
            held = self._held(method, path, **more)
            if held is not None:
                return held

        def ask() -> httpx.Response:
            with self.open(method, path, action, also, **more) as answer:
                complete = self.whole(answer, action)
            if complete.is_success or complete.status_code in also:
                return complete
            raise self.refused(complete, action)

        def worth_it(error: Exception) -> bool | float:
            return (again or getattr(error, "undone", False)) and worth_another_try(error)

        return retried(ask, worth_it)

    def send_once(self, method: str, path: str, action: str, **more: Any) -> httpx.Response:
        """The request was done; asked again only where nothing can have come of it.

        Raises NothingDone or NotYet where it is certain that nothing did.
        """
        try:
            answer = self.send(method, path, action, again=False, also=REFUSED, **more)
        except Stumbled as error:
            if error.undone:
                raise nothing_done(error) from error
            raise
        if answer.status_code in REFUSED:
            raise nothing_done(self.refused(answer, action))
        return answer

    def json(self, answer: httpx.Response, action: str) -> Part:
        """The answer's JSON, to be asked for its fields. Raises ServiceFailed if it is none."""
        if _HELD in answer.extensions:
            raise Unanswered
        url = answer.request.url
        return json_of(answer.content, self.service, action, str(url.copy_with(query=None)))

    def download(self, path: str, action: str, file: Path, most_bytes: int) -> str:
        """The file holds all of the bytes; returns their sha256. Streamed to the disk."""
        import hashlib

        from doit_receipts.durable import replacing

        def fetch() -> str:
            digest = hashlib.sha256()
            with self.open("GET", path, action) as answer:
                if answer.status_code != 200:
                    raise self.refused(self.whole(answer, action), action)
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
                own = {**self._login(), **(headers or {})} if self._is_own(str(url)) else {}
                request = client.build_request(method, url, headers={**self._fixed, **own}, **more)
                answer = client.send(request, stream=True)
                try:
                    if not answer.has_redirect_location or answer.status_code in also:
                        yield answer
                        return
                    url = self._led_to(answer, action)
                    more.pop("params", None)
                finally:
                    answer.close()
        self.fail(action, f"redirects more than {_MOST_REDIRECTS} times")

    def whole(self, answer: httpx.Response, action: str) -> httpx.Response:
        """The answer with all of its body."""
        import httpx

        content = b"".join(self.body(answer, action, self.bounds.size_bytes))
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=content, request=answer.request
        )

    def body(
        self, answer: httpx.Response, action: str, most_bytes: int, *, packed: bool = False
    ) -> Iterator[bytes]:
        """The bytes as they were sent, all of them. Raises ServiceFailed if they are too many.

        With ``packed`` they may be compressed, and are counted and given as they came.
        """
        length = answer.headers.get("content-length", "")[:20]
        declared = int(length) if length.isascii() and length.isdigit() else None
        if answer.request.method == "HEAD" or answer.status_code in (204, 304):
            declared = None
        coding = answer.headers.get("content-encoding", "") or "identity"
        if coding.lower() != "identity" and not packed:
            self.fail(
                action,
                f"its answer is compressed ({printable(coding[:40])}), which was not asked for",
            )
        size = 0
        with self.translated(action):
            if declared is not None and declared > most_bytes:
                raise self.too_large(action, most_bytes)
            for chunk in answer.iter_raw():
                size += len(chunk)
                if size > most_bytes:
                    raise self.too_large(action, most_bytes)
                yield chunk
        # A connection that closed early is not always an error to the client.
        if declared is not None and declared != size:
            raise self.stumbled(action, f"{size:,} of {declared:,} bytes came")

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _held(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """An empty answer to a request that a plan holds back; None for one that is to be sent."""
        import httpx

        url = f"{self.base}{path}" if path.startswith("/") else path
        more.pop("headers", None)  # they may hold secrets
        request = httpx.Request(method, url, **more)
        if leaves(Act.sending("http", f"{method} {request.url}", request.read())):
            return None
        return httpx.Response(204, request=request, extensions={_HELD: True})

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

    def _secrets(self) -> tuple[str, ...]:
        sent = self._login().items()
        return (*(text.rpartition(" ")[2] for name, text in sent if name != "api-username"),
                *self._hidden())  # fmt: skip

    def _is_own(self, url: str) -> bool:
        import httpx

        try:
            own, other = httpx.URL(self.base), httpx.URL(url)
        except httpx.InvalidURL:
            return False
        return (own.scheme, own.netloc) == (other.scheme, other.netloc)

    def _led_to(self, answer: httpx.Response, action: str) -> httpx.URL:
        """Where a read is redirected. Raises ServiceFailed for a write, and for any other host."""
        import httpx

        location = answer.headers["location"][:4_000]
        shown = printable(location.partition("?")[0][:200])
        if self.holds_secret(f"{location} {unquote(location)}"):
            shown = "an address that holds a secret"
        if answer.request.method not in ("GET", "HEAD"):
            self.fail(
                action, f"answered {answer.status_code} and redirects to {shown}: nothing was done"
            )
        try:
            url = answer.request.url.join(location)
        except httpx.InvalidURL as error:
            problem = f"redirects to {shown}, which is not an address"
            raise self.failed(action, problem) from error
        named = url.scheme == "https" and any(
            url.host == name or url.host.endswith(f".{name}") for name in self._leads_to
        )
        # What is rehearsed here has its storage here, under another name.
        here = self._leads_to and {url.host, httpx.URL(self.base).host} <= set(_HERE)
        if not (named or here or self._is_own(str(url))):
            self.fail(action, f"redirects to {shown}, which is another server")
        return url
