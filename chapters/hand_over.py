"""5. Hand over: proof-reading, the fork, CI's own build, and word to the experts."""

from __future__ import annotations

from chapters.before import check_access, check_blockers, check_builders, check_schedule
from chapters.clone import merge_news
from chapters.commit import commit, make_tag
from chapters.logins import addresses
from chapters.release import (
    at,
    builds_windows,
    contract,
    experts,
    plan,
    release,
    remote,
    roles,
    services,
    settings,
)
from doit_receipts.calls import call, deferred
from plugins.model.awaited import awaited_of
from plugins.model.windows_build import DEFINITION
from plugins.steps import ci, email_drafts, emails, fork, handover, staging_folders
from plugins.steps import experts as expert_files


@plan.step(after=[make_tag], writes=[at.made / fork.DIFF], pep="Z10")
def write_review():
    """Show all that the release commit changes in one file, for a person to read."""
    return call(fork.review, release, services.clone)


FOR_EXPERTS, FOR_WINDOWS = "experts", "windows-build"
sender = settings.announce.sender
awaited = {
    each.role: awaited_of(
        contract,
        each.role,
        each.name,
        each.keys,
        at.reported_by_pipeline if each.role == "windows" else None,
    )
    for each in experts
}
briefs = [
    handover.Brief(
        each.role,
        each.name,
        f"{settings.hosts.downloads}/{remote.inbox(each.role)}",
        awaited[each.role].files,
        f"{settings.hosts.downloads}/{remote.downloads.final}",
    )
    for each in experts
]
windows_page = f"{settings.hosts.azure}/_build?definitionId={DEFINITION}"
for_windows = [each.mail for each in experts if each.mail and each.role == "windows"]
# Where a token starts the build, nobody has to be asked for it.
asks_for_windows = bool(for_windows) and settings.credentials.azure is None
fork_address = settings.repository.fork
brief_words = (release, services.templates, sender, addresses, briefs)
request_words = (release, services.templates, sender, for_windows, windows_page)


@plan.step(
    after=[make_tag],
    writes=[email_drafts.file_of(at, FOR_EXPERTS)],
    pep="B16",
    only=bool(addresses),
)
def write_brief():
    """Write the email that asks the experts for their builds; nothing is sent."""
    brief = deferred(handover.experts_email, *brief_words, fork=fork_address, commit=commit)
    return call(email_drafts.write, release, FOR_EXPERTS, brief)


@plan.step(
    after=[make_tag],
    writes=[email_drafts.file_of(at, FOR_WINDOWS)],
    pep="X02",
    only=asks_for_windows,
)
def write_request():
    """Write the email with the values of the form that starts the Windows build."""
    request = deferred(handover.windows_email, *request_words, fork=fork_address, commit=commit)
    return call(email_drafts.write, release, FOR_WINDOWS, request)


@plan.approval(
    who="RM",
    of=[write_review, merge_news, make_tag, write_brief, write_request],
    pep="Z10 E12 E21",
)
def approve_commit():
    """The release manager has read the release commit, NEWS with it, and the emails that go out."""


plan.renamed("approve_news", now=approve_commit)


@plan.shared(
    after=[
        make_tag,
        approve_commit,
        check_access,
        check_blockers,
        check_builders,
        check_schedule,
    ],
    look=fork.look_pushed,
    pep="B14 B15",
)
def push_fork():
    """Push the release commit and its tag to your fork only."""
    return call(fork.push, release, services.clone_to_read, services.fork, services.progress)


owner = deferred(handover.owner_of, settings.repository.fork)


@plan.shared(after=[push_fork], look=ci.look_started, pep="Z11")
def start_build():
    """Start CI's own build of the pushed tag, and keep the id of its run."""
    return call(
        ci.start,
        release,
        services.workflows,
        owner=owner,
        commit=commit,
        progress=services.progress,
    )


@plan.shared(after=[check_access], look=expert_files.look_inboxes, pep="U03", only=bool(roles))
def open_inboxes():
    """Make the hidden folders on the downloads host that experts put their files into."""
    return call(expert_files.open_inboxes, release, services.downloads, roles)


@plan.shared(after=[check_access], look=staging_folders.look_reserved, pep="U03 U04")
def reserve_folder():
    """Make the hidden folder where this release is gathered, and the public one for experts."""
    return call(
        staging_folders.reserve,
        remote.downloads,
        services.downloads,
        shared=builds_windows or bool(roles),
    )  # fmt: skip


@plan.public(
    after=[push_fork, open_inboxes, reserve_folder, write_brief, approve_commit],
    look=emails.look_sent,
    pep="B16",
    only=bool(addresses),
)
def tell_experts():
    """Email the experts which tag and commit to build, and which files are expected."""
    approved = email_drafts.as_approved(FOR_EXPERTS, handover.experts_email)
    brief = deferred(approved, *brief_words, fork=fork_address, commit=commit)
    return call(emails.send, brief, services.mail, services.progress)
