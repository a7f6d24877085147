"""Parts of the simulated environment, served on a loopback port for the length of a test."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from starlette.applications import Starlette

__all__ = ["served"]

_LOOK_S: Final = 0.005
_LONGEST_S: Final = 1.0


class _Server(uvicorn.Server):
    """Ends when it is told to: uvicorn itself looks ten times a second, and takes two looks."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.started_up = threading.Event()
        self._end = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """From another thread."""
        assert self._loop
        self._loop.call_soon_threadsafe(self._end.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self.started_up.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)  # it makes what each answer begins with
        await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        del sockets
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_S):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn has no event
                    await asyncio.sleep(_LOOK_S)


@contextlib.contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The address that the part answers at until the block ends."""
    server = _Server(
        uvicorn.Config(app, port=0, lifespan="off", log_level="error", access_log=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.started_up.wait(120)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.end()
        thread.join()
