"""7b. Tests on other machines: each platform that [farm] names, by the word of who tested there."""

from __future__ import annotations

from chapters.archives import check_archives
from chapters.commit import commit
from chapters.hand_over import owner, push_fork
from chapters.release import at, plan, release, services, settings
from checks import machines
from doit_receipts.calls import call, deferred
from plugins.model.action import platform_here
from plugins.steps import elsewhere

farm = settings.farm
tested_elsewhere = farm.runs("test_source")
sums = deferred(plan.receipts.sums, at.tarballs)
actions = deferred(elsewhere.actions, release, farm, sums, commit=commit)
errand = deferred(elsewhere.errand_of, at, farm, actions, services.machines, services.sigstore)


@plan.shared(
    after=[check_archives, push_fork],
    reads=at.tarballs,
    look=elsewhere.look_asked,
    pep="B11",
    only=tested_elsewhere,
)
def start_tests():
    """Ask for a run of the sources' tests on each platform, unless somebody has one already."""
    return call(elsewhere.start, errand, services.clock, services.progress, owner=owner)


# Where nobody did it in time, this machine builds and tests.
@plan.step(
    after=[start_tests],
    reads=at.tarballs,
    takes={"cores": 1},
    pep="B11",
    only=tested_elsewhere,
)
def await_tests():
    """Wait until the sources have passed their tests on every platform, with proof of it."""
    return call(
        elsewhere.follow,
        release,
        errand,
        services.clock,
        plan.context.journal,
        services.programs,
        services.progress,
        here=deferred(platform_here),
    )


@plan.gate(after=[await_tests], reads=at.tarballs, pep="B11", only=tested_elsewhere)
def check_tests():
    """Stop unless every platform passed, and report which run attested it."""
    came = deferred(plan.receipts.facts, "await_tests")
    here = deferred(elsewhere.done_here, plan.context.journal)
    return call(machines.every_platform_passed, at, farm, actions, services.sigstore, came, here)
