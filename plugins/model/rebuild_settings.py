"""Rebuild settings: whose rebuilds of the archives count, and how many a release waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from plugins.model import forms

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.declared import Declared

__all__ = ["Rebuilds"]


@frozen
class Rebuilds:
    """``[rebuilds]``: other people who make the archives from the tag, and sign what they got."""

    ledger: Path | None = None
    """The folder that collects them, such as a clone of a repository. Default: none."""
    keys: tuple[str, ...] = ()
    """Full fingerprints of the OpenPGP keys whose rebuilds count, a text a person: those of one
    person with several keys in one text, with + between, count once. Default: none."""
    wanted: int = 0
    """How many have to have got the same bytes before the page is shown; GitHub counts as one, if
    [farm] steps has build_tarballs. Default: 0, which only notes it if there are none."""

    @property
    def are_counted(self) -> bool:
        """Whether a release looks at them."""
        return self.ledger is not None or self.wanted > 0

    def people(self, own: str) -> dict[str, str]:
        """Whose key each is, as ``keys`` has them; not of whoever has the key ``own``."""
        people = {key: keys for keys in self.keys for key in keys.split(" + ")}
        return {key: keys for key, keys in people.items() if keys != people.get(own, own)}

    @classmethod
    def of(cls, table: Declared) -> Rebuilds:
        """The section as it was declared."""
        wanted = table.number("wanted", "how many people")
        keys = table.forms("keys", forms.fingerprints, wanted="full fingerprints")
        each = " + ".join(keys).split(" + ")
        for key in sorted({key for key in each if each.count(key) > 1}):
            table.note(
                "keys", f"has {key} for two people", "write all keys of a person in one text"
            )
        ledger = table.path("ledger", "") if table.holds("ledger") else None
        return cls(ledger, keys, wanted)
