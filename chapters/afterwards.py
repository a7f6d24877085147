"""19. Afterwards: what others publish of the release, checked until a deadline, then reported."""

from __future__ import annotations

from chapters.before import deadline, today
from chapters.commit import commit
from chapters.release import (
    at,
    builds_windows,
    contract,
    experts,
    is_new_branch,
    plan,
    release,
    services,
    settings,
)
from chapters.stage import known_digests, listed
from chapters.upstream import push_upstream, restore_protection
from chapters.website import check_public, publish_page
from doit_receipts.calls import call, deferred
from plugins.model import windows_build as windows_model
from plugins.model.followers import followers_of
from plugins.model.published_file import Kind
from plugins.model.release import Phase
from plugins.steps import (
    branch_opened,
    build_defaults,
    day,
    docs_site,
    feed,
    followers,
    store_packages,
)

windows_expert = next((each.name for each in experts if each.role == "windows"), "")


@plan.step(
    after=[publish_page, check_public],
    pep="Z21",
    only=any(file.kind is Kind.MANIFEST for file in contract.files),
)
def await_feed():
    """Wait until the install manager's feed lists this release with the published digests."""
    return call(
        feed.await_feed,
        release,
        listed,
        known_digests,
        services.public_client,
        services.clock,
        until=deadline,
        who=windows_expert,
    )


@plan.step(after=[publish_page], pep="X13", only=builds_windows)
def await_nuget():
    """Wait until NuGet has this release's packages."""
    return call(
        feed.await_packages,
        release,
        services.packages,
        services.clock,
        until=deadline,
        who=windows_expert,
    )


brings_to_store = builds_windows and windows_model.makes_store_packages(release)


@plan.approval(
    who="windows" if windows_expert else "RM",
    of=[publish_page],
    pep="X17",
    only=brings_to_store,
)
def approve_store():
    """The Windows expert has brought the packages to the Microsoft Store, by hand."""


@plan.step(after=[publish_page], pep="X17", only=brings_to_store)
def await_store():
    """Wait, for a week, until the Windows expert says that the Store has the packages."""
    return call(
        store_packages.await_told,
        services.clock,
        approved=deferred(plan.receipts.is_done, "approve_store"),
        until=deferred(day.deadline, today, store_packages.DAYS),
        who=windows_expert or "the release manager",
    )


@plan.step(after=[publish_page], pep="I06 I12" if is_new_branch else "")
def await_docs():
    """Wait until docs.python.org shows this release, where the docs of its branch are read."""
    return call(
        docs_site.await_docs,
        release,
        services.public_client,
        services.clock,
        until=deadline,
        ends_life=settings.series.next_phase is Phase.END_OF_LIFE,
    )


@plan.step(after=[publish_page], only=bool(followers_of(release.version)))
def await_followers():
    """Look for some days whether those who bring Python to most users have this release."""
    return call(
        followers.await_followers,
        release,
        services.repositories,
        services.clock,
        services.progress,
        until=deadline,
    )


@plan.shared(after=[publish_page], look=build_defaults.look_proposed_defaults)
def propose_defaults():
    """Ask, by a pull request, that CI's workflow tries this release when it is changed."""
    return call(build_defaults.propose, release, services.release_tools, commit, services.progress)


@plan.shared(
    after=[push_upstream, restore_protection],
    look=branch_opened.look_builders,
    pep="I05",
    only=is_new_branch,
)
def propose_new_builders():
    """Ask, by a pull request, for builders of the new branch."""
    return call(branch_opened.propose_builders, release, services.buildmaster, services.progress)


@plan.step(after=[propose_new_builders], pep="I05", only=is_new_branch)
def await_new_builders():
    """Wait until a builder of the new branch has built it."""
    return call(
        branch_opened.await_builders,
        release,
        services.builders,
        services.buildmaster,
        services.clock,
        until=deadline,
    )


@plan.step(after=[push_upstream], pep="I09 I10", only=is_new_branch)
def await_branch_runs():
    """Wait until CI has passed for the commits pushed to main and the new branch."""
    return call(
        branch_opened.await_runs,
        release,
        services.merge_clone,
        services.github,
        services.clock,
        until=deadline,
    )


@plan.step(after=[push_upstream], writes=[at.merged_late], pep="I08", only=is_new_branch)
def write_late():
    """List what was merged to main between the tag and the push; the new branch has it too."""
    return call(branch_opened.write_late, release, services.merge_clone)
