"""13b. Rebuilds: other people and machines make the archives from the tag, and are counted."""

from __future__ import annotations

from chapters.commit import commit
from chapters.hand_over import owner, push_fork
from chapters.release import at, plan, release, services, settings
from chapters.upstream import push_upstream
from checks import machines, rebuilds
from doit_receipts.calls import call, deferred
from plugins.steps import elsewhere, rebuild_elsewhere, workers

farm = settings.farm
are_remade = farm.runs("build_tarballs")
counts_rebuilds = settings.rebuilds.are_counted or are_remade
rebuild_actions = deferred(rebuild_elsewhere.actions, release, commit=commit)
rebuild_errand = deferred(
    elsewhere.errand_of, at, farm, rebuild_actions, services.machines, services.sigstore
)


@plan.shared(after=[push_fork], look=elsewhere.look_asked, only=are_remade)
def start_rebuild():
    """Ask for a run that makes the archives from the tag, unless somebody has one already."""
    return call(elsewhere.start, rebuild_errand, services.clock, services.progress, owner=owner)


@plan.step(after=[start_rebuild], only=are_remade)
def await_rebuild():
    """Wait until the run has made the archives, and keep its attestation of what it got."""
    return call(
        rebuild_elsewhere.wait,
        rebuild_errand,
        services.clock,
        plan.context.journal,
        services.progress,
    )


@plan.step(after=[push_upstream], only=bool(settings.farm.workers), asks_others=True)
def ask_workers():
    """Ask other people's machines to make the archives again, and keep what their owners sign."""
    return call(
        workers.ask,
        release,
        settings.rebuilds,
        services.workers,
        services.verifier,
        plan.context.journal,
        services.progress,
        services.clock,
        commit=commit,
    )


@plan.gate(
    after=[push_upstream, ask_workers, await_rebuild],
    reads=at.tarballs,
    volatile=True,
    only=counts_rebuilds,
)
def check_rebuilds():
    """Stop before the page unless enough others rebuilt the same archives; report who did."""
    archives = deferred(plan.receipts.artifacts, at.tarballs)
    there = deferred(machines.remade, at, farm, rebuild_actions, services.sigstore)
    return call(
        rebuilds.others_got_the_same,
        release,
        settings.rebuilds,
        archives,
        settings.signing.gpg_key,
        services.verifier,
        there if are_remade else (),
    )
