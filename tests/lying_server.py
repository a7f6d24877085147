"""A server of python.org that lies: raw bytes over a socket, as no honest server would send."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["answer", "lying"]


@contextlib.contextmanager
def lying(
    speak: Callable[[socket.socket, str], None], asked: list[bytes] | None = None
) -> Iterator[str]:
    """Each connection is answered by ``speak(socket, path)`` and closed; gives the address.

    The beginning of each request, with its headers, is added to ``asked``.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(65536)
                if not piece:
                    return
                request += piece
            if asked is not None:
                asked.append(request)
            speak(connection, request.split(b" ")[1].decode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # accept does not notice a close by itself.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A complete answer; names of headers have ``_`` for ``-``."""
    fields = {"Content-Length": str(len(body)), "Connection": "close"}
    fields |= {name.replace("_", "-"): text for name, text in headers.items()}
    head = "".join(f"{name}: {text}\r\n" for name, text in fields.items() if text)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body
