"""Cdn: the caches in front of python.org, purged by address and looked at one by one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from doit_receipts.durable import replacing
from doit_receipts.errors import ServiceFailed
from plugins.ports.caches import Seen
from plugins.services.asking import Asker
from plugins.services.doors import Doors
from plugins.services.patience import quiet_stamina

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import httpx

    from plugins.model.secret import Secret
    from plugins.services.doors import Door

__all__ = ["Caches"]

_CHUNK: Final = 1 << 20
_MOST_TEXT: Final = 8 << 20
_ATTEMPTS: Final = 4


class Caches:
    """``www``, ``docs`` and ``edges`` are its doors; see Doors.

    ``key`` is that of the CDN's own API; without it purges are asked of the caches themselves,
    as python.org allows to everybody.
    """

    def __init__(
        self,
        www: str,
        docs: str,
        edges: Sequence[str] = (),
        key: Secret | None = None,
        *,
        timeout_s: float = 30.0,
    ) -> None:
        self._doors = Doors(www, docs, edges)
        self._key = key
        self._timeout_s = timeout_s
        self._purged: set[str] = set()
        self._seen: dict[tuple[str, str], tuple[str, Seen]] = {}
        self._askers: dict[str, Asker] = {}

    def __repr__(self) -> str:
        return f"Caches({self._doors.www}, {self._doors.docs})"

    @property
    def edges(self) -> tuple[str, ...]:
        """Caches that can be asked one by one."""
        return self._doors.edges

    def purge(self, url: str) -> None:
        """Every cache was told to forget the address."""
        base, path = self._doors.place(url)
        headers = {"Fastly-Key": self._key.reveal()} if self._key is not None else {}
        asker = self._asker(base)
        answer = asker.ask("PURGE", path, again=True, headers=headers)
        if answer.status_code != 200:
            raise asker.refusal(answer)
        self._purged.add(url)

    def was_purged(self, url: str) -> bool:
        """Whether this process purged it."""
        return url in self._purged

    def look(self, url: str, edge: str) -> Seen:
        """What one cache serves, read in a stream; the same bytes are not sent twice."""
        base, path = self._doors.place(url)
        door = self._doors.edge(base, edge)
        known = self._seen.get((edge, url))
        headers = {"Host": door.host, "Accept-Encoding": "identity"}
        if known is not None and known[0]:
            headers["If-None-Match"] = known[0]
        digest = hashlib.sha256()
        text: list[bytes] = []

        def start() -> Callable[[bytes], object]:
            nonlocal digest
            digest = hashlib.sha256()
            text.clear()

            def take(chunk: bytes) -> None:
                digest.update(chunk)
                if sum(map(len, text)) < _MOST_TEXT:
                    text.append(chunk)

            return take

        status, size, told = self._stream(door, path, headers, start)
        if status == 304 and known is not None:
            return known[1]
        is_text = told.get("content-type", "").startswith("text/")
        whole = b"".join(text).decode(errors="replace") if is_text else ""
        seen = Seen(status, size, digest.hexdigest(), whole)
        self._seen[edge, url] = (told.get("etag", ""), seen)
        return seen

    def download(self, url: str, file: Path) -> Seen:
        """What a user gets stands in the file."""
        base, path = self._doors.place(url)
        door = self._doors.edge(base, base)
        digest = hashlib.sha256()
        with replacing(file) as out:

            def start() -> Callable[[bytes], object]:
                nonlocal digest
                digest = hashlib.sha256()
                out.seek(0)
                out.truncate()

                def take(chunk: bytes) -> None:
                    digest.update(chunk)
                    out.write(chunk)

                return take

            headers = {"Accept-Encoding": "identity"}
            status, size, _ = self._stream(door, path, headers, start)
            if status != 200:
                raise ServiceFailed(
                    service=door.host,
                    action=f"download {path}",
                    problem=f"answered {status}",
                    remedy="look at it in a browser",
                )
        return Seen(status, size, digest.hexdigest())

    def _stream(
        self, door: Door, path: str, headers: dict[str, str], start: Callable[[], Any]
    ) -> tuple[int, int, httpx.Headers]:
        """Read an answer to its end; one that breaks off is read again from its start."""
        import httpx

        stamina = quiet_stamina()

        client = self._asker(door.base).client
        sni = {"sni_hostname": urlsplit(f"//{door.host}").hostname or door.host}
        extensions = sni if door.base.startswith("https:") else {}

        def read() -> tuple[int, int, httpx.Headers]:
            take, size = start(), 0
            with client.stream("GET", path, headers=headers, extensions=extensions) as answer:
                if answer.status_code >= 500:
                    raise _Busy(answer.status_code)
                for chunk in answer.iter_raw(_CHUNK):
                    take(chunk)
                    size += len(chunk)
                # A connection that closed early is not always an error to the client.
                length = answer.headers.get("content-length", "")
                if length.isdigit() and int(length) != size and answer.status_code == 200:
                    message = f"{size} of {length} bytes came"
                    raise httpx.RemoteProtocolError(message)
                return answer.status_code, size, answer.headers

        try:
            for attempt in stamina.retry_context(
                on=(httpx.HTTPError, _Busy),
                attempts=_ATTEMPTS,
                timeout=None,
                wait_initial=0.2,
                wait_max=5.0,
                wait_jitter=0.2,
            ):
                with attempt:
                    return read()
        except (httpx.HTTPError, _Busy) as error:
            raise ServiceFailed(
                service=door.host,
                action=f"GET {path}",
                problem=str(error) or type(error).__name__,
                remedy="look whether it can be reached, then run the same command again",
            ) from error
        message = "stamina tried and told nothing"
        raise AssertionError(message)

    def _asker(self, base: str) -> Asker:
        if base not in self._askers:
            name = urlsplit(base).netloc
            self._askers[base] = Asker(name, base, timeout_s=self._timeout_s)
        return self._askers[base]


class _Busy(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
