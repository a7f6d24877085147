"""A branch enters another phase, 3: tracker, builders and guide of a series that ended."""

from __future__ import annotations

from chapters.end_of_life import approve_end, delete_series_branch, list_tracker
from chapters.moment import ends_life
from chapters.release import at, plan, release, services
from doit_receipts.calls import call
from plugins.steps import ended_places, tracker_end

gone = [approve_end, list_tracker, delete_series_branch]


@plan.shared(after=gone, look=tracker_end.look_moved, only=ends_life, pep="K05 L15")
def move_issues():
    """Give the listed issues the label of the following series, within GitHub's limits."""
    return call(tracker_end.move_issues, release, services.tracker, services.progress)


@plan.public(after=[*gone, move_issues], look=tracker_end.look_renamed, only=ends_life, pep="L13")
def mark_ended():
    """Rename the label of the series, so that it says that the series is at its end."""
    return call(tracker_end.rename_label, release, services.tracker)


@plan.public(after=gone, look=tracker_end.look_dropped, only=ends_life, pep="L14 Z28")
def delete_backports():
    """Delete the label that asks for backports to the series."""
    return call(tracker_end.drop_backports, release, services.tracker)


@plan.shared(after=gone, look=ended_places.look_forgotten, only=ends_life)
def propose_builders():
    """Ask, by a pull request, that no builder tests the branch any more."""
    return call(
        ended_places.propose,
        release,
        services.buildmaster,
        ended_places.BRANCHES,
        services.progress,
    )


@plan.step(after=gone, writes=[at.made / ended_places.MENTIONS], only=ends_life, pep="L12")
def list_guide():
    """List what else the developer's guide says of the series."""
    return call(ended_places.list_mentions, release, services.devguide, services.progress)


@plan.shared(after=[*gone, list_guide], look=ended_places.look_forgotten, only=ends_life, pep="L12")
def propose_guide():
    """Ask, by a pull request, that the developer's guide has no tab of the series any more."""
    return call(
        ended_places.propose,
        release,
        services.devguide,
        ended_places.BUILDING,
        services.progress,
        body=ended_places.MENTIONS,
    )
