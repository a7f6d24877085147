"""EditChain: edits of the release clone, each a commit on top of the one before."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from doit_receipts.calls import call
from doit_receipts.frozen import frozen
from doit_receipts.task import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from doit_receipts.calls import Call
    from doit_receipts.declaration import Declared
    from doit_receipts.plan import Plan
    from plugins.model.layout import Layout

__all__ = ["Edit", "EditChain"]


@frozen
class Edit:
    """One edit: its ``name`` is that of its task and of its ref, ``parent`` the edit before it."""

    name: str
    parent: str

    def call(self, function: Callable[..., object], *arguments: Any, **named: Any) -> Call:
        """The call that makes this edit: the function gets its parent and its name as well."""
        return call(function, *arguments, **named, after=self.parent, step=self.name)


class EditChain:
    """The edits of a release in their order.

    Name, ref, parent and what an edit waits for are derived; one that a release lacks leaves no
    gap. ``head`` is the name of the last edit until now, ``last`` its task.
    """

    def __init__(self, plan: Plan, layout: Layout, head: str, last: Declared) -> None:
        self._plan = plan
        self._layout = layout
        self.head = head
        self.last = last

    def step(
        self,
        *,
        after: Iterable[Declared] = (),
        reads: Iterable[Path] = (),
        only: bool = True,
        pep: str = "",
    ) -> Callable[[Callable[[Edit], Call]], Declared]:
        """The next edit; the function gets it and returns the call that makes it."""

        def declare(creator: Callable[[Edit], Call]) -> Declared:
            edit = Edit(creator.__name__, self.head)

            @functools.wraps(creator)
            def make() -> Any:
                return creator(edit)

            self.last = self._plan.step(
                effect=Effect.CLONE,
                after=[self.last, *after],
                reads=reads,
                writes=[self._layout.clone_ref(edit.name)],
                only=only,
                pep=pep,
            )(make)
            if only:
                self.head = edit.name
            return self.last

        return declare
