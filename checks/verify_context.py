"""VerifyContext: where a verification looks from, what it wants to see and by which ways it can."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeAlias

from doit_receipts.frozen import frozen
from plugins.model.layout import Layout
from plugins.ports.sigstore import BundleVerifier, DetachedVerifier
from plugins.ports.statements import StatementVerifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.rebuilds import Others
    from checks.tag_stream import MergeNews
    from doit_receipts.finding import Finding
    from plugins.model.contract import Contract
    from plugins.model.published_file import Origin
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.ports.git import Clone
    from plugins.ports.host import HostReader
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.public import History, PublicClient, PublicSite
    from plugins.ports.signing import Verifier

__all__ = ["Check", "CheckGroup", "Clients", "Makers", "Signers", "VerifyContext"]

Check: TypeAlias = "Callable[[], tuple[Finding, ...]]"
"""Something that is judged when it is called."""


class StatementsAndBundles(BundleVerifier, DetachedVerifier, StatementVerifier, Protocol):
    """Sigstore's roots of trust, for both kinds of bundles and what was before them."""


@frozen
class Makers:
    """What writes the source archives of a release from a clone, and its merged NEWS.

    ``others`` is where those who made them again say what they got.
    """

    archives: Callable[[Release, Clone, Programs, Progress], object]
    news: MergeNews
    others: Others | None = None


@frozen
class Signers:
    """Who may sign what of one version: full fingerprints of primary keys.

    ``manager`` are those of the version's release manager, ``experts`` those of each role.
    """

    manager: tuple[str, ...]
    experts: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def of(self, origin: Origin) -> tuple[str, ...]:
        """Who may sign a file that these people made; the release manager may sign every file."""
        theirs = dict(self.experts).get(origin.value, ())
        return (*self.manager, *theirs)


@frozen
class Clients:
    """Everything that a verification can reach; none of it can change anything outside."""

    public: PublicClient
    site: PublicSite
    history: History
    host: HostReader
    clone: Clone
    programs: Programs
    verifier: Verifier
    bundles: StatementsAndBundles
    progress: Progress


@frozen
class VerifyContext:
    """What every part of a verification knows."""

    release: Release
    contract: Contract
    formats: tuple[str, ...]
    signers: Signers
    areas: tuple[StagingArea, ...]
    clients: Clients
    make: Makers
    rebuild: bool = False
    evidence: bool = False
    """Whether it is wrong that the release has no evidence; what there is is judged in any case."""

    @property
    def room(self) -> Layout:
        """Where everything that is fetched is kept, laid out as the release itself."""
        return Layout(self.release.layout.work / "verify", self.release.version)

    @property
    def inside(self) -> Release:
        """The release as it was fetched."""
        return replace(self.release, layout=self.room)

    @property
    def judges_docs(self) -> bool:
        """Whether documentation is part of what is promised."""
        return self.release.ships_docs and bool(self.formats)


@frozen
class CheckGroup:
    """Checks of one subject, one after another; groups go side by side.

    ``blind`` is the rule of what cannot be looked at, where a check does not say it itself.
    """

    subject: str
    looked_at: str
    checks: tuple[Check, ...]
    blind: str = "situation.unseen"
