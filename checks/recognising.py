"""Recognising: how far a release has come, as anybody can see it who looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.folder_listings import listed_below
from doit_receipts.errors import ReleaseError
from doit_receipts.frozen import frozen
from plugins.model.promise import local_path
from plugins.model.published_file import Origin
from plugins.model.report import Situation
from plugins.model.rules import breach

if TYPE_CHECKING:
    from checks.verify_context import VerifyContext
    from doit_receipts.finding import Finding
    from plugins.model.contract import Contract

__all__ = ["Recognised", "recognised"]


@frozen
class Recognised:
    """A situation and what showed it.

    ``names`` are all files in the release's public folders; ``trouble`` says what
    could not be checked, and what is odd about the listings of those folders.
    """

    situation: Situation
    names: frozenset[str] = frozenset()
    trouble: tuple[Finding, ...] = ()


def recognised(context: VerifyContext) -> Recognised:
    """How far the release has come: what users can see decides, then what is staged.

    One file of ours, a row on the site or the tag is enough for it to be published: then all has
    to be. Files of experts alone are not: they may be where users see them hours before.
    """
    names: frozenset[str] = frozenset()
    listed = False
    trouble: list[Finding] = []
    # One that cannot be looked at says nothing about the other.
    try:
        seen = listed_below(context.clients.public, _tops(context.contract))
        names = seen.names
        trouble += seen.trouble
    except ReleaseError as error:
        trouble.append(_unseen(error))
    try:
        listed = any(
            each.slug == context.contract.page.slug for each in context.clients.site.releases()
        )
    except ReleaseError as error:
        trouble.append(_unseen(error))
    by_us = context.contract.by_origin(Origin.EXPORT, Origin.CI, Origin.SIGSTORE)
    ours = any(file.remote in names for file in by_us)
    if ours or listed or _is_tagged(context):
        return Recognised(Situation.PUBLISHED, names, tuple(trouble))
    situation = Situation.STAGED if _is_staged(context) else _here(context)
    return Recognised(situation, names, tuple(trouble))


def _unseen(error: ReleaseError) -> Finding:
    return breach("situation.unseen", error.where, f"{error.problem}; {error.remedy}")


def _tops(contract: Contract) -> tuple[str, ...]:
    """The folders of the contract that stand in no other of them."""
    folders = contract.folders
    return tuple(
        each
        for each in folders
        if not any(each.startswith(f"{other}/") for other in folders if other != each)
    )


def _is_tagged(context: VerifyContext) -> bool:
    name = f"refs/tags/{context.release.version.tag}"
    try:
        return bool(context.clients.history.refs(name)[name])
    except ReleaseError:
        return False  # reported by the tag's own checks, where they matter


def _is_staged(context: VerifyContext) -> bool:
    """Whether somebody who looks from here sees staged files; anybody else does not."""
    try:
        return any(context.clients.host.listing(area.staging) for area in context.areas)
    except ReleaseError:
        return False


def _here(context: VerifyContext) -> Situation:
    paths = (local_path(file, context.release) for file in context.contract.files)
    found = any(path is not None and path.exists() for path in paths)
    return Situation.LOCAL if found else Situation.NOTHING
