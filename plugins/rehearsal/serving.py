"""Serving: the environment as one process, every part of it on a loopback port of its own.

``python -m plugins.rehearsal.serving FOLDER`` serves until a signal ends it (SIGTERM, SIGINT),
until its standard input closes if that is a pipe, or until its parent is gone. It writes
``FOLDER/addresses.json`` and a line ``ready`` once every part answers, or a line that says why it
does not; ports stay the same over restarts, and the state is in ``FOLDER/state``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import uvicorn

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.rehearsal import (
    azure,
    blog,
    buildbots,
    cdn,
    experts,
    forum,
    front,
    fulcio,
    github,
    mail,
    nuget,
    peps,
    rekor,
    sigstore,
    site,
    ssh_hosts,
)
from plugins.rehearsal.machine import started
from plugins.rehearsal.reserved_ports import HOST, reserved, socket_at
from plugins.rehearsal.store import Store

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

__all__ = [
    "PARTS",
    "Addresses",
    "Other",
    "Running",
    "Web",
    "reserve_ports",
    "running_world",
    "serve",
]

_PARENT_LOOKS_S: Final = 0.2


class Running(Protocol):
    """A part of the environment that speaks another protocol than HTTP, while it answers."""

    @property
    def port(self) -> int:
        """The loopback port that it answers on."""
        ...

    def close(self) -> None:
        """It answers no more, and its port is free."""
        ...


@frozen
class Web:
    """A part that speaks HTTP; ``app`` makes it from the store."""

    name: str
    app: Callable[[Store], Starlette]


@frozen
class Other:
    """A part that speaks something else: ``serve(store, port)``, where port 0 means any.

    Its address is ``scheme://127.0.0.1:port``.
    """

    name: str
    scheme: str
    serve: Callable[[Store, int], Awaitable[Running]]


PARTS: Final[tuple[Web | Other, ...]] = (
    Web("world", front.app),
    Web("site", site.app),
    Web("cdn", cdn.app),
    Web("cdn_a", cdn.edge("a")),
    Web("cdn_b", cdn.edge("b")),
    Web("docs_cdn", cdn.docs_app),
    Web("github", github.app),
    Web("buildbots", buildbots.app),
    Web("peps", peps.app),
    Web("blog", blog.app),
    Web("forum", forum.app),
    Web("azure", azure.app),
    Web("nuget", nuget.app),
    Web("fulcio", fulcio.app),
    Web("rekor", rekor.app),
    Other("mail", "smtp", mail.serve),
    Other("experts", "people", experts.serve),
    Other("downloads", "ssh", ssh_hosts.downloads),
    Other("docs", "ssh", ssh_hosts.docs),
)
"""Every part of the environment: its name in addresses.json, and what makes it."""


@frozen
class Addresses:
    """Where the parts of a running environment answer, such as ``http://127.0.0.1:40001``."""

    folder: Path
    of: Mapping[str, str]
    pid: int

    def __getitem__(self, part: str) -> str:
        return self.of[part]

    @property
    def store(self) -> Store:
        """The environment's state, to inspect it and to set faults."""
        return Store(self.folder / "state")


def reserve_ports(store: Store) -> Mapping[str, str]:
    """The address that each part will have, by name; the same ones each time this is asked.

    So an environment can be declared before it runs; no other gets one of them meanwhile.
    """
    ports: dict[str, int] = store.load("ports", {})
    missing = [part.name for part in PARTS if part.name not in ports]
    if missing:
        # Its folder may be exchanged for another moment's; the one above stays meanwhile.
        owner = store.folder.absolute().parents[1]
        ports.update(zip(missing, reserved(owner, len(missing)), strict=True))
        store.save("ports", ports)
    return {
        part.name: f"{'http' if isinstance(part, Web) else part.scheme}://{HOST}:{ports[part.name]}"
        for part in PARTS
    }


@contextlib.contextmanager
def running_world(folder: Path) -> Iterator[Addresses]:
    """The environment of this folder answers until the block ends, in a process of its own.

    Raises StepFailed where somebody else has one of its ports: its addresses are declared, and
    whoever asks there would be answered by another environment.
    """
    here = Path(__file__).parents[2]
    with started(here, sys.executable, "-m", __spec__.name, folder.absolute()) as process:
        said = process.stdout.readline().decode().strip() if process.stdout else ""
        if said != "ready":
            raise StepFailed(
                where=f"{folder}",
                problem=f"the simulated environment did not start: {said or 'see above'}",
                remedy="end what has its port, such as another rehearsal, and start it again; or "
                "rehearse in another --folder",
            )
        yield read_addresses(folder)


def read_addresses(folder: Path) -> Addresses:
    """The addresses of this folder's environment. Raises FileNotFoundError if it is not running."""
    running = json.loads((folder / "addresses.json").read_bytes())
    return Addresses(folder, running["of"], running["pid"])


async def serve(folder: Path) -> None:
    """Serve every part until this process gets a signal to end or nobody needs it any more.

    Raises OSError, whose text names part and port, for a port that somebody else has.
    """
    store = Store(folder / "state")
    ports: dict[str, int] = store.load("ports", {})
    ending = asyncio.Event()
    _end_with_others(ending)
    async with contextlib.AsyncExitStack() as stack:
        addresses: dict[str, str] = {}
        others = [part for part in PARTS if isinstance(part, Other)]
        for other in others:
            with _named(other.name, ports):
                running = await other.serve(store, ports.get(other.name, 0))
            stack.callback(running.close)
            ports[other.name] = running.port
            addresses[other.name] = f"{other.scheme}://{HOST}:{running.port}"
        web = [part for part in PARTS if isinstance(part, Web)]
        sockets = []
        for part in web:
            with _named(part.name, ports):
                each = stack.enter_context(socket_at(ports.get(part.name, 0)))
                # Two that have bound one port are told apart here at the latest.
                each.listen()
            sockets.append(each)
            ports[part.name] = each.getsockname()[1]
            addresses[part.name] = f"http://{HOST}:{ports[part.name]}"
        store.save("ports", ports)
        store.save("addresses", addresses)
        sigstore.seed(store, addresses)
        sigstore.sign_in(store)
        apps = {ports[part.name]: part.app(store) for part in web}
        server = _Server(apps)
        serving = asyncio.create_task(server.serve(sockets=sockets))
        answering = asyncio.create_task(server.answers.wait())
        await asyncio.wait({serving, answering}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            answering.cancel()
            await serving
        file = folder / "addresses.json"
        stack.callback(file.unlink, missing_ok=True)
        write_whole(file, json.dumps({"of": addresses, "pid": os.getpid()}, indent=1).encode())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await ending.wait()
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """One HTTP server for all parts: the port that a request came in by decides which is asked."""

    def __init__(self, apps: Mapping[int, Starlette]) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            # uvicorn's own answers are methods of what holds the connection.
            scope["hang_up"] = send.__self__.transport.abort  # type: ignore[attr-defined]
            await apps[scope["server"][1]](scope, receive, send)

        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_level="critical",
                access_log=False,
                server_header=False,
                # A connection that a client keeps open must not keep the environment from ending.
                timeout_graceful_shutdown=1,
            )
        )
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals end the complete environment, not only what speaks HTTP.
        yield


@contextlib.contextmanager
def _named(part: str, ports: Mapping[str, int]) -> Iterator[None]:
    """An error about the part's port says whose it is."""
    try:
        yield
    except OSError as error:
        message = f"its {part} cannot answer at port {ports.get(part, 0)}, which somebody else has"
        raise OSError(error.errno, message) from error


def _end_with_others(ending: asyncio.Event) -> None:
    """The event is set by a signal, by the end of a pipe that feeds us, or by our parent's end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    with contextlib.suppress(OSError, ValueError):
        descriptor = sys.stdin.fileno()
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            loop.add_reader(descriptor, _fed, descriptor, loop, ending)
    parent = os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            ending.set()
        else:
            loop.call_later(_PARENT_LOOKS_S, look)

    look()


def _fed(descriptor: int, loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    if not os.read(descriptor, 4096):
        loop.remove_reader(descriptor)
        ending.set()


def main(folder: Path) -> int:
    """Serve the folder to the end; 1 and a line on standard output where that cannot be."""
    try:
        asyncio.run(serve(folder))
    except OSError as error:
        sys.stdout.write(f"{error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
