"""Whole release: may anybody trust it? Every check, side by side, all findings.

It needs the declaration, public keys and the network; receipts are not read. What is judged
follows from how far the release has come, which is recognised first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.files_here import groups_here, groups_staged
from checks.files_published import judgements_of_published
from checks.not_known import not_known
from checks.recognising import recognised
from checks.release_manifest import as_found
from checks.side_by_side import judged
from checks.verify_context import VerifyContext
from plugins.model.promise import record_paths
from plugins.model.report import Judgement, Report, Situation
from plugins.model.rules import breach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from checks.recognising import Recognised
    from checks.verify_context import Clients, Makers, Signers
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.model.report import Wanted

__all__ = ["verify"]


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
    """All that can be found against this release, in the situation that it is in.

    ``make`` writes the source archives of a release from a clone, for ``wanted.rebuild``;
    ``areas`` are where files are staged. What is fetched is kept below ``verify`` in the work
    folder, and an unchanged file is not fetched again unless ``wanted.fresh``.
    """
    if wanted.fresh:
        clients.public.forget()
    context = VerifyContext(
        release, contract, formats, signers, areas, clients, make, wanted.rebuild, wanted.evidence
    )
    clients.progress.say("finding out how far the release is")
    seen = recognised(context)
    situation = wanted.situation or seen.situation
    # Where python.org could not be checked, that nothing was found proves nothing.
    blind = seen.trouble and situation is Situation.NOTHING
    judgements = () if blind else _judgements(context, seen, situation)
    clients.public.remember()
    if seen.trouble:
        first = Judgement("situation", "how far the release is", seen.trouble)
        judgements = (first, *judgements)
    kind = release.type.name.lower().replace("_", " ")
    is_public = situation in (Situation.SWITCHED, Situation.PUBLISHED)
    unknown: tuple[str, ...] = ()
    if is_public:
        proven = situation is Situation.PUBLISHED and _is_proven(context, judgements)
        found = as_found(context, seen.names).with_extras(seen.names)
        unknown = tuple(not_known(context, found, proven=proven))
    return Report(str(release.version), kind, situation, judgements, not_known=unknown)


def _is_proven(context: VerifyContext, judgements: Iterable[Judgement]) -> bool:
    """Whether there is a manifest, and nothing was found against it or its signatures."""
    place, *_ = record_paths(context.release)
    return not any(found.where.startswith(place) for each in judgements for found in each.findings)


def _judgements(
    context: VerifyContext, seen: Recognised, situation: Situation
) -> tuple[Judgement, ...]:
    match situation:
        case Situation.NOTHING | Situation.ARCHIVED:
            return _nothing(context)
        case Situation.LOCAL:
            return judged(groups_here(context), context.clients.progress)
        case Situation.STAGED:
            return judged(
                [*groups_staged(context), *groups_here(context)], context.clients.progress
            )
        case Situation.SWITCHED | Situation.PUBLISHED:
            return judgements_of_published(context, seen, whole=situation is Situation.PUBLISHED)


def _nothing(context: VerifyContext) -> tuple[Judgement, ...]:
    described = f"neither this machine nor python.org has any file of {context.release.version}"
    found = breach("situation.nothing", str(context.release.layout.work), described)
    return (Judgement("release", "whether it exists", (found,)),)
