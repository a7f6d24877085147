"""Board: the page of a release, served on loopback to whoever has its address, and kept alive.

It only shows. Its address holds a token, and what lacks it is answered like an address that does
not exist; so is a request under another name than loopback's, by which a foreign page would ask.
"""

from __future__ import annotations

import hmac
import json
import time
from contextvars import copy_context
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.page import Page
from doit_receipts.watching import Watch

if TYPE_CHECKING:
    from doit_receipts.plan import Plan

__all__ = ["Board"]

_HOST: Final = "127.0.0.1"
_SILENCE_S: Final = 5.0
"""How long somebody may take to ask, or to read; then they are left."""
_FRESH_S: Final = 0.5
"""What was looked at so shortly ago is shown again, however many ask."""
_ASKED_S: Final = 5.0
"""What extra inputs gave so shortly ago is not asked again: for that programs are run."""
_SCRIPT: Final = """
let seen="";const able=()=>[...document.querySelectorAll("main :is(summary,button,a,[tabindex])")];
const key=e=>[e.tagName,e.dataset.copy,e.getAttribute("href"),(e.closest("details")||e).id,
e.getAttribute("class")].join();const keys=()=>{const n={};
return able().map(key).map(k=>k+(n[k]=(n[k]||0)+1))};
const look=async()=>{try{const got=await fetch("now?"+seen,{cache:"no-store"});
if(got.status==200){const now=await got.json();seen=now.mark;
const open=new Set([...document.querySelectorAll("details")].filter(d=>d.open).map(d=>d.id));
const known=new Set([...document.querySelectorAll("details")].map(d=>d.id));
const wide=[...document.querySelectorAll(".wide")].map(w=>[w.scrollLeft,w.scrollTop]);
const focus=keys()[able().indexOf(document.activeElement)];
document.getElementById("all").innerHTML=now.html;
for(const d of document.querySelectorAll("details"))if(known.has(d.id))d.open=open.has(d.id);
document.querySelectorAll(".wide").forEach((w,n)=>{if(wide[n])w.scrollTo(...wide[n])});
const same=able()[keys().indexOf(focus)];if(same)same.focus({preventScroll:true})}
document.body.style.opacity=1}catch(e){document.body.style.opacity=.5}setTimeout(look,2000)};
setTimeout(look,2000);
"""


class Board:
    """The server of one release's page; ``address`` is what to open in a browser.

    Port 0 takes any that is free. Raises OSError for one that is not.
    """

    def __init__(self, plan: Plan, port: int = 0, token: str = "") -> None:
        self._watch = Watch(plan)
        self._page = Page(plan)
        self._lock = Lock()
        self._looked_s = 0.0
        self._asked_s = 0.0
        self._owes_asking = False
        self._now: tuple[str, str] = ("", "")
        self.token = token or token_urlsafe(18)
        board = self

        class Handler(_Handler):
            asked = board

        self._server = _Server((_HOST, port), Handler)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{_HOST}:{self._server.server_port}/{self.token}/"

    def serve(self) -> None:
        """Answer until ``close`` is called, or Ctrl-C ends it."""
        self._server.serve_forever()

    def close(self) -> None:
        """Nobody is answered any more. Called from another thread than ``serve``'s."""
        self._server.shutdown()
        self._server.server_close()
        self._watch.plan.state.close()

    def forget(self) -> None:
        """The next who asks is answered from a new look, however short ago the last one was."""
        self._looked_s = 0.0

    def names(self) -> tuple[str, ...]:
        """What a browser calls this server."""
        port = self._server.server_port
        return (f"{_HOST}:{port}", f"localhost:{port}")

    def page(self) -> str:
        """The whole page."""
        with self._lock:
            _, body = self._look()
            return self._page.text(body, _SCRIPT)

    def now(self) -> tuple[str, str]:
        """What the page shows now, after a mark that is another one if it shows something else."""
        with self._lock:
            return self._look()

    def _look(self) -> tuple[str, str]:
        if self._looked_s and time.monotonic() - self._looked_s < _FRESH_S:
            return self._now
        is_other = self._watch.changed()
        plan = self._watch.plan
        asks = time.monotonic() - self._asked_s >= _ASKED_S or not self._now[0]
        self._page = self._page.of(plan, self._watch.problem)
        is_other = is_other or plan.folder.running.exists()
        if is_other or not self._now[0] or (asks and self._owes_asking):
            plan.look_anew(ask=asks)
            self._owes_asking = not asks
            if asks:
                self._asked_s = time.monotonic()
            body = self._page.body()
            self._now = (sha256(body.encode(errors="replace")).hexdigest()[:16], body)
        self._looked_s = time.monotonic()
        return self._now


class _Server(ThreadingHTTPServer):
    # A browser that keeps its connection keeps no new board from this port; one that listens does.
    allow_reuse_address = True
    allow_reuse_port = False  # some versions of Python set it for every server of HTTP

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, for the release that is open here."""
        # Threads end with the program: a browser that never reads holds nothing up.
        answer = partial(self.process_request_thread, request, client_address)
        Thread(target=copy_context().run, args=(answer,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that left is no error."""


class _Handler(BaseHTTPRequestHandler):
    asked: Board
    timeout = _SILENCE_S
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "board", ""

    def do_GET(self) -> None:
        """Answer with the page, with what it shows now, or with nothing."""
        path, _, mark = self.path.partition("?")
        prefix = f"/{self.asked.token}/"
        is_ours = hmac.compare_digest(path[: len(prefix)].encode(), prefix.encode())
        if not is_ours or self.headers.get("host", "") not in self.asked.names():
            self._answer(404, "text/plain", "there is nothing here\n")
            return
        match path.removeprefix(prefix):
            case "":
                self._answer(200, "text/html", self.asked.page())
            case "now":
                now, body = self.asked.now()
                if mark == now:
                    self._answer(204, "text/plain", "")
                else:
                    text = json.dumps({"mark": now, "html": body})
                    self._answer(200, "application/json", text)
            case _:
                self._answer(404, "text/plain", "there is nothing here\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's
        """Say nothing: the address has the token in it."""

    def _answer(self, status: int, kind: str, text: str) -> None:
        content = text.encode(errors="backslashreplace")
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
        for name, value in (
            ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
