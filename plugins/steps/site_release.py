"""Site release: the release's row on the website, made as a draft and published by one switch.

Only the switch is seen by users in lists. Flags depend on the type of the release and on what
else is public; a draft never has ``is_latest``, for the site would then have no latest release.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.printable import counted, printable
from doit_receipts.probe import absent, different, identical
from plugins.model.published_file import SITE
from plugins.model.site_pages import Listing, is_latest, listing_of, overview_pages
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit_receipts.probe import Probe
    from plugins.model.contract import Contract
    from plugins.ports.progress import Progress
    from plugins.ports.site import Site, SiteReader, SiteRelease

__all__ = [
    "differences",
    "look_draft",
    "look_public",
    "make_draft",
    "namesakes",
    "public_listing",
    "publish",
    "refresh",
    "the_release",
    "wanted_fields",
]

_PYTHON_3: Final = 3
_MINUTE: Final = timedelta(minutes=1)


def wanted_fields(
    contract: Contract,
    day: str,
    listing: Listing = Listing(),  # noqa: B008 - a value that nobody changes
    others: Iterable[str] = (),
) -> dict[str, Any]:
    """What the site's row has to say, apart from the two flags that publish it (W02, W04, Z24).

    ``day`` is the day of the release, such as 2026-12-01. "Release page" stays empty. The time
    is noon, moved where another release of that day would otherwise come in the wrong order:
    one that is listed, or one of the ``others`` that are made on it.
    """
    page = contract.page
    return {
        "name": page.name,
        "slug": page.slug,
        "version": _PYTHON_3,
        "pre_release": page.pre_release,
        "show_on_download_page": page.show_on_download_page,
        "release_date": _moment(contract, day, listing, others),
        "release_notes_url": page.release_notes_url,
        "release_page": None,
    }


def _moment(contract: Contract, day: str, listing: Listing, others: Iterable[str]) -> str:
    """Noon, so that it is the same day for most who read it, or a minute that keeps the order.

    ``latest/python3.N`` and the notes on older pages go by this date alone, and of equal ones
    the database may take either: a release comes after every lower version of its day, and, as
    far as that leaves it free, before every higher one. Each of those that are made together has
    the same moment whichever the site has first.
    """
    ours = Version.parse(contract.version)
    noon = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    listed = [
        (each.version, datetime.fromisoformat(each.date))
        for each in listing.releases
        if each.date.startswith(day) and each.slug != contract.page.slug
    ]
    known = {version for version, _ in listed}
    made = sorted({ours, *(each for each in map(Version.parse, others) if each not in known)})
    moments: dict[Version, datetime] = {}
    for version in reversed(made):
        higher = [at for each, at in (*listed, *moments.items()) if each > version]
        moments[version] = min([noon, *(at - _MINUTE for at in higher)])
    for version in made:
        lower = [at for each, at in (*listed, *moments.items()) if each < version]
        moments[version] = max([moments[version], *(at + _MINUTE for at in lower)])
    midnight = noon.replace(hour=0)
    moment = min(max(moments[ours], midnight), midnight + timedelta(days=1, seconds=-1))
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def public_listing(site: SiteReader) -> Listing:
    """What the site's list of releases says, drafts too."""
    return _listing(site.releases())


def _listing(releases: Iterable[SiteRelease]) -> Listing:
    return listing_of(each.fields for each in releases)


def look_draft(contract: Contract, day: str, site: SiteReader, others: Iterable[str] = ()) -> Probe:
    """Whether the site has the release, draft or public, as it is wanted.

    The site allows two releases of one name; then none is touched and both are shown.
    """
    releases = site.releases()
    found = namesakes(contract, releases)
    if not found:
        return absent("the site has no such release")
    if len(found) > 1:
        return different(
            f"the site has {counted(len(found), 'release')} named {contract.page.name}",
            "delete those that are wrong in the site's admin, then run the same command again",
            tuple(_shown(each) for each in found),
        )
    (release,) = found
    wanted = wanted_fields(contract, day, _listing(releases), others)
    if release.is_published and str(release.fields.get("release_date")).startswith(day):
        # What others released since then is no reason to move a date that users saw.
        del wanted["release_date"]
    wrong = differences(wanted, release.fields)
    if not release.is_published and release.fields.get("is_latest"):
        wrong = (*wrong, "is_latest is true, wanted false until it is published")
    if not wrong:
        return identical({"page": contract.page.url, "name": release.name, "day": day})
    if release.is_published:
        return different(
            f"{release.name} is public, but"
            f" {counted(len(wrong), 'of its fields is', 'of its fields are')} wrong",
            "correct them in the site's admin, then run the same command again",
            wrong,
        )
    return absent(
        counted(len(wrong), "field of the draft differs", "fields of the draft differ"), wrong
    )


def make_draft(
    contract: Contract, day: str, site: Site, progress: Progress, others: Iterable[str] = ()
) -> dict[str, str]:
    """The site has the release as a draft; one that exists already is corrected.

    A save that was answered by an error may have been stored all the same, so it is looked for
    before anything is made a second time.
    """
    releases = site.releases()
    wanted = wanted_fields(contract, day, _listing(releases), others)
    found = namesakes(contract, releases)
    if not found:
        progress.say(f"creating {contract.page.name} on the site, as a draft")
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


def look_public(contract: Contract, site: SiteReader) -> Probe:
    """Whether users see the release, and whether it is the latest if it has to be."""
    releases = site.releases()
    release = _only(contract, releases)
    latest = is_latest(contract, _listing(releases))
    facts = {"page": contract.page.url, "latest": "yes" if latest else "no"}
    if not release.is_published:
        return absent("it is a draft")
    if bool(release.fields["is_latest"]) is not latest:
        message = f"is_latest is {_plain(release.fields['is_latest'])}, wanted {_plain(latest)}"
        return absent("it is public, but one of its flags is wrong", (message,))
    return identical(facts)


def publish(contract: Contract, site: Site, progress: Progress) -> dict[str, str]:
    """Users see the release; this cannot be undone. Both flags are switched at once.

    The site answers with an error if its own purge fails after it has stored them; then it is
    published, with boxes that name the release before. ``refresh`` corrects those.
    """
    releases = site.releases()
    release = _only(contract, releases)
    progress.say(f"publishing {release.name}")
    try:
        changes = {"is_published": True, "is_latest": is_latest(contract, _listing(releases))}
        site.change_release(release, changes)
    except ServiceFailed:
        if not the_release(contract, site).is_published:
            raise
    return {}


def refresh(contract: Contract, site: Site, progress: Progress) -> None:
    """The site's own pages show the release where they have to, before any cache is looked at.

    Where they do not, the release is saved once more: the site then rebuilds its boxes. That gives
    it the flag of the latest back, which another release that came out meanwhile may have taken.
    Raises StepFailed, naming the pages, if they still show what was there before.
    """
    listing = public_listing(site)
    if not _old_pages(contract, listing, site):
        return
    progress.say(f"saving {contract.page.name} again, so that the site rebuilds its boxes")
    failed: ServiceFailed | None = None
    try:
        flags = {"is_published": True, "is_latest": is_latest(contract, listing)}
        site.change_release(the_release(contract, site), flags)
    except ServiceFailed as error:
        failed = error
    if old := _old_pages(contract, listing, site):
        why = f"; saving it again failed ({failed.problem})" if failed else ""
        raise StepFailed(
            where="site",
            problem=(
                f"{contract.page.name} is public, but "
                f"{counted(len(old), 'page does', 'pages do')} not show it{why}"
            ),
            remedy="report it to the site's administrators; run the same command again when its own"
            " purge works",
            details=old,
        ) from failed


def _old_pages(contract: Contract, listing: Listing, site: SiteReader) -> tuple[str, ...]:
    """A line for each page that names other releases and should name this one."""
    found = []
    for page in overview_pages(contract, listing):
        if page.tells or page.leads_to:
            seen = site.look(page.url.removeprefix(SITE))
            if problem := page.problem(seen.status, seen.text, seen.leads_to):
                found.append(f"{page.url}: {problem}")
    return tuple(found)


def namesakes(contract: Contract, releases: Iterable[SiteRelease]) -> tuple[SiteRelease, ...]:
    """The releases that have the contract's name or the address of its page."""
    page = contract.page
    return tuple(
        each
        for each in releases
        if each.name.casefold() == page.name.casefold() or each.slug == page.slug
    )


def the_release(contract: Contract, site: SiteReader) -> SiteRelease:
    """The one release of this name. Raises StepFailed if there is none, or more."""
    return _only(contract, site.releases())


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """A line for each field that is not as wanted, with both values."""
    return tuple(
        f"{name} is {_plain(found.get(name))}, wanted {_plain(value)}"
        for name, value in wanted.items()
        if found.get(name) != value
    )


def _only(contract: Contract, releases: Iterable[SiteRelease]) -> SiteRelease:
    found = namesakes(contract, releases)
    if len(found) == 1:
        return found[0]
    raise StepFailed(
        where="site",
        problem=(
            f"{counted(len(found), 'release is', 'releases are')} named "
            f"{contract.page.name}, wanted one"
        ),
        remedy="delete those that are wrong in the site's admin, then run the same command again",
        details=tuple(_shown(each) for each in found),
    )


def _plain(value: object) -> str:
    """A value of the site in words: true and false, nothing, or the text itself."""
    match value:
        case bool():
            return "true" if value else "false"
        case None | "":
            return "empty"
        case _:
            return printable(str(value))


def _shown(release: SiteRelease) -> str:
    state = "public" if release.is_published else "draft"
    return f"{release.address} {printable(release.name)}, slug {release.slug}, {state}"
