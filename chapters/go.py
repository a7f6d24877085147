"""12. The go: everything that users will see, judged once more, shown at once, and approved."""

from __future__ import annotations

from chapters.before import nothing_came_up
from chapters.commit import commit
from chapters.lights import check_lights
from chapters.merge import approve_merge, merge_back
from chapters.release import (
    at,
    follows,
    others,
    plan,
    promised,
    release,
    services,
    settings,
)
from chapters.stage import (
    all_files,
    docs_files,
    stage_bundles,
    stage_docs,
    stage_files,
    taken,
    verify_staged,
)
from chapters.texts import approve_announcement
from checks import published_set
from doit_receipts.calls import call, deferred
from plugins.steps import merge_back as merging
from plugins.steps import summary
from plugins.steps import train as trains

staged = [stage_files, *taken, stage_bundles, verify_staged]


@plan.gate(
    after=[*staged, stage_docs, check_lights],
    volatile=True,
    pep="Q01 Q02 Q06 R01",
)
def check_before_switch():
    """Stop the switch if a file is cut short, or a blocker or a red builder has come up."""
    return [
        call(published_set.sizes_fit, release, promised, all_files),
        call(published_set.sizes_fit, release, promised, docs_files),
        *nothing_came_up,
    ]


record = deferred(plan.on_record, "write_summary")
pushed = deferred(
    summary.Pushed,
    settings.repository.upstream,
    deferred(merging.made, release, services.merge_clone),
    tag=plan.fact(merge_back, "tag"),
    commit=commit,
)


@plan.step(
    after=[check_before_switch, approve_announcement, approve_merge],
    extra_inputs={"declaration": call(trains.declared, settings.file)},
    only=bool(others),
)
def tell_ready():
    """Tell the other releases of the train that this one is checked and approved, and by what."""
    return call(dict)


@plan.step(after=[tell_ready], only=bool(others), volatile=True)
def await_others():
    """Wait until the other releases of the train are ready, before any of them is public."""
    return call(trains.await_ready, others)


@plan.step(
    after=[
        *staged,
        stage_docs,
        check_before_switch,
        approve_announcement,
        approve_merge,
        await_others,
    ],
    extra_inputs={"findings": call(summary.findings_digest, record)},
    writes=[at.made / summary.SUMMARY],
    only_shown=True,
)
def write_summary():
    """Show all that users will see in one file: files, refs, texts, gates, waivers."""
    return call(
        summary.sum_up,
        release,
        promised,
        None if follows else settings.announce,
        settings.waivers,
        files=all_files,
        docs=docs_files,
        pushed=pushed,
        record=record,
    )


@plan.approval(who="RM", of=[write_summary])
def approve_release():
    """The release manager says go: the last word before users see anything of ours."""
