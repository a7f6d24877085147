"""Faults of what a release says of itself: the evidence beside it, and the manifest of all."""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.faults.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["record_faults"]

_EVIDENCE: Final = "3.13.6/Python-3.13.6.intoto.jsonl"
_MANIFEST: Final = "3.13.6/python-3.13.6-manifest.json"


def record_faults() -> Iterator[Fault]:
    """What is stated needs the release manager's signature to be wrong in any other way."""
    half = partial(_changed, _EVIDENCE, lambda content: content[: len(content) // 2])
    yield Fault("the evidence is cut in half", "evidence.form", half)
    swapped = partial(_changed, _EVIDENCE, _other_signature)
    yield Fault("a statement has another one's signature", "evidence.signature", swapped)
    yield Fault("the evidence is gone", "manifest.differs", partial(_gone, _EVIDENCE))
    for suffix in (".asc", ".sigstore"):
        away = partial(_gone, f"{_MANIFEST}{suffix}")
        yield Fault(f"the manifest has no {suffix}", "manifest.unsigned", away)
    yield Fault("the manifest alone is gone", "manifest.removed", partial(_gone, _MANIFEST))
    told = "the manifest is gone with its signatures"
    yield Fault(told, "manifest.removed", _all_gone, "public")
    nothing = partial(_changed, _MANIFEST, lambda _: b"{}\n")
    yield Fault("the manifest is an empty object", "manifest.unreadable", nothing)
    yield Fault("one more part of an installer is served", "manifest.unlisted", _one_more)
    yield Fault("doc/current is gone", "docs.current", partial(_gone, "doc/current"))


def _changed(path: str, change: Callable[[bytes], bytes], world: Released) -> None:
    file = world.root / path
    file.write_bytes(change(file.read_bytes()))
    world.purge()


def _gone(path: str, world: Released) -> None:
    (world.root / path).unlink()
    world.purge()


def _all_gone(world: Released) -> None:
    """Nothing that is public tells of it any more: the machine that published it does."""
    world.export()
    receipt = world.local.receipts / "publish_manifest.json"
    receipt.parent.mkdir(parents=True, exist_ok=True)
    receipt.write_bytes(b"{}")
    for path in (_MANIFEST, f"{_MANIFEST}.asc", f"{_MANIFEST}.sigstore"):
        _gone(path, world)


def _one_more(world: Released) -> None:
    parts = world.root / "3.13.6" / "amd64"
    shutil.copy(parts / "core.msi", parts / "extra.msi")
    world.purge()


def _other_signature(content: bytes) -> bytes:
    lines = [json.loads(line) for line in content.splitlines()]
    lines[0]["dsseEnvelope"]["signatures"] = lines[1]["dsseEnvelope"]["signatures"]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
