"""Front: the environment's status page: what a user sees, what was sent and what happened.

Each part of the environment renders its section in a function ``section(store) -> html``, listed
in ``SECTIONS``; the function escapes the text.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from plugins.rehearsal import cdn, sent, sigstore, site
from plugins.rehearsal.store import ALWAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["SECTIONS", "app"]

SECTIONS: Final[tuple[Callable[[Store], str], ...]] = (
    site.section,
    sent.repositories,
    sent.mails,
    sent.posts,
    sigstore.section,
    cdn.section,
)
"""The sections of the page, from top to bottom, above the log of what happened."""

_SHOWN: Final = 200
_STYLE: Final = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a7d3f; --bad: #b3261e; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h1 + p { margin-top: .2rem; opacity: .75; }
section { border: 1px solid var(--line); border-radius: .6rem; padding: .2rem 1.2rem 1rem;
  margin: 1.2rem 0; overflow-x: auto; }
.long { max-height: 32rem; overflow-y: auto; }
h2 { font-size: 1.15rem; } h3 { font-size: 1rem; margin-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th { text-align: left; font-weight: 600; }
td, th { padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--soft);
  vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font: .85rem/1.4 ui-monospace, monospace; } pre { white-space: pre-wrap; }
code, td { overflow-wrap: anywhere; } td:first-child code { white-space: nowrap; }
details { font-size: .9rem; } summary { cursor: pointer; opacity: .75; } h3 + p { margin: 0; }
.tag { border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .6rem; font-size: .8rem;
  margin-left: .4rem; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
"""


def app(store: Store) -> Starlette:
    """The page at ``/``, rendered again for each request."""

    async def page(_request: Request) -> HTMLResponse:
        parts = [section(store) for section in SECTIONS]
        return HTMLResponse(
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>Simulated release environment</title><style>{_STYLE}</style></head><body>"
            "<h1>Simulated release environment</h1>"
            "<p>Everything here is on this machine only; nobody else sees it.</p>"
            f"{''.join(parts)}{_pending_faults(store)}{_happened(store)}</body></html>"
        )

    return Starlette(routes=[Route("/", page)])


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already; "" if there are no rows."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return ""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f"<table><tr>{head}</tr>{body}</table>"


def _pending_faults(store: Store) -> str:
    """The faults that are still to happen."""
    faults = store.load("faults", {}).items()
    pending = {name: fault for name, fault in faults if fault.get("times")}
    if not pending:
        return ""
    rows = [
        (f"<code>{escape(name)}</code>", _times(fault["times"]), escape(fault["argument"]))
        for name, fault in sorted(pending.items())
    ]
    table = _table(("fault", "times", "argument"), rows)
    return f"<section><h2>Pending faults</h2>{table}</section>"


def _times(number: int) -> str:
    return "always" if number == ALWAYS else str(number)


def _happened(store: Store) -> str:
    """The requests that the environment received, newest first."""
    entries = list(store.happened())
    rows = []
    for entry in reversed(entries[-_SHOWN:]):
        more = {key: value for key, value in entry.items() if key not in ("at", "part", "event")}
        details = ", ".join(f"{key} {_plain(value)}" for key, value in more.items() if value != "")
        rows.append(
            (
                f"<code>{escape(entry['at'][11:23])}</code>",
                escape(entry["part"]),
                escape(entry["event"]),
                escape(details),
            )
        )
    table = _table(("at", "part", "what", ""), rows) or "<p>Nothing yet.</p>"
    head = f"<h2>What happened ({len(entries)})</h2>"
    return f'<section>{head}<div class="long">{table}</div></section>'


def _plain(value: object) -> str:
    """A list or table of the log in words, without the brackets of a programming language."""
    match value:
        case dict():
            return ", ".join(f"{key} {_plain(each) or 'deleted'}" for key, each in value.items())
        case list():
            return ", ".join(_plain(each) for each in value)
        case _:
            return str(value)
