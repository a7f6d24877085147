"""Places: the folders on disk that are the hosts' file systems in a rehearsal."""

from __future__ import annotations

import mimetypes
import stat
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["docs", "downloads", "put", "served"]


def downloads(store: Store) -> Path:
    """The root of the downloads: what users reach as ``/ftp/python/``."""
    return _place(store, "downloads", "srv/www.python.org/ftp/python")


def docs(store: Store) -> Path:
    """The root of the documentation."""
    return _place(store, "docs", "srv/docs.python.org")


def put(store: Store, **folders: Path) -> None:
    """From now on these folders are the roots, by name: ``downloads``, ``docs``."""
    known = store.load("places", {})
    store.save("places", {**known, **{name: str(path) for name, path in folders.items()}})


def _place(store: Store, name: str, default: str) -> Path:
    path = store.load("places", {}).get(name)
    return Path(path) if path else store.folder.parent / "hosts" / name / default


def served(root: Path, path: str, at: str) -> Response:
    """What a web server answers for a path below the root; ``at`` is how users call the root.

    The server is nobody in particular: what not everybody may read is 403, as for the .tgz of
    3.12.5 (pythondotorg#2499). Names that begin with a dot are served and never listed.
    """
    wanted = root / path
    if ".." in Path(path).parts or not wanted.exists():
        return Response("Not Found", status_code=404)
    if not _open_to_all(root, wanted):
        return Response("Forbidden", status_code=403)
    if wanted.is_dir():
        if path and not path.endswith("/"):
            return RedirectResponse(f"{at}{path}/", status_code=301)
        index = wanted / "index.html"
        return HTMLResponse(index.read_bytes() if index.is_file() else _listing(wanted, at + path))
    kind, _ = mimetypes.guess_type(wanted.name)
    status = wanted.stat()
    mark = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    return Response(
        wanted.read_bytes(), media_type=kind or "application/octet-stream", headers={"ETag": mark}
    )


def _open_to_all(root: Path, wanted: Path) -> bool:
    if not wanted.stat().st_mode & stat.S_IROTH:
        return False
    above = [each for each in wanted.parents if each.is_relative_to(root)]
    return all(each.stat().st_mode & stat.S_IXOTH for each in above)


def _listing(folder: Path, title: str) -> str:
    entries = sorted(folder.iterdir(), key=lambda each: (not each.is_dir(), each.name))
    lines = [
        f'<a href="{escape(name)}">{escape(name)}</a>'
        for each in entries
        if not each.name.startswith(".")
        for name in [each.name + ("/" if each.is_dir() else "")]
    ]
    heading = escape(title)
    head = f"<html><head><title>Index of {heading}</title></head><body><h1>Index of {heading}</h1>"
    return f'{head}<hr><pre><a href="../">../</a>\n' + "\n".join(lines) + "</pre></body></html>"
