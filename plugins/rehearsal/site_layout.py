"""Layout: the frame around every page of the simulated python.org, and the headers of answers.

The menu's box is fetched by the browser, as on the real site: a page does not change when the
box does. Source: templates/base.html, static/js/script.js and pydotorg/middleware.py of
python/pythondotorg at 0a7e8d1f.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["missing", "page", "slash_added", "with_keys"]

_STYLE: Final = """\
body { font: 16px/1.5 "Source Sans Pro", Arial, sans-serif; margin: 0; color: #444; }
header { background: #2b5b84; color: #fff; padding: .8rem 2rem; }
header b { font-size: 1.5rem; } nav { background: #1e415e; color: #fff; padding: .6rem 2rem; }
nav a, header a { color: #ffd343; } nav p, nav h4 { margin: 0; } main { padding: 1rem 2rem; }
h1 { color: #3776ab; font-weight: 400; } h2 { color: #3776ab; font-weight: 400; }
.button { background: #ffd343; color: #222; padding: .1rem .7rem; border-radius: .3rem; }
.notice { background: #fbf7e6; border: 1px solid #ddc; padding: .5rem 1rem; }
table { border-collapse: collapse; } td, th { border: 1px solid #ddd; padding: .2rem .6rem; }
td, code { overflow-wrap: anywhere; text-align: left; } ol { list-style: none; padding: 0; }
"""
_MENU: Final = """\
<nav id="downloads-menu"></nav><script>
fetch("/box/supernav-python-downloads/").then(box => box.ok ? box.text() : "").then(
  text => { document.getElementById("downloads-menu").innerHTML = text; });
</script>"""


def page(title: str, parts: Iterable[str], status: int = 200) -> HTMLResponse:
    """A complete page, with the menu that every page has."""
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>{escape(title)} | Python.org</title>'
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>'
        f'<header><b>python</b>.org</header>{_MENU}<main class="text">{body}</main></body></html>',
        status,
        {"Vary": "Cookie"},
    )


def missing() -> Response:
    """No such page; caches may keep that for five minutes, as the application says."""
    answer = page("404", ["<h1>Error 404: File not found</h1>"], 404)
    answer.headers["Cache-Control"] = "max-age=300"
    return answer


def slash_added(path: str, query: str) -> Response:
    """The address has a slash at its end."""
    target = f"{path}/" + (f"?{query}" if query else "")
    return RedirectResponse(target, 301, {"Vary": "Cookie"})


def with_keys(answer: Response, path: str) -> Response:
    """The answer, with the keys by which a CDN can purge it."""
    section = path.strip("/").partition("/")[0]
    answer.headers["Surrogate-Key"] = f"pydotorg-app {section}".rstrip()
    return answer
