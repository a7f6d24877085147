"""Receipt: what a finished task leaves, as canonical JSON with a seal and without a clock.

A receipt has two digests. The *seal* covers every byte of meaning in it, so that a receipt
edited by hand is known as such. The *result* covers only what the tasks behind it may use
(outputs and facts): if a task ran again and its result is equal, nothing behind it runs.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import field
from io import FileIO
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BrokenReceipt", "Receipt"]

_FORMAT: Final = 2
_FORMATS: Final = (1, 2)
"""Those that are read. The first named functions in its inputs, and did not name the project."""
_SEALED: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
_LISTED: Final = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",\n  ", ": ")
).encode


class BrokenReceipt(StepFailed):
    """A file where a receipt should be, which this tool did not write."""


@frozen
class Receipt:
    """The record of one finished task.

    ``inputs`` are names to digests of what it was made from, ``outputs`` are paths below the
    work folder to sha256, ``facts`` are names to text, and ``findings`` is what a gate saw.
    ``adopted`` marks a result that was found done already. ``project`` is "" in the first format.
    """

    step: str
    version: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    rehearsal: bool = False
    adopted: bool = False
    project: str = ""
    format: int = _FORMAT

    def _content(self) -> dict[str, Any]:
        named = {} if self.format == 1 else {"project": self.project}
        return named | {
            "format": self.format,
            "step": self.step,
            "version": self.version,
            "rehearsal": self.rehearsal,
            "adopted": self.adopted,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "facts": dict(self.facts),
            "findings": list(self.findings),
        }

    @property
    def result(self) -> str:
        """sha256 of what tasks behind this one may depend on."""
        kept = ("step", "version", "rehearsal", "outputs", "facts")
        content = self._content()
        return _digest({name: content[name] for name in kept})

    def to_bytes(self) -> bytes:
        """The file's bytes: the same receipt gives the same bytes on any machine."""
        content = self._content()
        content["seal"] = _digest(content)
        lines = (f'"{name}": {_in_lines(content[name])}' for name in sorted(content))
        return ("{\n " + ",\n ".join(lines) + "\n}\n").encode()

    @classmethod
    def from_bytes(cls, raw: bytes, where: str) -> Receipt:
        """Read a receipt back. Raises BrokenReceipt if one byte of meaning is not as written."""
        try:
            content = json.loads(raw.decode())
            seal = content.pop("seal")
            _refuse_newer(content, seal, where)
            found = cls(
                step=content["step"],
                version=content["version"],
                inputs=content["inputs"],
                outputs=content["outputs"],
                facts=content["facts"],
                findings=tuple(content["findings"]),
                rehearsal=content["rehearsal"],
                adopted=content["adopted"],
                project=content.get("project", ""),
                format=content["format"],
            )
            true_seal = _digest(found._content())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BrokenReceipt(
                where=where,
                problem="not a receipt that this tool wrote",
                remedy="delete it to have the step done again",
            ) from error
        if seal != true_seal:
            raise BrokenReceipt(
                where=where,
                problem="edited after it was written (its seal does not match)",
                remedy="delete it to have the step done again",
            )
        return found

    @classmethod
    def read(cls, path: Path) -> Receipt | None:
        """The receipt at ``path``, or None if there is no file. Raises BrokenReceipt."""
        try:
            raw = _bytes_of(path)
        except FileNotFoundError:
            return None
        return cls.from_bytes(raw, f"{path.parent.name}/{path.name}")

    def write(self, path: Path) -> str:
        """Put the receipt under ``path``, durably, then read it back and compare.

        Gives the sha256 of the file. Raises BrokenReceipt if what the disk gives back is not
        what was written.
        """
        content = self.to_bytes()
        write_whole(path, content)
        if _bytes_of(path) != content:
            raise BrokenReceipt(
                where=str(path),
                problem="the disk returned other bytes than were written",
                remedy="check the disk, then run the step again",
            )
        return hashlib.sha256(content).hexdigest()


def _bytes_of(path: Path) -> bytes:
    with FileIO(path) as stream:
        return stream.readall()


def _refuse_newer(content: Mapping[str, Any], seal: object, where: str) -> None:
    form = content["format"]
    if isinstance(form, int) and form > _FORMAT and seal == _digest(content):
        raise StepFailed(
            where=where,
            problem=f"written by a newer version of this tool: format {form}, and this version"
            f" reads up to {_FORMAT}",
            remedy="go on with the newer version; nothing was changed",
        )
    if form not in _FORMATS:
        raise ValueError


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_SEALED(content).encode()).hexdigest()


def _in_lines(value: object) -> str:
    """JSON as the standard library writes it with ``indent=1`` within an object.

    With indent it encodes in Python, and that takes three times as long.
    """
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int):
        return repr(value).lower()  # a number, true or false
    if not value:
        return repr(value)
    text = _LISTED(value)
    return f"{text[0]}\n  {text[1:-1]}\n {text[-1]}"
