"""The release that all chapters are about, as dodo.py opened it, and what several of them share."""

from __future__ import annotations

from typing import Any

from doit_receipts.calls import deferred
from plugins.command.opening import opened
from plugins.model.promise import contract_of
from plugins.model.published_file import Origin
from plugins.model.release import ReleaseType
from plugins.model.remote_layout import RemoteLayout

__all__ = [
    "SYSTEMS",
    "approving",
    "at",
    "builds_windows",
    "contract",
    "docs_tools",
    "experts",
    "follows",
    "is_new_branch",
    "later",
    "leads",
    "notes",
    "others",
    "plan",
    "promised",
    "release",
    "remote",
    "roles",
    "services",
    "settings",
    "signer",
    "train",
]

release, settings, plan, services = opened()
at = release.layout
remote = RemoteLayout(release.version)
signer = services.signer if release.signs_with_gpg else None
is_new_branch = release.type is ReleaseType.NEW_BRANCH

# The releases of the same day. The first does what exists once; a release alone leads nobody.
train = settings.train
others = train.others(settings.file) if train else ()
leads = bool(others) and train is not None and train.lead.file == settings.file
follows = bool(others) and not leads
plan.hold(train.not_before if train else None)

SYSTEMS = {Origin.WINDOWS: "Windows", Origin.MACOS: "macOS"}
# What experts bring later, by a waiver, is left out of everything, and page and emails say so.
later = [each for each in SYSTEMS if settings.waives(f"experts.{each.value}")]
notes = [f"{SYSTEMS[each]} binaries will be provided shortly." for each in later]
# What must be published, now for the shape of the graph; and as an argument of calls, where the
# receipt names what it is made from and not its hundred lines.
contract = contract_of(release, settings.docs.formats, without=later)
promised = deferred(contract_of, release, settings.docs.formats, without=tuple(later))
experts = [
    each
    for each in settings.experts
    if contract.by_origin(*(origin for origin in Origin if origin.value == each.role))
]
roles = [each.role for each in experts]
# The documentation's expert brings nothing, and looks at it.
approving = [
    *experts,
    *(each for each in settings.experts if each.role == "docs" and release.ships_docs),
]
# The release manager starts the pipeline of Windows, whoever of its experts is named.
builds_windows = bool(contract.by_origin(Origin.WINDOWS))
# Only where it is declared: what was made without it stays as it was made.
docs_tools: dict[str, Any] = {"python": settings.docs.python} if settings.docs.python else {}
