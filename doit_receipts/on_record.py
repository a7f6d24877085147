"""OnRecord: what a finished task left, for a step that shows a release as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doit_receipts.task import Kind

__all__ = ["OnRecord"]


@frozen
class OnRecord:
    """One task that is done: its facts, and what a gate found and let pass, a line each."""

    name: str
    kind: Kind
    facts: Mapping[str, str]
    findings: tuple[str, ...] = ()
    volatile: bool = False
    """Of a gate: whether it looks at what may change by itself, in each run anew."""
    tool: str = ""
    """The revision of the tool that did it, as the journal has it; "" where it says nothing."""
