"""What everybody may read, asked without any right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.ports.git import Clone
    from plugins.ports.site import SiteRelease, SiteRow

__all__ = ["AROUND", "History", "Listings", "Visit", "Visitor"]

AROUND: Final = "around the caches"
"""The door by which a visitor gets what stands behind the caches."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What came by one door: ``text`` only if it was asked for, ``sha256`` that of the bytes.

    ``leads_to`` is where a redirect leads, as the server says it.
    """

    status: int
    size_bytes: int
    sha256: str
    text: str = ""
    leads_to: str = ""


class Visitor(Protocol):
    """Somebody who fetches what everybody can, believes nothing and waits for nobody long.

    Addresses are those that users see. No redirect is followed, nothing is unfolded, and what
    is larger, longer or slower than it may be is refused with ServiceFailed.
    """

    def doors(self, url: str) -> tuple[str, ...]:
        """Every way to the address: each cache that can be asked alone, and ``AROUND``."""
        ...

    def fetch(self, url: str, door: str, most_bytes: int, file: Path | None = None) -> Visit:
        """What a file's address gives; with ``file`` its bytes stand there afterwards.

        What did not change since an earlier visit, by the word of the server, is not sent again.
        """
        ...

    def read(self, url: str, door: str, most_bytes: int = 1 << 23) -> Visit:
        """The same of a page, with its text."""
        ...

    def forget(self) -> None:
        """Earlier visits count no more: everything is sent again."""
        ...

    def remember(self) -> None:
        """What was seen until now is kept for later visits."""
        ...


class Listings(Protocol):
    """The website's lists as everybody may read them; see Site."""

    def releases(self) -> tuple[SiteRelease, ...]:
        """Every public release."""
        ...

    def rows(self, release: SiteRelease) -> tuple[SiteRow, ...]:
        """The rows of its files."""
        ...


class History(Protocol):
    """Upstream's repository as everybody may read it."""

    def refs(self, *names: str) -> Mapping[str, str]:
        """The object ids that these refs name there now; "" for a ref that is not there."""
        ...

    def bring(self, wanted: Mapping[str, str], gone: Sequence[str] = ()) -> Clone:
        """A repository here has upstream's refs under other names, with all that they need.

        The refs ``gone`` are not there, whatever was brought before.
        """
        ...
