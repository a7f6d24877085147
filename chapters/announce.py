"""9. Announce and close: mails, forum, blog, the release PEP, the tracker."""

from __future__ import annotations

from chapters.before import choose_day, today
from chapters.build import write_checksums
from chapters.clone import commit, make_tag, merge_news
from chapters.merge import push_upstream
from chapters.release import at, contract, is_new_branch, notes, plan, release, services, settings
from chapters.website import check_site
from doit_receipts.calls import call, deferred
from plugins.steps import announcement_draft, announcing, fork, letters, tracker

tell = settings.announce
digests = deferred(plan.sums, at.tarballs)


@plan.step(
    after=[make_tag, merge_news, write_checksums],
    writes=[at.made / announcement_draft.DRAFT],
    pep="A01",
)
def draft_announcement():
    """Draft the announcement; your own text goes beside it and counts instead."""
    return call(
        announcement_draft.draft,
        release,
        services.templates,
        commit=commit,
        changes=plan.fact(merge_news, "entries"),
        page=contract.page.url,
        digests=digests,
        sender=tell.sender,
        notes=notes,
    )


@plan.step(
    after=[draft_announcement],
    extra_inputs={"announcement": call(announcement_draft.edited_digest, at)},
    reads=[at.made / announcement_draft.DRAFT],
    writes=[at.made / announcement_draft.SETTLED],
)
def settle_announcement():
    """Take the announcement as it is now, to be approved and sent."""
    return call(announcement_draft.settle, release)


@plan.step(
    after=[make_tag],
    writes=[at.made / announcing.POLICY],
    pep="A07 A08",
    only=announcing.tells_policy(release),
)
def write_policy():
    """Write what the core team has to know of the phase that begins with this release."""
    return call(announcing.write_policy, release, services.templates)


@plan.approval(who="RM", of=[settle_announcement, write_policy], pep="A01 A07")
def approve_announcement():
    """The release manager stands by the announcement."""


out = [approve_announcement, settle_announcement, check_site, push_upstream]


letter = {
    each: deferred(announcing.announcement_letter, release, tell.sender, each)
    for each in (tell.list, tell.announce, tell.dev)
}


team = deferred(announcing.committers_letter, release, tell.sender, tell.committers)


@plan.public(after=out, look=letters.look_sent, pep="A02")
def mail_list():
    """Send the announcement to the list for everybody, once."""
    return call(letters.send, letter[tell.list], services.mail, services.progress)


@plan.public(after=out, look=letters.look_sent, pep="A03")
def mail_announce():
    """Send the announcement to the list of announcements, once."""
    return call(letters.send, letter[tell.announce], services.mail, services.progress)


@plan.public(after=out, look=letters.look_sent, pep="A04")
def mail_dev():
    """Send the announcement to CPython's developers, once."""
    return call(letters.send, letter[tell.dev], services.mail, services.progress)


@plan.public(after=[mail_list, write_policy, *out], look=letters.look_sent, pep="A06")
def mail_committers():
    """Send the announcement to the core team, once."""
    return call(letters.send, team, services.mail, services.progress)


@plan.public(after=out, look=announcing.look_posted, pep="Z29")
def post_forum():
    """Post the announcement to the forum, unless it is there already."""
    return call(announcing.post, release, services.forum, tell.forum_category, services.progress)


@plan.public(after=out, look=announcing.look_blog, pep="A05 Z29", only=bool(tell.blog))
def open_blog():
    """Ask the blog, by a pull request, to take the announcement."""
    return call(announcing.propose_blog, release, services.blog, today, services.progress)


@plan.shared(after=[push_upstream, choose_day], look=announcing.look_pep, pep="A09 Z27")
def date_pep():
    """Ask, by a pull request, to record the day in the release PEP."""
    return call(announcing.propose_pep, release, services.peps, today, services.progress)


@plan.shared(after=[push_upstream], look=tracker.look_flipped, pep="K01")
def flip_blockers():
    """Turn deferred blockers of this release into blockers of the next one."""
    return call(tracker.flip_deferred, release, services.github, services.progress)


@plan.shared(
    after=[push_upstream],
    look=tracker.look_labelled,
    pep="M22 Z26 K02 K04 I01 I02",
    only=is_new_branch,
)
def make_labels():
    """Make the labels of the new series: what is about it, and what is to be backported to it."""
    return call(tracker.make_labels, release, services.github)


@plan.step(after=[push_upstream], pep="Q03 K03 K06")
def write_triage():
    """List the open issues of the series that are worth a look."""
    return call(tracker.write_triage, release, services.github)


@plan.shared(after=[push_upstream], look=fork.look_deleted, pep="K07")
def delete_branch():
    """Delete the release's branch on your fork; its tag stays."""
    return call(fork.delete, release, services.clone, services.fork)
