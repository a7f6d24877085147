"""Minimum-rate timeout: connections that give up on a server that answers too slowly.

The time-outs of an HTTP client are for each read: who sends a byte every few seconds, of a header
or of a body, keeps it for days. Here the time of a whole answer is bounded, by what came of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpcore
    import httpx

    from plugins.services.bounds import Bounds

__all__ = ["minimum_rate_transport"]

_CONNECTIONS: Final = 16
_KEPT_S: Final = 5.0


def minimum_rate_transport(base: str, bounds: Bounds) -> httpx.BaseTransport:
    """Httpx's way to one server, or to its proxy if the environment names one.

    Errors are raised as httpcore raises them.
    """
    import httpcore
    import httpx

    class Body(httpx.SyncByteStream):
        """What is still to be read of an answer."""

        def __init__(self, answer: httpcore.Response) -> None:
            self._answer = answer

        def __iter__(self) -> Iterator[bytes]:
            return self._answer.iter_stream()

        def close(self) -> None:
            self._answer.close()

    class Transport(httpx.BaseTransport):
        """A pool of connections."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            url = request.url
            target = httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            )
            asked = httpcore.Request(
                request.method, target, headers=request.headers.raw,
                content=request.stream, extensions=request.extensions,
            )  # fmt: skip
            answer = pool.handle_request(asked)
            return httpx.Response(answer.status, headers=answer.headers, stream=Body(answer))

        def close(self) -> None:
            pool.close()

    pool = _pool(base, bounds)
    return Transport()


def _pool(base: str, bounds: Bounds) -> httpcore.ConnectionPool:
    import ssl

    import httpcore
    import httpx

    url = httpx.URL(base)
    # Where no TLS is spoken nobody has to be trusted; reading whom to trust costs 50 ms.
    plain = url.scheme == "http"
    options: dict[str, Any] = {
        "ssl_context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if plain
        else httpx.create_ssl_context(),
        "max_connections": _CONNECTIONS,
        "max_keepalive_connections": _CONNECTIONS,
        "keepalive_expiry": _KEPT_S,
        "network_backend": _Network(httpcore.SyncBackend(), bounds),
    }
    named = "" if proxy_bypass(url.host) else getproxies().get(url.scheme, "")
    if not named:
        return httpcore.ConnectionPool(**options)
    proxy = httpx.URL(named if "://" in named else f"http://{named}")
    login = (proxy.username, proxy.password) if proxy.username else None
    address = str(proxy.copy_with(username=None, password=None))
    return httpcore.HTTPProxy(address, proxy_auth=login, **options)


class _Network:
    """The machine's network, with streams that keep to the bounds."""

    def __init__(self, network: httpcore.NetworkBackend, bounds: Bounds) -> None:
        self._network = network
        self._bounds = bounds

    def connect_tcp(self, *words: Any, **named: Any) -> _Stream:
        return _Stream(self._network.connect_tcp(*words, **named), self._bounds)


class _Stream:
    """A connection: what is written begins a question, what is read since is its answer."""

    def __init__(self, stream: httpcore.NetworkStream, bounds: Bounds) -> None:
        self._stream = stream
        self._bounds = bounds
        self._asked_s = time.monotonic()
        self._came = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        import httpcore

        may_take = self._bounds.grace_s + self._came / self._bounds.least_rate
        may_take = min(may_take, self._bounds.longest_s)
        left = may_take - (time.monotonic() - self._asked_s)
        if left <= 0:
            message = f"{self._came:,} bytes came in {may_take:.1f} s: too slow to wait for"
            raise httpcore.ReadTimeout(message)
        read = self._stream.read(max_bytes, min(left, timeout or left))
        self._came += len(read)
        return read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)
        self._asked_s, self._came = time.monotonic(), 0

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *words: Any, **named: Any) -> _Stream:
        return _Stream(self._stream.start_tls(*words, **named), self._bounds)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
