"""Parts of the simulated environment, served on a loopback port for the length of a test."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

__all__ = ["served"]


@contextlib.contextmanager
def served(app: Starlette) -> Iterator[str]:
    """The address that the part answers at until the block ends."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, *words: object, **named: object) -> None:
            await super().startup(*words, **named)  # type: ignore[arg-type]
            started.set()

    config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", access_log=False,
                            timeout_graceful_shutdown=1)  # fmt: skip
    server = Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert started.wait(20)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
