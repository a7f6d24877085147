"""1. Before anything leaves this machine: tools, keys, logins, the day, blockers, builders."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from chapters.logins import logins
from chapters.release import (
    approving,
    at,
    builds_windows,
    experts,
    plan,
    release,
    services,
    settings,
    train,
)
from checks import (
    base_commit,
    blockers,
    builders,
    disk,
    hour,
    keys,
    own_packages,
    own_tool,
    schedule,
    tools,
)
from doit_receipts.calls import call, deferred
from plugins.steps import day, protection

if TYPE_CHECKING:
    from doit_receipts.calls import Call

# Upstream is pushed to with its protection lifted. Where a run died meanwhile, every command says
# so, and the next run restores it first.
plan.alarm(
    call(protection.lease_is_open, at),
    call(protection.restore, services.github, at),
    file=at.lease,
)


@plan.gate(volatile=True, pep="P03 P04 Z03")
def check_tools():
    """Stop unless every program that this release will run is installed, and new enough."""
    formats = settings.docs.formats if release.ships_docs else ()
    return [
        call(tools.tools_are_ready, release, services.programs, formats, settings.tests.source),
        call(tools.foreign_code_is_confined, release, services.programs),
        call(disk.work_folder_has_room, release),
        call(tools.tool_is_as_committed, deferred(plan.project.revision)),
        call(own_tool.tool_is_released, release, services.programs, services.verifier),
        call(own_packages.packages_are_locked, release),
        call(own_packages.packages_are_unchanged, release),
    ]


certified = call(keys.another_person_certified_the_key, release, services.signer, services.clock)


@plan.gate(volatile=True, pep="P01 P02" if release.signs_with_gpg else "P01")
def check_key():
    """Stop unless your key is here with its secret part and lasts; warn of experts' keys."""
    return [
        call(keys.signing_key_is_usable, services.signer, services.clock),
        *([certified] if release.signs_with_gpg else []),
        call(keys.keys_of_experts_are_usable, approving, services.verifier, services.clock),
    ]


@plan.step(pep="R01 R02 R03")
def choose_day():
    """Choose the date of the release for NEWS and What's New: the declared one, or today."""
    return call(day.choose, settings.date, services.clock)


@plan.gate(volatile=True, pep="P07 P08 P09 P10 P11 P12 P13 P16 R09 W01 Z01 Z02 Z04")
def check_access():
    """Stop unless every login works, with the permissions that this release will need."""
    return logins


no_blocker = [
    call(blockers.no_release_blockers, release, services.github),
    call(blockers.no_deferred_blockers, release, services.github),
]
all_green = [
    call(base_commit.base_commit_is_green, services.base, services.github),
    call(builders.tiers_are_known, release, services.builders),
    call(builders.builders_are_green, release, services.builders),
    call(builders.builders_are_online, release, services.builders),
]


@plan.gate(volatile=True, pep="Q01 Q02 Q04 Q05")
def check_blockers():
    """Stop while an open issue or pull request blocks this release."""
    return [*no_blocker, call(blockers.advisories_are_closed, release, services.github)]


@plan.gate(volatile=True, pep="Q06 Q07 Q08")
def check_builders():
    """Stop while a stable builder of tier 1 or 2, or CI of the base commit, is red."""
    return all_green


today_text = plan.fact(choose_day, "date")
today = deferred(date.fromisoformat, today_text)
midnight_s = deferred(int, plan.fact(choose_day, "epoch_s"))
deadline = deferred(day.deadline, today, settings.work.wait_days)


def on_schedule(expected: date | None) -> list[Call]:
    """The schedule has the phase of this release, expects that day, and what begins with it."""
    series, found = settings.series, services.schedules
    proposed = {"is_proposed": True} if settings.next_series.manager else {}
    dated = (release, expected, found, services.clock)
    until = train.not_before if train else None
    kept = [call(hour.day_has_the_hour, expected, until, services.clock)] if until else []
    return [
        *kept,
        call(schedule.phase_is_current, release, series.phase, found, services.clock),
        call(schedule.day_is_expected, *dated, is_unplanned=series.unplanned),
        call(schedule.series_follow, release, series.next_phase, found, services.clock, **proposed),
    ]


@plan.gate(volatile=True, pep="R01 R05")
def check_schedule():
    """Stop unless the schedule has the phase of this release, and expects its day."""
    pipeline = services.pipeline if builds_windows else None
    away = tuple(each for each in experts if each.zone)
    in_time = call(hour.tag_comes_in_time, release, settings.date, away, pipeline, services.clock)
    return [*on_schedule(settings.date), in_time]


# Asked once more right before each act that cannot be taken back: much may have come up since the
# tag was handed over, and whoever reports it must be able to stop what users have not seen yet.
nothing_came_up = [*no_blocker, *all_green, *on_schedule(today)]
