"""Access: whether this person may do, later today, what the release will need (P09-P11, Z02).

A right that is missing is best found in the morning, not after some of the files are public
(release-tools#391).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import ReleaseError, ServiceFailed
from doit_receipts.finding import Finding, Severity
from plugins.model.blog import author_file
from plugins.model.release import ReleaseType
from plugins.ports.git import RefUpdate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.release import Release
    from plugins.ports.email import Mail
    from plugins.ports.forum import Forum
    from plugins.ports.git import Base, Remote
    from plugins.ports.github import Issues, Proposals, Protection, Rulesets
    from plugins.ports.sigstore import BundleVerifier

__all__ = [
    "blog_knows_author",
    "changes_can_be_proposed",
    "forum_lets_us_in",
    "github_lets_us_release",
    "mail_lets_us_in",
    "no_ruleset_is_in_the_way",
    "pushes_would_be_taken",
    "sigstore_is_ready",
    "upstream_is_protected",
]

_NEEDED: Final = ("push", "admin")
_HARMLESS: Final = ("deletion", "non_fast_forward")
"""Rules that no push of a release breaks: branches only ever move forward."""
_HARMLESS_TAG: Final = (*_HARMLESS, "update")
"""The same of a tag, which is pushed once."""


@judges(blind="access.github")
def github_lets_us_release(issues: Issues) -> tuple[Finding, ...]:
    """The token's user may push to the repository and lift its protection (P10, Z02)."""
    rights = issues.rights()
    return tuple(
        Finding(
            "access.github",
            Severity.BLOCK,
            f"your account has no right to {each}",
            where=repr(issues),
            remedy="ask to be added to the team of release managers",
        )
        for each in _NEEDED
        if each not in rights
    )


@judges("access.proposals", blind="access.proposals")
def changes_can_be_proposed(proposals: Proposals) -> tuple[Finding, ...]:
    """The token's user may push a branch to the repository that gets a pull request (P13).

    Schedule and blog get theirs after the release is public, and wait for nobody.
    """
    if proposals.may_propose():
        return ()
    return (
        Finding(
            "access.proposals",
            Severity.WARN,
            "your account may not push the branch of a pull request",
            where=repr(proposals),
            remedy="ask for the right to write there; or open the pull request by hand that day",
        ),
    )


@judges(blind="access.protection")
def upstream_is_protected(release: Release, protection: Protection) -> tuple[Finding, ...]:
    """The branch is protected, and its protection can be read, so that it can be restored.

    For a first beta the branch before it as well, whose rules the new branch gets (M21).
    """
    branches = [release.branch]
    if release.type is ReleaseType.NEW_BRANCH:
        branches.append(f"{release.version.major}.{release.version.minor - 1}")
    return tuple(
        Finding(
            "access.protection",
            Severity.BLOCK,
            "has no protection that your account can read",
            where=branch,
            remedy="ask an administrator of the repository",
        )
        for branch in branches
        if protection.rules(branch) is None
    )


@judges(blind="access.rulesets")
def no_ruleset_is_in_the_way(release: Release, rulesets: Rulesets) -> tuple[Finding, ...]:
    """No rule of a ruleset would refuse the pushes of this release, of its branches and tag.

    Rulesets exist beside classic protection, and lifting that does not lift them: one that our
    account may not pass would refuse the push at the end of the day. GitHub knows which hold for
    a branch that does not exist yet, as that of a first beta.
    """
    tag = release.version.tag
    rules = [
        *((branch, each) for branch in release.merge_branches
          for each in rulesets.rulesets(branch) if each.kind not in _HARMLESS),
        *((tag, each) for each in rulesets.tag_rules(tag) if each.kind not in _HARMLESS_TAG),
    ]  # fmt: skip
    found: dict[tuple[str, str, bool], list[str]] = {}
    for where, each in rules:
        found.setdefault((where, each.ruleset, each.passed), []).append(each.kind)
    return tuple(
        Finding(
            "access.rulesets",
            Severity.NOTE if passed else Severity.BLOCK,
            f"ruleset {name} has rules that a push may break ({', '.join(sorted(kinds))}), and "
            + ("your account may bypass it" if passed else "your account may not bypass it"),
            where=where,
            remedy=""
            if passed
            else "ask an administrator to add release managers to those who may bypass it",
        )
        for (where, name, passed), kinds in sorted(found.items())
    )


@judges("access.push")
def pushes_would_be_taken(
    release: Release, base: Base, remotes: Mapping[str, Remote]
) -> tuple[Finding, ...]:
    """Each remote accepts our pushes: one of the tag's name is tried, without any effect.

    ``remotes`` are by name, such as fork and upstream. Rules of branches are not tried, only
    that the key or token may push at all; where the tag is there already, it may.
    """
    ref = f"refs/tags/{release.version.tag}"
    found = []
    for name, remote in remotes.items():
        try:
            there = remote.refs(ref)[ref]
            if not there:
                remote.push(base.folder, [RefUpdate(ref, base.commit())], dry_run=True)
        except ServiceFailed as error:
            where = f"{name} {remote.address}"
            found.append(Finding("access.push", Severity.BLOCK, error.problem, where, error.remedy))
    return tuple(found)


@judges(blind="access.mail")
def mail_lets_us_in(mail: Mail, sender: str) -> tuple[Finding, ...]:
    """The mail server accepts our login and a sender is named; nothing is sent.

    To be asked only where release.toml names somebody who gets an email.
    """
    if not sender:
        return (
            Finding(
                "access.mail",
                Severity.BLOCK,
                "is missing, and release.toml names who gets emails",
                "[announce] sender",
                "write sender = and your address, or leave the lists and the mail addresses out",
            ),
        )
    mail.log_in()
    return ()


@judges(blind="access.forum")
def forum_lets_us_in(forum: Forum, category: int) -> tuple[Finding, ...]:
    """The forum knows our key, and shows us the category of the announcement (A02).

    Who has no key posts by hand, as everybody may: that is said, and holds up nothing.
    """
    forum.category_name(category)
    if not forum.is_guest():
        forum.user()
        return ()
    return (
        Finding(
            "access.forum",
            Severity.WARN,
            "is missing: you post the announcement by hand",
            "[credentials] forum",
            'write forum = "file:~/forum-login", a file with user:key of the forum\'s API; or post'
            " it by hand that day",
        ),
    )


@judges(blind="access.blog")
def blog_knows_author(blog: Proposals, author: str) -> tuple[Finding, ...]:
    """The blog has a record of the author, to which every post of theirs links (A05).

    A post of somebody without one builds, and the link below its title leads nowhere.
    """
    path = author_file(author)
    content = blog.text(path)
    remedy = (
        "write [announce] author = and your name as the blog has it, or add your record there by a"
        " pull request"
    )
    if content is None:
        problem = f"there is no {path} for {author or 'nobody'}"
        return (Finding("access.blog", Severity.BLOCK, problem, "blog", remedy),)
    try:
        found = json.loads(content)
        name = found.get("name") if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        problem = f"{path} is not JSON"
        return (Finding("access.blog", Severity.BLOCK, problem, "blog", "correct it there"),)
    if name != author:
        problem = f"{path} has another name than {author}"
        return (Finding("access.blog", Severity.BLOCK, problem, "blog", remedy),)
    return ()


@judges(blind="access.sigstore")
def sigstore_is_ready(bundles: BundleVerifier, *, declared: bool) -> tuple[Finding, ...]:
    """Whom Sigstore trusts is known, and so is where the identity token will be (Z01, Z04).

    ``declared`` says the latter. The token itself is good for minutes; it is asked for when
    there is something to sign.
    """
    found = []
    try:
        bundles.ready()
    except ReleaseError as error:
        # what release.toml lacks is reported all the same
        found.append(
            Finding("access.sigstore", Severity.BLOCK, error.problem, error.where, error.remedy)
        )
    if not declared:
        found.append(
            Finding(
                "access.sigstore",
                Severity.BLOCK,
                "is missing, so nothing can be signed by Sigstore later today",
                "[credentials] sigstore",
                'write sigstore = "file:~/sigstore-token", where the identity token will be',
            )
        )
    return tuple(found)
