"""RemoteLayout: where one release is on the hosts and on the web, by arithmetic on names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from plugins.model.version import Version

__all__ = ["RemoteLayout", "StagingArea"]


@frozen
class StagingArea:
    """Two folders side by side: users see ``final``, and ``staging`` is made ready for it.

    They have one parent, so that one rename moves everything.
    """

    final: str
    staging: str


@frozen
class RemoteLayout:
    """Paths below the roots of the downloads host and the docs host, and addresses on the web.

    Source: PEP 101 ("Put the files in place": X.Y.Z without the suffix of a pre-release, docs
    with it), and its restored words in the inventory.
    """

    version: Version

    @property
    def folder(self) -> str:
        """``X.Y.Z``: the downloads of all releases that lead to X.Y.Z, below ftp/python."""
        return self.version.folder

    @property
    def downloads(self) -> StagingArea:
        """The downloads, and the hidden folder where this release's are gathered."""
        return StagingArea(self.folder, f".{self.folder}.staging-{self.version}")

    @property
    def record(self) -> StagingArea:
        """The downloads, and the hidden folder in which the release manifest is made ready."""
        return StagingArea(self.folder, f".{self.folder}.manifest-{self.version}")

    @property
    def evidence(self) -> StagingArea:
        """The downloads, and the hidden folder in which the evidence is made ready."""
        return StagingArea(self.folder, f".{self.folder}.evidence-{self.version}")

    @property
    def incoming(self) -> str:
        """The hidden folder that experts put their files into, each role into one of its own."""
        return f".{self.version}.incoming"

    def inbox(self, role: str) -> str:
        """The hidden folder that the files of one role's expert go to."""
        return f"{self.incoming}/{role}"

    @property
    def docs_archives(self) -> StagingArea:
        """``doc/X.Y.Z[rcN]`` on the downloads host: the archives of the documentation (U09)."""
        return StagingArea(f"doc/{self.version}", f"doc/.{self.version}.staging")

    @property
    def current_docs(self) -> str:
        """The link to the newest documentation on the downloads host (U10)."""
        return "doc/current"

    @property
    def docs(self) -> StagingArea:
        """``release/X.Y.Z[rcN]`` on the docs host: the pages themselves (U12)."""
        return StagingArea(f"release/{self.version}", f"release/.{self.version}.staging")
