"""17. Announce: the settled text, mailing lists if any, the forum and the blog."""

from __future__ import annotations

from chapters.before import deadline, today
from chapters.logins import author
from chapters.release import follows, leads, others, plan, release, services, settings
from chapters.texts import approve_announcement, settle_announcement, write_policy
from chapters.upstream import push_upstream
from chapters.website import check_site
from doit_receipts.calls import call, deferred
from plugins.steps import (
    announcing,
    blog,
    blog_site,
    emails,
    forum_post,
)
from plugins.steps import train as trains

places = settings.announce


@plan.step(
    after=[settle_announcement, check_site, push_upstream],
    extra_inputs={"others": call(trains.results, others, "tell_lead")},
    only=leads,
)
def await_train():
    """Wait until every release of the train is public, with this text approved."""
    return call(trains.await_told, others, announcement=plan.fact(settle_announcement, "digest"))


# What follows exists once for a train; in its other releases a step takes over the receipts.
out = [approve_announcement, settle_announcement, check_site, push_upstream, await_train]


@plan.public(after=out, look=emails.look_sent, pep="A02", only=not follows and bool(places.list))
def mail_list():
    """Send the announcement to the list for everybody, once."""
    email = deferred(announcing.announcement_email, release, places.sender, places.list)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(
    after=out, look=emails.look_sent, pep="A03", only=not follows and bool(places.announce)
)
def mail_announce():
    """Send the announcement to the list of announcements, once."""
    email = deferred(announcing.announcement_email, release, places.sender, places.announce)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(after=out, look=emails.look_sent, pep="A04", only=not follows and bool(places.dev))
def mail_dev():
    """Send the announcement to CPython's developers, once."""
    email = deferred(announcing.announcement_email, release, places.sender, places.dev)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(
    after=[mail_list, write_policy, *out],
    look=emails.look_sent,
    pep="A06",
    only=not follows and bool(places.committers),
)
def mail_committers():
    """Send the announcement to the core team, once."""
    email = deferred(announcing.committers_email, release, places.sender, places.committers)
    return call(emails.send, email, services.mail, services.progress)


@plan.public(after=out, look=forum_post.look_posted, pep="A02 Z29", only=not follows)
def post_forum():
    """Post the announcement to the forum, unless it is there already."""
    return call(forum_post.post, release, services.forum, places.forum_category, services.progress)


@plan.public(after=out, look=blog.look_blog, pep="A05 Z29", only=not follows and bool(places.blog))
def open_blog():
    """Ask the blog, by a pull request, to take the announcement."""
    return call(blog.propose_blog, release, services.blog, author, today, services.progress)


@plan.step(after=[open_blog], pep="A05", only=not follows and bool(places.blog))
def await_post():
    """Wait until readers of the blog find the announcement there."""
    return call(
        blog_site.await_post,
        release,
        services.blog,
        services.blog_checks,
        services.blog_reader,
        today,
        services.clock,
        until=deadline,
    )
