"""Blog site: whether readers of the Python Insider blog find the announcement there.

The pull request is not what readers see: its checks have to pass, somebody merges it, and each push
to main deploys the blog. Source: ci.yml, deploy.yml and src/pages of python/python-insider-blog at
fbd6066 of 2026-08-22.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from doit_receipts.errors import ServiceFailed, Waiting
from doit_receipts.printable import printable
from plugins.model.blog import (
    FEED,
    Post,
    address_of,
    linked_releases,
    missing_on,
    post_of,
    posts_in_feed,
)
from plugins.ports.public import AROUND
from plugins.steps import announcement_draft
from plugins.steps.afterwards import not_yet
from plugins.steps.blog import folder_of, path_of
from plugins.steps.pull_requests import branch_of, see_not_closed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.github import CommitChecks, Job, Proposals, Pull
    from plugins.ports.public import PublicClient

__all__ = ["await_post"]

_MOST_BYTES: Final = 1 << 22
"""A post has some tens of kilobytes, the feed some more."""
_NO_ANSWER: Final = (ServiceFailed, Waiting)
"""A server that accepts no more requests for now is one that is waited for, until the same day."""
_PASSED: Final = ("success", "neutral", "skipped")
_DEPLOYING: Final = ("Build", "Deploy")
"""The jobs of deploy.yml, the second behind the first; no other check of main is needed."""
_NEWEST: Final = 5
_WITHOUT: Final = 'leave the blog out by [announce] blog = "" in release.toml'
_wait: Final = partial(not_yet, or_else=_WITHOUT)
_MAINTAINERS: Final = "the maintainers of the blog"


def await_post(
    release: Release,
    proposals: Proposals,
    checks: CommitChecks,
    client: PublicClient,
    day: date,
    clock: Clock,
    *,
    until: datetime,
) -> dict[str, str]:
    """Readers find the announcement in the blog, with its title and links to release pages (A05).

    It is looked for where the post that was proposed would be, where the one on the main branch is,
    which people may have edited, and where the blog's feed has one of these titles, or a new post
    of any title that links to the page of this release and to all others. Facts: its address.
    Raises Waiting with who has to do what while it is not there, StepFailed for a pull request that
    was closed and for what is not there at ``until``.
    """
    text = announcement_draft.text_of(release)
    title, links = announcement_draft.subject_of(release), linked_releases(text)
    ours = Post(title, address_of(folder_of(release), day))
    problem = _problem_of(client, ours, links)
    if not problem:
        return {"address": ours.address}
    try:
        content = proposals.text(path_of(release))
        theirs = post_of(path_of(release), content) if content is not None else None
        if theirs is not None and theirs != ours:
            problem = _problem_of(client, theirs, links)
            if not problem:
                return {"address": theirs.address}
        any_title = _is_known_by_links(release, links)
        found = _in_feed(client, (ours, theirs) if theirs else (ours,), links, any_title=any_title)
        if found:
            return {"address": found}
        pull = proposals.pull(branch_of(release))
        is_open = content is None and pull is not None and pull.state == "open"
        jobs = checks.check_runs(pull.head if pull and is_open else "main")
    except _NO_ANSWER as error:
        _wait(
            f"{problem}; why is not known: {error.where} {error.problem}",
            ours.address,
            clock,
            until=until,
            who=_MAINTAINERS,
            remedy="deploy the post",
        )
    if content is None:
        _not_merged(release, pull, links, jobs, problem, clock, until)
    return _not_shown(theirs, content, links, jobs, problem, clock, until)


# ── what readers see ───────────────────────────────────────────────────────────────────────


def _problem_of(client: PublicClient, post: Post, links: Sequence[str]) -> str:
    """Why readers do not find the post at its address; "" if they do."""
    try:
        came = client.read(post.address, AROUND, _MOST_BYTES)
    except _NO_ANSWER as error:
        return f"{post.address}: {error.problem}"
    if came.status == 404:
        return f"{post.address} does not exist yet"
    if came.status != 200:
        return f"{post.address} responded with status {came.status}"
    lacking = missing_on(came.text, post.title, links)
    return f"{post.address} {lacking}" if lacking else ""


def _is_known_by_links(release: Release, links: Sequence[str]) -> bool:
    """Whether no older post has these links, so that another title makes no other post of it."""
    return folder_of(release) in links


def _in_feed(
    client: PublicClient, posts: Sequence[Post], links: Sequence[str], *, any_title: bool
) -> str:
    """The address under which the feed has one of these posts; "" for none."""
    try:
        came = client.read(FEED, AROUND, _MOST_BYTES)
    except _NO_ANSWER:
        return ""
    if came.status != 200:
        return ""
    listed = posts_in_feed(came.text)
    titles = {" ".join(each.title.split()) for each in posts}
    likely = [each for each in listed if each.title in titles][:2]
    if any_title:
        likely = [Post("", each.address) for each in (*likely, *listed[:_NEWEST])]
    for each in dict.fromkeys(likely):
        if not _problem_of(client, each, links):
            return each.address
    return ""


# ── why they do not ────────────────────────────────────────────────────────────────────────


def _not_merged(
    release: Release,
    pull: Pull | None,
    links: Sequence[str],
    jobs: Sequence[Job],
    problem: str,
    clock: Clock,
    until: datetime,
) -> NoReturn:
    """Says what the main branch waits for, which has no such file."""
    see_not_closed(pull, problem, or_else=_WITHOUT)
    if pull is None or pull.state == "merged":
        what = f"pull request {pull.number} is merged" if pull else "there is no pull request of it"
        wanted = "of this title"
        if _is_known_by_links(release, links):
            wanted = f"with a link to the page of {' and of '.join(links)}"
        _wait(
            f"{problem}: {what}, and the main branch has no {path_of(release)}",
            pull.url if pull else path_of(release),
            clock,
            until=until,
            who=_MAINTAINERS,
            remedy=f"merge a post {wanted} ({pull.url})" if pull else f"merge a post {wanted}",
            by_hand=True,
        )
    failed = _failed(jobs)
    if failed is not None:
        _wait(
            f"{problem}: {_ended(failed)} for pull request {pull.number}",
            pull.url,
            clock,
            until=until,
            who=f"pull request {pull.number} of the blog",
            remedy=f"correct the post on the branch {branch_of(release)} by what"
            f" {failed.url or pull.url} says, and have it merged",
            ours=True,
        )
    is_over = bool(jobs) and all(each.conclusion for each in jobs)
    state = "passed its checks and waits for a review" if is_over else "waits for its checks"
    _wait(
        f"{problem}: pull request {pull.number} {state}",
        pull.url,
        clock,
        until=until,
        who=_MAINTAINERS,
        remedy=f"review and merge {pull.url}",
        by_hand=is_over,
    )


def _not_shown(
    post: Post | None,
    content: bytes,
    links: Sequence[str],
    jobs: Sequence[Job],
    problem: str,
    clock: Clock,
    until: datetime,
) -> NoReturn:
    """Says why the blog does not show what is on its main branch."""
    lacking = [
        each for each in links if each not in linked_releases(content.decode("utf-8", "replace"))
    ]
    edit = ""
    if post is None:
        edit = "give the post a title and a publishDate that the blog can read"
    elif not post.is_published:
        edit = "set published: true in the post"
    elif lacking:
        edit = f"put the link to the page of {lacking[0]} back into the post"
    if edit:
        _wait(
            f"{problem}: the post on the main branch was merged with other text",
            "the blog's main branch",
            clock,
            until=until,
            who="the blog's main branch",
            remedy=f"{edit}, by another pull request",
            ours=True,
        )
    failed = _not_deployed(jobs)
    if failed is not None:
        _wait(
            f"{problem}: the post is merged, and {_ended(failed)} on the main branch",
            failed.url or "the blog's main branch",
            clock,
            until=until,
            who=_MAINTAINERS,
            remedy=f"run the failed jobs again ({failed.url})" if failed.url else "deploy again",
            by_hand=True,
        )
    _wait(
        f"{problem}: the post is merged and not deployed",
        "the blog's main branch",
        clock,
        until=until,
        who=_MAINTAINERS,
        remedy="run the workflow that deploys the blog",
    )


def _failed(jobs: Sequence[Job]) -> Job | None:
    return next((each for each in jobs if each.conclusion not in ("", *_PASSED)), None)


def _not_deployed(jobs: Sequence[Job]) -> Job | None:
    """The job that keeps the main branch from being deployed; None while one deploys it.

    CI has a job named Build as well, of which a later push cancels those that are not done.
    """
    built, deployed = ([each for each in jobs if each.name == name] for name in _DEPLOYING)
    if any(each.conclusion in ("", "success") for each in deployed):
        return None
    is_built = any(each.conclusion in ("", "success") for each in built)
    told = [each for each in built if not is_built or each.conclusion != "cancelled"]
    told.sort(key=lambda each: each.conclusion == "cancelled")
    return _failed([*deployed, *told])


def _ended(job: Job) -> str:
    return f"the check {printable(job.name[:80])} ended with {printable(job.conclusion[:40])}"
