"""Site release: the release's row on the website, made as a draft and published by one switch.

Only the switch is seen by users in lists. Flags depend on the type of the release and on what
else is public; a draft never has ``is_latest``, for the site would then have no latest release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ReleaseError, ServiceFailed, StepFailed
from doit_receipts.probe import absent, different, identical
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit_receipts.probe import Probe
    from plugins.model.contract import Contract
    from plugins.ports.progress import Progress
    from plugins.ports.site import Site, SiteRelease

__all__ = [
    "differences",
    "is_latest",
    "look_draft",
    "look_public",
    "make_draft",
    "namesakes",
    "publish",
    "the_release",
    "wanted_fields",
]

_PYTHON_3: Final = 3
_PREFIX: Final = "Python "


def wanted_fields(contract: Contract, day: str) -> dict[str, Any]:
    """What the site's row has to say, apart from the two flags that publish it (W02, W04, Z24).

    ``day`` is the day of the release, such as 2026-12-01. "Release page" stays empty.
    """
    page = contract.page
    return {
        "name": page.name,
        "slug": page.slug,
        "version": _PYTHON_3,
        "pre_release": page.pre_release,
        "show_on_download_page": page.show_on_download_page,
        # Noon, so that it is the same day for most of those who read it.
        "release_date": f"{day}T12:00:00Z",
        "release_notes_url": page.release_notes_url,
        "release_page": None,
    }


def look_draft(contract: Contract, day: str, site: Site) -> Probe:
    """Whether the site has the release, draft or public, as it is wanted.

    The site allows two releases of one name; then none is touched and both are shown.
    """
    found = namesakes(contract, site.releases())
    if not found:
        return absent("the site has no such release")
    if len(found) > 1:
        return different(
            f"the site has {len(found)} releases that are {contract.page.name}",
            "delete those that are wrong in the site's admin, then run the same command again",
            tuple(_shown(each) for each in found),
        )
    (release,) = found
    wrong = differences(wanted_fields(contract, day), release.fields)
    if not release.is_published and release.fields.get("is_latest"):
        wrong = (*wrong, "is_latest: True, wanted False until it is published")
    if not wrong:
        return identical({"page": contract.page.url, "name": release.name, "day": day})
    if release.is_published:
        return different(
            f"{release.name} is public, and {len(wrong)} of its fields are not as they should be",
            "correct them in the site's admin, then run the same command again",
            wrong,
        )
    return absent(f"{len(wrong)} fields of the draft differ", wrong)


def make_draft(contract: Contract, day: str, site: Site, progress: Progress) -> dict[str, str]:
    """The site has the release as a draft; one that is there already is corrected.

    A save that was answered by an error may have been stored all the same, so it is looked for
    before anything is made a second time.
    """
    wanted = wanted_fields(contract, day)
    found = namesakes(contract, site.releases())
    if not found:
        progress.say(f"making {contract.page.name} on the site, as a draft")
        try:
            site.add_release({**wanted, "is_published": False, "is_latest": False})
        except ServiceFailed:
            if not namesakes(contract, site.releases()):
                raise
        return {}
    release = the_release(contract, site)
    if release.is_published:
        return {}
    now = {**release.fields, "is_latest": release.fields.get("is_latest", False)}
    changes = {
        name: value
        for name, value in {**wanted, "is_latest": False}.items()
        if differences({name: value}, now)
    }
    if changes:
        site.change_release(release, changes)
    return {}


def look_public(contract: Contract, site: Site) -> Probe:
    """Whether users see the release, and whether it is the latest if it has to be."""
    releases = site.releases()
    release = _only(contract, releases)
    latest = is_latest(contract, releases)
    facts = {"page": contract.page.url, "latest": "yes" if latest else "no"}
    if not release.is_published:
        return absent("it is a draft")
    if bool(release.fields["is_latest"]) is not latest:
        told = f"is_latest: {release.fields['is_latest']}, wanted {latest}"
        return absent("it is public, but one of its flags is wrong", (told,))
    return identical(facts)


def publish(contract: Contract, site: Site, progress: Progress) -> dict[str, str]:
    """Users see the release; this cannot be undone. Both flags are switched at once.

    The site answers with an error if its own purge fails after it has stored them; that is no
    failure here, for every address is purged and read back by a step of its own.
    """
    releases = site.releases()
    release = _only(contract, releases)
    progress.say(f"publishing {release.name}")
    try:
        changes = {"is_published": True, "is_latest": is_latest(contract, releases)}
        site.change_release(release, changes)
    except ServiceFailed:
        if not the_release(contract, site).is_published:
            raise
    return {}


def is_latest(contract: Contract, releases: Iterable[SiteRelease]) -> bool:
    """Whether this is the newest final release of all, which the site offers first.

    Source: pythondotorg#2161; a bugfix release of an older series is not the latest Python.
    """
    if contract.page.pre_release:
        return False
    ours = Version.parse(contract.version)
    finals = (
        _version(each)
        for each in releases
        if each.is_published and not each.fields.get("pre_release")
    )
    return all(each is None or each <= ours for each in finals)


def namesakes(contract: Contract, releases: Iterable[SiteRelease]) -> tuple[SiteRelease, ...]:
    """The releases that have the contract's name or the address of its page."""
    page = contract.page
    return tuple(
        each
        for each in releases
        if each.name.casefold() == page.name.casefold() or each.slug == page.slug
    )


def the_release(contract: Contract, site: Site) -> SiteRelease:
    """The one release of this name. Raises StepFailed if there is none, or more."""
    return _only(contract, site.releases())


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """A line for each field that is not as wanted, with both values."""
    return tuple(
        f"{name}: {found.get(name)!r}, wanted {value!r}"
        for name, value in wanted.items()
        if found.get(name) != value
    )


def _only(contract: Contract, releases: Iterable[SiteRelease]) -> SiteRelease:
    found = namesakes(contract, releases)
    if len(found) == 1:
        return found[0]
    raise StepFailed(
        where="site",
        problem=f"{len(found)} releases are {contract.page.name}, wanted one",
        remedy="look at them in the site's admin",
        details=tuple(_shown(each) for each in found),
    )


def _version(release: SiteRelease) -> Version | None:
    """The version that a release's name tells; None for other things and the distant past."""
    if not release.name.startswith(_PREFIX):
        return None
    try:
        return Version.parse(release.name.removeprefix(_PREFIX).strip())
    except ReleaseError:
        return None


def _shown(release: SiteRelease) -> str:
    state = "public" if release.is_published else "draft"
    return f"{release.address} {release.name!r}, slug {release.slug}, {state}"
