"""Cache: what the edges of the rehearsed CDN keep, in files, until a purge."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.rehearsal.store import Store

__all__ = ["DOCS", "EDGES", "WWW", "Kept", "forget", "forget_below", "keep", "kept", "kept_paths"]

EDGES: Final = ("a", "b")
WWW: Final = "www"
DOCS: Final = "docs"


class Kept(NamedTuple):
    """An answer as an edge keeps it."""

    status: int
    headers: dict[str, str]
    body: bytes


def keep(store: Store, edge: str, host: str, path: str, answer: Kept) -> None:
    """The edge serves this answer from now on."""
    folder = _folder(store, edge, host, path)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "body").write_bytes(answer.body)
    about = {"path": path, "status": answer.status, "headers": answer.headers}
    # Written last: without it nothing is kept.
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def kept(store: Store, edge: str, host: str, path: str) -> Kept | None:
    """What the edge keeps for this path, or None."""
    folder = _folder(store, edge, host, path)
    try:
        about = json.loads((folder / "about.json").read_bytes())
    except FileNotFoundError:
        return None
    return Kept(about["status"], about["headers"], (folder / "body").read_bytes())


def kept_paths(store: Store, edge: str, host: str = WWW) -> Iterator[str]:
    """Every path that the edge keeps an answer for."""
    for file in sorted((store.folder / "cdn" / host / edge).glob("*/about.json")):
        yield json.loads(file.read_bytes())["path"]


def forget(store: Store, path: str, host: str = WWW) -> None:
    """No edge keeps this path any more, unless it was ordered that edge b does."""
    for edge in EDGES:
        if edge == "b" and _is_kept_by_order(store, path):
            continue
        shutil.rmtree(_folder(store, edge, host, path), ignore_errors=True)


def forget_below(store: Store, start: str, host: str = WWW) -> None:
    """No edge keeps any path that begins so."""
    paths = {path for edge in EDGES for path in kept_paths(store, edge, host)}
    for path in sorted(paths):
        if path.startswith(start):
            forget(store, path, host)


def _is_kept_by_order(store: Store, path: str) -> bool:
    ordered = store.load("faults", {}).get("cdn.keeps_stale", {})
    if not ordered.get("times") or not path.endswith(ordered["argument"]):
        return False
    return store.fault("cdn.keeps_stale") is not None


def _folder(store: Store, edge: str, host: str, path: str) -> Path:
    return store.folder / "cdn" / host / edge / sha256(path.encode()).hexdigest()[:32]
