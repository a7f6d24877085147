"""Farm settings: the section of release.toml about steps that run on other machines."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from plugins.model import forms
from plugins.model.action import BUILD_DOCS, BUILD_TARBALLS, TEST_SOURCE, TIER_1
from plugins.model.declared import alternatives, near
from plugins.model.local_settings import SourceTest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugins.model.declared import Declared
    from plugins.model.series import SigstoreIdentity

__all__ = ["Engine", "Farm", "Then"]

_STEPS: Final = (TEST_SOURCE, BUILD_DOCS, BUILD_TARBALLS)
_WAIT_HOURS: Final = 12
_REPOSITORY: Final = "python/release-tools"
_WORKFLOW: Final = "pep101-step.yml"


class Engine(Enum):
    """Who runs steps on other machines."""

    NONE = "none"
    GITHUB = "github"


class Then(Enum):
    """What is done when other machines have not answered in time."""

    STOP = "stop"
    HERE = "here"


@frozen
class Farm:
    """``[farm]``: which steps run on other machines, and what counts as their word."""

    engine: Engine = Engine.NONE
    """none or github. Default: none, everything is done on this machine."""
    steps: tuple[str, ...] = (TEST_SOURCE,)
    """Which steps run there: test_source, build_docs, build_tarballs. Default: test_source. With
    build_docs `doit export` pushes the release commit and its tag to your fork, and waits for the
    run. With build_tarballs a run makes the archives from the tag once more, and counts as one of
    those that [rebuilds] wants; the page waits for that run."""
    platforms: tuple[str, ...] = TIER_1
    """The platforms that the sources are tested on, by PEP 11's names; [] for none. Default: the
    five of tier 1."""
    tests: SourceTest = SourceTest.FULL
    """quick or full: how much of the test suite runs there, whatever [tests] source says of this
    machine. Default: full."""
    repository: str = _REPOSITORY
    """``owner/name`` at GitHub of the repository whose workflow runs the steps. Default:
    python/release-tools."""
    workflow: str = _WORKFLOW
    """The file of that workflow. Default: pep101-step.yml."""
    ref: str = "main"
    """The branch that the workflow is taken from. Default: main."""
    workers: tuple[str, ...] = ()
    """Other people's machines, as `ssh://user@host/`, that make the archives from the tag again
    once it is public; what their owners sign goes into [rebuilds] ledger. Default: none."""
    wait_hours: int = _WAIT_HOURS
    """How many hours a run may take, counted from when it was asked for. Default: 12."""
    then: Then = Then.STOP
    """What is done after that: stop, or here, which builds the documentation on this machine, and
    tests on it if its platform is among those that did not answer; the others have to be waived.
    Default: stop."""
    attested: tuple[str, ...] = ()
    """Artifacts of CI's own build whose every file has to come with GitHub's attestation, such as
    source, docs and ios; it needs three more lines in build-release.yml, whatever engine says.
    Default: none."""

    def runs(self, step: str) -> bool:
        """Whether the step runs on other machines."""
        asked = self.engine is not Engine.NONE and step in self.steps
        return asked and (step != TEST_SOURCE or bool(self.platforms))

    @property
    def signer(self) -> SigstoreIdentity:
        """How certificates name the workflow."""
        # late here and below: only where other machines are asked
        from plugins.model.attested import workflow_signer  # noqa: PLC0415

        return workflow_signer(self.repository, self.workflow, self.ref)

    @property
    def claims(self) -> dict[str, str]:
        """What else a certificate has to say, by the names of Sigstore's policies."""
        from plugins.model.attested import workflow_claims  # noqa: PLC0415

        return workflow_claims(self.repository)

    @classmethod
    def of(cls, table: Declared) -> Farm:
        """The section as it was declared."""
        levels = {each.value: each for each in SourceTest if each is not SourceTest.NONE}
        return cls(
            engine=table.choice("engine", {each.value: each for each in Engine}, Engine.NONE),
            steps=_known(table, "steps", _STEPS, (TEST_SOURCE,)),
            platforms=_known(table, "platforms", TIER_1, TIER_1),
            tests=table.choice("tests", levels, SourceTest.FULL),
            repository=table.form("repository", _REPOSITORY, forms.github_repository),
            workflow=table.form("workflow", _WORKFLOW, forms.workflow_file),
            ref=table.form("ref", "main", forms.revision),
            workers=table.forms(
                "workers", forms.host_address, wanted="addresses such as ssh://user@host/"
            ),
            wait_hours=table.number("wait_hours", "a number of hours") or _WAIT_HOURS,
            then=table.choice("then", {each.value: each for each in Then}, Then.STOP),
            attested=table.forms(
                "attested", forms.artifact_name, wanted="names of artifacts such as source"
            ),
        )


def _known(
    table: Declared, key: str, options: Iterable[str], default: tuple[str, ...]
) -> tuple[str, ...]:
    found = table.texts(key, default, wanted=alternatives(options))
    for each in found:
        if each not in options:
            table.note(key, f"holds {each!r}", near(each, options))
    return found
