"""What everybody may read, asked without any right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.ports.fetched import Fetched
    from plugins.ports.git import Clone
    from plugins.ports.site import SiteRelease, SiteRow

__all__ = ["AROUND", "History", "PublicClient", "PublicSite"]

AROUND: Final = "around the caches"
"""The endpoint at which a client gets what is behind the caches."""


class PublicClient(Protocol):
    """An anonymous client: it fetches what everybody can, trusts no answer and never waits long.

    Addresses are those that users see. No redirect is followed, nothing is decompressed, and what
    is larger, longer or slower than it may be is refused with ServiceFailed.
    """

    def endpoints(self, url: str) -> tuple[str, ...]:
        """Every endpoint of the address: each cache that can be asked alone, and ``AROUND``."""
        ...

    def fetch(self, url: str, endpoint: str, most_bytes: int, file: Path | None = None) -> Fetched:
        """What a file's address gives; with ``file`` its bytes are there afterwards.

        What did not change since it was fetched before, as the server says, is not sent again.
        """
        ...

    def read(self, url: str, endpoint: str, most_bytes: int = 1 << 23) -> Fetched:
        """The same of a page, with its text."""
        ...

    def unsent(self) -> tuple[str, ...]:
        """The addresses of which a server only said that they did not change."""
        ...

    def forget(self) -> None:
        """What was fetched before is forgotten: everything is sent again."""
        ...

    def remember(self) -> None:
        """What was fetched until now is kept for later runs."""
        ...


class PublicSite(Protocol):
    """The public API of the website, as everybody may read it; see Site."""

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

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """The full names of the refs there that match one of these, as ``git ls-remote`` does."""
        ...

    def bring(self, wanted: Mapping[str, str], gone: Sequence[str] = ()) -> Clone:
        """A repository here has upstream's refs under other names, with all that they need.

        The refs ``gone`` are not there, whatever was brought before.
        """
        ...
