"""1. Before anything leaves this machine: tools, keys, logins, the day, blockers, builders."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from chapters.release import (
    at,
    builds_windows,
    contract,
    experts,
    later,
    plan,
    promised,
    release,
    remote,
    roles,
    services,
    settings,
)
from checks import (
    access,
    base_commit,
    blockers,
    builders,
    declared,
    disk,
    forms,
    hosts,
    keys,
    pipeline,
    schedule,
    site,
    tools,
)
from doit_receipts.calls import call, deferred
from plugins.steps import blog, day, handover, protection

if TYPE_CHECKING:
    from doit_receipts.calls import Call

# Nobody gets an email whose address release.toml does not name.
addresses = [each.mail for each in experts if each.mail]
author = deferred(blog.author_of, settings.announce.author, services.base)

# Upstream is pushed to with its protection lifted. Where a run died meanwhile, every command says
# so, and the next run restores it first.
plan.alarm(call(protection.lease_is_open, at), call(protection.restore, services.github, at))


@plan.gate(volatile=True, pep="P03 P04 Z03")
def check_tools():
    """Stop unless every program that this release will run is installed, and new enough."""
    formats = settings.docs.formats if release.ships_docs else ()
    return [
        call(tools.tools_are_ready, release, services.programs, formats, settings.tests.source),
        call(tools.foreign_code_is_confined, release, services.programs),
        call(disk.work_folder_has_room, release),
        call(tools.tool_is_as_committed, deferred(plan.project.revision)),
    ]


@plan.gate(volatile=True, pep="P01 P02", only=release.signs_with_gpg)
def check_key():
    """Stop unless the signing key is here with its secret part and will not expire soon."""
    return [
        call(keys.signing_key_is_usable, release, services.signer, services.clock),
        call(keys.another_person_certified_the_key, release, services.signer, services.clock),
    ]


@plan.step(pep="R01 R02 R03")
def choose_day():
    """Choose the date of the release for NEWS and What's New: the declared one, or today."""
    return call(day.choose, settings.date, services.clock)


@plan.gate(volatile=True, pep="P07 P08 P09 P10 P11 P12 P13 W01 Z01 Z02 Z04")
def check_access():
    """Stop unless every login works, with the permissions that this release will need."""
    ours = ["", remote.downloads.final, "doc", remote.docs_archives.final]
    gathered = [remote.downloads.staging, remote.docs_archives.staging, remote.incoming]
    remotes = {"fork": services.fork, "upstream": services.upstream}
    tell = settings.announce
    owner = deferred(handover.owner_of, settings.repository.fork)
    windows_form = call(forms.windows_form_is_as_known, release, services.release_tools, owner)
    windows_is_free = call(pipeline.nobody_else_publishes, release, services.pipeline)
    by_identity = settings.credentials.sigstore is not None
    shown = deferred(plan.receipts.is_done, "make_page")
    return [
        call(declared.nobody_is_forgotten, release, promised, roles, later),
        call(access.github_lets_us_release, services.github),
        call(access.pushes_would_be_taken, release, services.base, remotes),
        call(access.upstream_is_protected, release, services.github),
        call(access.no_ruleset_is_in_the_way, release, services.github),
        call(forms.ci_form_takes_the_fork, services.release_tools, owner),
        *([windows_form, windows_is_free] if builds_windows else []),
        call(hosts.host_is_reached, services.downloads),
        call(hosts.rights_are_usable, services.downloads, ours),
        call(hosts.files_of_others_are_readable, services.downloads, [ours[1], gathered[0]]),
        call(hosts.host_has_room, services.downloads, "", contract, gathered),
        *([call(hosts.host_is_reached, services.docs_host)] if release.ships_docs else []),
        call(site.login_works, services.site),
        call(site.texts_can_be_saved, services.site),
        call(site.name_is_free, promised, services.site, shown=shown),
        call(site.caches_answer, promised, services.cdn),
        *(
            [call(access.mail_lets_us_in, services.mail, tell.sender)]
            if addresses or tell.lists
            else []
        ),
        call(access.forum_lets_us_in, services.forum, tell.forum_category),
        *([call(access.blog_knows_author, services.blog, author)] if tell.blog else []),
        *([call(access.changes_can_be_proposed, services.peps)] if tell.peps else []),
        *([call(access.changes_can_be_proposed, services.blog)] if tell.blog else []),
        *(
            [call(access.sigstore_is_ready, services.sigstore, declared=by_identity)]
            if release.series.signs_with_sigstore
            else []
        ),
    ]


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
    return [*no_blocker, call(blockers.advisories_are_published, release, services.github)]


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
    dated = (release, expected, found, services.clock)
    return [
        call(schedule.phase_is_current, release, series.phase, found, services.clock),
        call(schedule.day_is_expected, *dated, is_unplanned=series.unplanned),
        call(schedule.series_follow, release, series.next_phase, found),
    ]


@plan.gate(volatile=True, pep="R01")
def check_schedule():
    """Stop unless the schedule has the phase of this release, and expects its day."""
    return on_schedule(settings.date)


# Asked once more right before each act that cannot be taken back: much may have come up since the
# tag was handed over, and whoever reports it must be able to stop what users have not seen yet.
nothing_came_up = [*no_blocker, *all_green, *on_schedule(today)]
