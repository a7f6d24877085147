"""6. The Windows build: asked for or started, followed to its end, its digests fetched."""

from __future__ import annotations

from chapters.before import deadline
from chapters.commit import commit
from chapters.hand_over import (
    FOR_WINDOWS,
    approve_commit,
    asks_for_windows,
    fork_address,
    owner,
    push_fork,
    request_words,
    reserve_folder,
    tell_experts,
    windows_page,
    write_request,
)
from chapters.release import (
    at,
    builds_windows,
    follows,
    plan,
    promised,
    release,
    services,
    settings,
    train,
)
from doit_receipts.calls import call, deferred
from plugins.steps import email_drafts, emails, handover, windows_build
from plugins.steps import train as trains


@plan.public(
    after=[push_fork, tell_experts, write_request, approve_commit],
    look=emails.look_sent,
    pep="X02",
    only=asks_for_windows,
)
def request_windows():
    """Email the Windows expert the values of the form, where no token starts the build here."""
    approved = email_drafts.as_approved(FOR_WINDOWS, handover.windows_email)
    request = deferred(approved, *request_words, fork=fork_address, commit=commit)
    return call(emails.send, request, services.mail, services.progress)


@plan.step(after=[push_fork], writes=[at.windows_form], pep="X02", only=builds_windows)
def write_windows_form():
    """Write a page with every field of the form of the Windows build."""
    return call(
        windows_build.write_form,
        release,
        services.templates,
        windows_page,
        owner=owner,
        commit=commit,
    )


@plan.step(after=[push_fork], only=follows and builds_windows)
def await_turn():
    """Wait until the Windows builds of the releases before this one in the train have ended."""
    return call(trains.await_builds, train.before(settings.file) if train else ())


# Shared, though users see what the build uploads: the step only has one run build this commit. It
# finds that run instead of starting a second one, and one that failed or was deleted has to be
# started again, which no public step may be. Uploads that differ from it are `adoption`'s to stop.
@plan.shared(
    after=[push_fork, reserve_folder, write_windows_form, request_windows, await_turn],
    look=windows_build.look_started,
    pep="X02",
    only=builds_windows,
)
def start_windows():
    """Start the Windows build, or wait for you to; what it publishes, users see at once."""
    return call(
        windows_build.start,
        release,
        services.pipeline,
        services.progress,
        owner=owner,
        commit=commit,
        build=settings.windows.build,
    )


windows_run = plan.fact(start_windows, "run")


@plan.step(after=[start_windows], pep="X01 X03 X06 X07 X09 Z22", only=builds_windows)
def await_windows_build():
    """Wait until every stage of the Windows build has ended well."""
    return call(
        windows_build.follow, services.pipeline, windows_run, services.clock, until=deadline
    )


@plan.shared(
    after=[await_windows_build],
    look=windows_build.look_retained,
    pep="X18 Z23",
    only=builds_windows,
)
def retain_windows_build():
    """Keep the records of the Windows build, which are lost after 30 days otherwise."""
    return call(windows_build.retain, services.pipeline, windows_run)


@plan.step(
    after=[await_windows_build], writes=[at.reported_by_pipeline], pep="X12", only=builds_windows
)
def fetch_windows_digests():
    """Fetch the digests that the Windows build reports for its files."""
    return call(
        windows_build.fetch_digests,
        release,
        services.pipeline,
        promised,
        windows_run,
        commit=commit,
    )
