"""Verification: `doit verify` and its audit, whose many checks are read only when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from checks.verify_context import Clients, Makers, Signers
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.model.report import Report, Wanted

__all__ = ["audit", "verify"]


def verify(
    release: Release,
    contract: Contract,
    formats: tuple[str, ...],
    signers: Signers,
    areas: tuple[StagingArea, ...],
    make: Makers,
    clients: Clients,
    wanted: Wanted,
) -> Report:
    """All that can be found against this release; see ``checks.verifying``."""
    from checks import verifying  # noqa: PLC0415 - twenty modules that no other command needs

    return verifying.verify(release, contract, formats, signers, areas, make, clients, wanted)


def audit(
    release: Release,
    formats: tuple[str, ...],
    signers: Signers,
    make: Makers,
    clients: Clients,
    wanted: Wanted,
) -> Report:
    """All that can be found against every published release of its series."""
    from checks import auditing  # noqa: PLC0415 - as above

    return auditing.audit(release, formats, signers, make, clients, wanted)
