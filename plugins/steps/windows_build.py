"""Windows build: the pipeline's run, from its start to the digests that it leaves.

With a token the run is started here; without one, a page tells the release manager what to fill
in, and the run that they start is found by its tag and commit. Either way there is one run, and
it is looked for before anything is started. What it publishes goes straight to where users see
it (see ``adoption``), so it is followed by its stages until it has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.printable import counted, share
from doit_receipts.probe import Probe, absent, different, identical, unknown
from plugins.model.content import NamedFile
from plugins.model.hash_table import read_table
from plugins.model.manifest import Manifest
from plugins.model.windows_build import CERTIFICATE, form_of, is_named_for, parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.layout import Layout
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.pipeline import Pipeline, PipelineRecord, PipelineRun
    from plugins.ports.progress import Progress
    from plugins.ports.templates import Templates

__all__ = [
    "digests_file",
    "fetch_digests",
    "follow",
    "look_retained",
    "look_started",
    "retain",
    "start",
    "write_form",
]

_FAILED: Final = ("failed", "canceled")
_BAD: Final = ("failed", "canceled", "abandoned")
_APPROVAL: Final = "Checkpoint.Approval"
_DECLARE: Final = "[windows] build"


def digests_file(layout: Layout) -> Path:
    """Where the digests that the pipeline reported are kept, in the form of a manifest."""
    return layout.reported_by_pipeline


def write_form(
    release: Release, templates: Templates, page: str, *, owner: str, commit: str
) -> dict[str, str]:
    """A page lists every field of the form of the Windows build, with its value (NEW08)."""
    words = {
        "version": release.version,
        "page": page,
        "boxes": form_of(release, owner, commit),
        "rehearsal": release.rehearsal,
        "signed": "",
    }
    write_whole(release.layout.windows_form, templates.fill("windows.txt", words).encode())
    return {}


def look_started(release: Release, pipeline: Pipeline, *, commit: str, build: int = 0) -> Probe:
    """Whether a run builds and publishes this tag and commit; ``build`` is one that was declared.

    A run is ours by the tag and commit of its form. One of another commit, one that publishes
    nothing or one that is signed otherwise is somebody's trial, and is left alone. One that was
    started with other boxes than this series needs counts only if it is declared.
    """
    if build:
        return _declared(release, pipeline, build)
    tag = release.version.tag
    runs = [_with_form(run, pipeline) for run in pipeline.runs() if _is_of(run, tag)]
    ours = [run for run in runs if run.parameters and _builds(run, commit)]
    unsure = [run for run in runs if not run.parameters and run.result not in _FAILED]
    live = [run for run in ours if run.result not in _FAILED]
    if len(live) == 1:
        found = live[0]
        others = _other_boxes(found, release)
        if not others:
            return identical(_facts(found))
        return different(
            f"run {found.id} was started with other boxes than {release.version.series} needs",
            f"cancel it at {found.url} and start another with the values in "
            f"{release.layout.windows_form}; or write {_DECLARE} = {found.id} to take it as it is",
            others,
        )
    if live or unsure:
        problem = (
            f"{counted(len(live), 'run builds', 'runs build')} {tag} at this commit"
            if live
            else f"a run builds {tag}, and Azure does not report from which commit"
        )
        shown = live or unsure
        return unknown(
            problem,
            f"open each; cancel those that do not count, or write {_DECLARE} = {shown[0].id}",
            tuple(f"{each.id} {each.name} {each.state} {each.url}" for each in shown),
        )
    if ours:
        return unknown(
            f"run {ours[0].id} was started for this commit and {_ended(ours[0])}",
            f"run its failed jobs again at {ours[0].url}, or start another run there by hand "
            f"with the values in {release.layout.windows_form}",
        )
    return absent(f"no run builds {tag} yet")


def start(
    release: Release,
    pipeline: Pipeline,
    progress: Progress,
    *,
    owner: str,
    commit: str,
    build: int = 0,
) -> dict[str, str]:
    """A run builds the tag and publishes what it made: what it uploads, users can see.

    Raises Waiting for the release manager where there is no token to start it with (NEW08).
    """
    del build  # one that is declared is never started
    if not pipeline.may_act:
        raise Waiting(
            who="RM",
            problem=f"the Windows build of {release.version.tag} is not started yet",
            remedy=f"start it at {pipeline.page} with the values in {release.layout.windows_form}, "
            "then run the same command again; or write [credentials] azure",
        )
    progress.say("starting the Windows build")
    number = pipeline.start(parameters_of(form_of(release, owner, commit)))
    return {"run": str(number)}


def follow(
    pipeline: Pipeline, run: str, clock: Clock, *, until: datetime | None = None
) -> dict[str, str]:
    """Every stage of the run ended well; the facts hold each stage's result (NEW19, NEW20).

    Raises Waiting while it runs, with who has to approve that the certificate is used; and
    StepFailed with the jobs that failed, for a run that was deleted, and at ``until``.
    """
    # The stages first: a run that ends between the two looks has ended.
    records = pipeline.timeline(int(run))
    found = _existing(pipeline, run)
    stages = [each for each in records if each.kind == "Stage"]
    _refuse_failed(found, records)
    if found.result:
        by_stage = {f"stage {stage.name}": stage.result or stage.state for stage in stages}
        return {"run": run, "result": found.result, **by_stage}
    ended = [each for each in stages if each.result]
    problem = f"{share(len(ended), len(stages), 'stage')} ended" if stages else "it has not begun"
    running = [each.name for each in stages if each.state == "inProgress"]
    problem += f", {', '.join(running)} is running" if running else ""
    who, waits = _approval(pipeline, records)
    problem += f", {waits}" if waits else ""
    if until is not None and clock.now() > until:
        raise StepFailed(
            where=f"Windows run {run}",
            problem=f"has not ended by {until:%Y-%m-%d %H:%M} UTC: {problem}",
            remedy=f"look at {found.url}; or raise [work] wait_days",
        )
    raise Waiting(
        who=who or "the Windows pipeline",
        problem=problem,
        remedy=f"{'approve it' if waits else 'watch it'} at {found.url}, "
        "then run the same command again",
    )


def fetch_digests(
    release: Release, pipeline: Pipeline, contract: Contract, run: str, *, commit: str
) -> dict[str, str]:
    """The digests that the run reports of its files are kept here, as far as it still has any.

    Facts: size and sha256 by name, and for a table that is missing, that it is. Raises
    BrokenTable for one that cannot be read, StepFailed where two differ about one file.
    """
    number = _existing(pipeline, run).id
    folder = release.version.folder
    known: dict[str, NamedFile] = {}
    missing: dict[str, str] = {}
    for name in _tables(contract):
        left = pipeline.artifact(number, name)
        raw = (left or {}).get("hashes.txt")
        if raw is None:
            missing[f"table {name}"] = "does not exist any more" if left is None else "is empty"
            continue
        for file in read_table(raw, f"{name} of Windows run {run}").values():
            if known.setdefault(file.name, file) != file:
                raise StepFailed(
                    where=f"Windows run {run}",
                    problem=f"two of its tables give different digests for {file.name}",
                    remedy="ask who runs the pipeline which of them was uploaded",
                )
    files = [
        NamedFile(f"{folder}/{file.name}", file.content)
        for file in known.values()
        if str(release.version) in file.name
    ]
    stated = Manifest.of(str(release.version), "windows", commit, files)
    write_whole(digests_file(release.layout), stated.to_bytes())
    return {**missing, **{file.name: file.content.fact for file in stated.files}}


def look_retained(pipeline: Pipeline, run: str) -> Probe:
    """Whether the run is kept; without that its records are lost after 30 days (NEW21)."""
    found = pipeline.run(int(run))
    if found is None:
        return different(
            f"run {run} was deleted",
            "the digests of its files are in the receipts here; the run cannot be restored",
            (),
        )
    kept = pipeline.is_retained(found.id)
    return identical({"run": run}) if kept else absent(f"run {run} is lost after 30 days")


def retain(pipeline: Pipeline, run: str) -> dict[str, str]:
    """The run is kept for ever. Raises Waiting for the release manager without a token."""
    if not pipeline.may_act:
        raise Waiting(
            who="RM",
            problem=f"Windows run {run} is not kept yet; its records are lost after 30 days",
            remedy=f'choose "Retain" in the menu of {_existing(pipeline, run).url}',
        )
    pipeline.retain(int(run))
    return {"run": run}


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _declared(release: Release, pipeline: Pipeline, build: int) -> Probe:
    found = pipeline.run(build)
    tag = release.version.tag
    if found is None:
        return unknown(
            f"{_DECLARE} names run {build}, which does not exist", "name another run, or none"
        )
    if not _is_of(found, tag):
        builds = found.parameters.get("SourceTag") or found.name
        return different(
            f"{_DECLARE} names run {build}, which is not of {tag}",
            "name another run, or none",
            (f"found  {builds}", f"wanted {tag}"),
        )
    return identical(_facts(found))


def _is_of(run: PipelineRun, tag: str) -> bool:
    # A run that is queued has no name of its own yet.
    return is_named_for(run.name, tag) or run.parameters.get("SourceTag") == tag


def _with_form(run: PipelineRun, pipeline: Pipeline) -> PipelineRun:
    """The run with its parameters, which a list need not hold."""
    return run if run.parameters else pipeline.run(run.id) or run


def _builds(run: PipelineRun, commit: str) -> bool:
    given = run.parameters
    return (
        given.get("SourceCommit") == commit
        and given.get("DoPublish", "").lower() == "true"
        and given.get("SigningCertificate", CERTIFICATE) == CERTIFICATE
    )


def _other_boxes(run: PipelineRun, release: Release) -> tuple[str, ...]:
    """The boxes of the form that do not hold what this series needs, in words."""
    wanted = {box: run.parameters.get(box.parameter, "") for box in form_of(release, "", "")}
    return tuple(
        f"{box.label} is {'not ' if box.value else ''}ticked"
        for box, value in wanted.items()
        if isinstance(box.value, bool) and value and value.lower() != box.in_api
    )


def _ended(run: PipelineRun) -> str:
    return {"canceled": "was canceled"}.get(run.result, run.result or "runs")


def _facts(run: PipelineRun) -> dict[str, str]:
    return {"run": str(run.id), "url": run.url}


def _existing(pipeline: Pipeline, run: str) -> PipelineRun:
    found = pipeline.run(int(run))
    if found is None:
        raise StepFailed(
            where=f"Windows run {run}",
            problem="was deleted on Azure",
            remedy="doit forget start_windows, then the same command again: another run is "
            "started then, or asked for",
        )
    return found


def _refuse_failed(run: PipelineRun, records: Sequence[PipelineRecord]) -> None:
    by_id = {each.id: each for each in records}
    refused = [each for each in records if each.kind.startswith(_APPROVAL) and each.result in _BAD]
    failed = [each for each in records if each.kind == "Job" and each.result in _BAD]
    if not (refused or failed or run.result in _FAILED):
        return
    stages = _stages_of(refused, by_id)
    problem = (
        f"the certificate may not be used in {', '.join(stages)}"
        if stages
        else ", ".join(f"{each.name}: {each.result}" for each in failed) or _ended(run)
    )
    raise StepFailed(
        where=f"Windows run {run.id}",
        problem=problem,
        remedy=f"see {run.url}; run the failed jobs again there, then this command",
        details=tuple(f"{each.name}: {issue}" for each in failed for issue in each.issues),
    )


def _approval(pipeline: Pipeline, records: Sequence[PipelineRecord]) -> tuple[str, str]:
    """Who may approve that the certificate is used, and where that is waited for."""
    pending = [
        each for each in records if each.kind.startswith(_APPROVAL) and each.state == "inProgress"
    ]
    if not pending:
        return "", ""
    stages = _stages_of(pending, {each.id: each for each in records})
    names = pipeline.approvers(pending[0].id)
    who = " or ".join(names) if names else "an approver of the signing certificate"
    where = f" in stage {', '.join(stages)}" if stages else ""
    return who, f"the use of the certificate{where} is not approved yet"


def _stages_of(
    records: Iterable[PipelineRecord], by_id: dict[str, PipelineRecord]
) -> tuple[str, ...]:
    found = []
    for each in records:
        above: PipelineRecord | None = each
        for _ in range(5):
            if above is None or above.kind == "Stage":
                break
            above = by_id.get(above.parent)
        if above is not None and above.kind == "Stage":
            found.append(above.name)
    return tuple(dict.fromkeys(found))


def _tables(contract: Contract) -> tuple[str, ...]:
    """The artifacts that hold digests: installers have one of their own where there are any."""
    windows = [file.name for file in contract.files if file.origin.value == "windows"]
    found = ["hashes"] if any(name.endswith(".exe") for name in windows) else []
    if any(name.startswith("windows-") for name in windows):
        found.append("pymanager_hashes")
    return tuple(found)
