"""11. Announce: the settled text, mailing lists if any, the forum and the blog."""

from __future__ import annotations

from chapters.before import author, today
from chapters.build import write_checksums
from chapters.clone import merge_news
from chapters.commit import commit, make_tag
from chapters.merge import push_upstream
from chapters.release import at, notes, plan, promised, release, services, settings
from chapters.website import check_site, sources
from checks import announcement
from doit_receipts.calls import call, deferred
from plugins.steps import (
    announcement_draft,
    announcing,
    blog,
    emails,
    forum_post,
    tiers,
)

announce = settings.announce
digests = deferred(plan.receipts.sums, at.tarballs)
settled = at.made / announcement_draft.SETTLED


@plan.step(
    after=[make_tag, merge_news, write_checksums],
    writes=[at.made / announcement_draft.DRAFT],
    pep="A01",
)
def draft_announcement():
    """Draft the announcement; your own text goes beside it and takes its place."""
    return call(
        announcement_draft.draft,
        release,
        promised,
        services.templates,
        services.clone,
        commit=commit,
        changes=plan.fact(merge_news, "entries"),
        digests=digests,
        author=author,
        notes=notes,
    )


@plan.step(
    after=[draft_announcement],
    extra_inputs={"announcement": call(announcement_draft.edited_digest, at)},
    reads=[at.made / announcement_draft.DRAFT],
    writes=[settled],
)
def settle_announcement():
    """Take the announcement as it is now, to be approved and sent."""
    return call(announcement_draft.settle, release)


@plan.gate(after=[settle_announcement, write_checksums], reads=[settled, *at.tarballs], pep="A01")
def check_announcement():
    """Stop unless the text is about this release alone, complete, and true about security."""
    return [
        call(
            announcement.announcement_is_ready,
            promised,
            settled,
            notes,
            files=sources,
            commit=commit,
            versions=announce.versions,
        ),
        call(
            announcement.security_content_is_true, release, services.clone, settled, commit=commit
        ),
    ]


@plan.step(
    after=[make_tag],
    writes=[at.made / announcing.POLICY],
    pep="A07 A08",
    only=announcing.tells_policy(release),
)
def write_policy():
    """Write what the core team has to know about the phase that begins with this release."""
    return call(announcing.write_policy, release, services.templates)


@plan.step(after=[make_tag], writes=[at.made / tiers.TIERS], only=tiers.is_told(release))
def write_tiers():
    """List the platforms that nobody tests, which this release has to say something about."""
    return call(tiers.write, release, services.builders)


@plan.approval(
    who="RM",
    of=[settle_announcement, check_announcement, write_policy, write_tiers],
    pep="A01 A07",
)
def approve_announcement():
    """The release manager approves the announcement as it is."""


out = [approve_announcement, settle_announcement, check_site, push_upstream]


@plan.public(after=out, look=emails.look_sent, pep="A02", only=bool(announce.list))
def mail_list():
    """Send the announcement to the list for everybody, once."""
    email = deferred(announcing.announcement_email, release, announce.sender, announce.list)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(after=out, look=emails.look_sent, pep="A03", only=bool(announce.announce))
def mail_announce():
    """Send the announcement to the list of announcements, once."""
    email = deferred(announcing.announcement_email, release, announce.sender, announce.announce)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(after=out, look=emails.look_sent, pep="A04", only=bool(announce.dev))
def mail_dev():
    """Send the announcement to CPython's developers, once."""
    email = deferred(announcing.announcement_email, release, announce.sender, announce.dev)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(
    after=[mail_list, write_policy, *out],
    look=emails.look_sent,
    pep="A06",
    only=bool(announce.committers),
)
def mail_committers():
    """Send the announcement to the core team, once."""
    email = deferred(announcing.committers_email, release, announce.sender, announce.committers)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(after=out, look=forum_post.look_posted, pep="A02 Z29")
def post_forum():
    """Post the announcement to the forum, unless it is there already."""
    return call(
        forum_post.post, release, services.forum, announce.forum_category, services.progress
    )


@plan.public(after=out, look=blog.look_blog, pep="A05 Z29", only=bool(announce.blog))
def open_blog():
    """Ask the blog, by a pull request, to take the announcement."""
    return call(blog.propose_blog, release, services.blog, author, today, services.progress)
