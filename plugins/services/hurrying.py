"""Hurrying: connections that give up on a server that answers too slowly, byte for byte.

An HTTP client's time-outs are for each read: who sends a byte every few seconds, of a header or
of a body, keeps it for days. Here the time of a whole answer is bounded, by what came of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import httpx

__all__ = ["Bounds", "hurry"]


class Bounds(NamedTuple):
    """How long a visitor waits: ``patience_s`` for anything, and then for bytes at this rate."""

    patience_s: float = 60.0
    least_rate: int = 20_000
    silence_s: float = 20.0


def hurry(client: httpx.Client, bounds: Bounds) -> None:
    """From now on every new connection of the client keeps to the bounds."""
    # httpx has no public way to hand a network backend to its pool; the version is pinned.
    pool: Any = client._transport._pool  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    pool._network_backend = _Network(pool._network_backend, bounds)  # noqa: SLF001 - as above


class _Network:
    """httpcore's network, with streams that are in a hurry."""

    def __init__(self, network: Any, bounds: Bounds) -> None:
        self._network = network
        self._bounds = bounds

    def connect_tcp(self, *words: Any, **named: Any) -> _Stream:
        return _Stream(self._network.connect_tcp(*words, **named), self._bounds)

    def connect_unix_socket(self, *words: Any, **named: Any) -> _Stream:
        return _Stream(self._network.connect_unix_socket(*words, **named), self._bounds)

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class _Stream:
    """A connection: what is written begins a question, what is read since is its answer."""

    def __init__(self, stream: Any, bounds: Bounds) -> None:
        self._stream = stream
        self._bounds = bounds
        self._asked_s = time.monotonic()
        self._came = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        import httpcore

        may_take = self._bounds.patience_s + self._came / self._bounds.least_rate
        left = may_take - (time.monotonic() - self._asked_s)
        if left <= 0:
            message = f"{self._came:,} bytes came in {may_take:.1f} s: too slow to wait for"
            raise httpcore.ReadTimeout(message)
        read: bytes = self._stream.read(max_bytes, min(left, timeout or left))
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
