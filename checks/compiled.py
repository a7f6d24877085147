"""Compiled files: whether what Python would read instead of a source is what the source says."""

from __future__ import annotations

import importlib.util
import marshal
import sys
from types import CodeType
from typing import TYPE_CHECKING, Final

from checks.marshalled import is_read_safely

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["CACHE", "foreign_code", "ignores_its_source"]

CACHE: Final = "__pycache__"
_HEAD_BYTES: Final = 16
# Bits of a header's flags, and the 32 bits to which it cuts times and sizes. Source: PEP 552.
_HASHED: Final = 0b01
_LOOKED_AT: Final = 0b10
_CUT: Final = 0xFFFFFFFF
# What a code object holds beside its name, instructions and constants, which == compares. The bytes
# of marshal are no measure: they depend on what else a process holds, and the one format that does
# not has no form for a slice, which Python 3.14 makes a constant of.
_BESIDE: Final = (
    "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals", "co_stacksize",
    "co_flags", "co_names", "co_varnames", "co_cellvars", "co_freevars", "co_filename",
    "co_qualname", "co_firstlineno", "co_linetable", "co_exceptiontable",
)  # fmt: skip


def foreign_code(sources: Iterable[Path]) -> list[Path]:
    """Of the sources' compiled files those that this Python would read, and that are other code.

    Each is compiled anew and compared, so what a header says is not believed. A compiled file of
    another time or size than its source, or of another Python, is never read, and is left alone.
    """
    return [
        compiled
        for source in sources
        for optimize, suffix in enumerate(("", ".opt-1", ".opt-2"))
        if (compiled := _beside(source, suffix)).is_file()
        and not _is_of(compiled, source, optimize)
    ]


def ignores_its_source(compiled: Path) -> bool:
    """Whether Python reads it whatever its source says, as no installer writes one."""
    with compiled.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    flags = int.from_bytes(head[4:8], "little")
    return head[:4] == importlib.util.MAGIC_NUMBER and flags & _HASHED > 0 == flags & _LOOKED_AT


def _beside(source: Path, suffix: str) -> Path:
    tag = sys.implementation.cache_tag
    return source.parent / CACHE / f"{source.stem}.{tag}{suffix}.pyc"


def _is_of(compiled: Path, source: Path, optimize: int) -> bool:
    raw, text = compiled.read_bytes(), source.read_bytes()
    if not _would_be_read(raw, source, text):
        return True
    if not is_read_safely(raw[_HEAD_BYTES:]):
        return False
    try:
        code: CodeType = marshal.loads(raw[_HEAD_BYTES:])  # noqa: S302 - an import would do the same
        again = compile(text, code.co_filename, "exec", dont_inherit=True, optimize=optimize)
        return _is_same(code, again)
    except (AttributeError, EOFError, SyntaxError, TypeError, ValueError):
        return False
    except (MemoryError, RecursionError):  # as an import of it would end
        return False


def _is_same(code: CodeType, again: CodeType) -> bool:
    """Whether one does what the other does, and says the same of itself; so all that is in it."""
    return (
        code == again
        and all(getattr(code, part) == getattr(again, part) for part in _BESIDE)
        and all(map(_is_same, _inside(code), _inside(again)))
    )


def _inside(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _would_be_read(raw: bytes, source: Path, text: bytes) -> bool:
    """As importlib decides it. Source: Lib/importlib/_bootstrap_external.py, SourceLoader."""
    if raw[:4] != importlib.util.MAGIC_NUMBER or len(raw) < _HEAD_BYTES:
        return False
    flags = int.from_bytes(raw[4:8], "little")
    if flags & _HASHED:
        return not flags & _LOOKED_AT or raw[8:16] == importlib.util.source_hash(text)
    found = source.stat()
    time, size = (int.from_bytes(raw[at : at + 4], "little") for at in (8, 12))
    return (time, size) == (int(found.st_mtime) & _CUT, found.st_size & _CUT)
