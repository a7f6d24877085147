"""CI: the build of the pushed tag by GitHub Actions, from its start to its artifacts here."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.printable import counted, share
from doit_receipts.probe import Probe, absent, identical, unknown
from plugins.model.provenance import WORKFLOW
from plugins.steps.artifacts import fetch_artifact, newest, refuse_odd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from doit_receipts.artifact import Artifact
    from plugins.model.layout import Layout
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.github import Run, Workflows
    from plugins.ports.progress import Progress

__all__ = ["as_fetched", "built", "fetch", "look_started", "start", "wait"]

_SOURCE: Final = re.compile(r"Python-[0-9][0-9a-z.]*\.(tgz|tar\.xz)")


def look_started(release: Release, workflows: Workflows, commit: str) -> Probe:
    """Whether a run builds this tag and commit (Z11).

    Known by the id that was kept, by its title if that names the commit or tag, or else as the
    one run that did not exist before ours was requested: GitHub's list shows no inputs.
    """
    kept = _kept(release.layout)
    if kept.get("commit") == commit and kept.get("id"):
        return identical(_facts_of(workflows.run(kept["id"])))
    found = _candidates(release, workflows, commit, kept)
    if len(found) > 1:
        return unknown(
            (
                f"{counted(len(found), 'run')} of {WORKFLOW} may be the one that builds "
                f"{release.version.tag}"
            ),
            f"cancel all but one of them, or write its id into {_file(release.layout)}",
            tuple(f"{run.id} {run.title} {run.url}" for run in found),
        )
    return identical(_facts_of(found[0])) if found else absent("no run has been started yet")


def start(
    release: Release, workflows: Workflows, *, owner: str, commit: str, progress: Progress
) -> dict[str, str]:
    """A run builds the tag from the fork of ``owner``; it stops itself if the commit differs (Z11).

    The runs that were there before are written down first, so that a run that was started by
    an attempt which was then killed is known as ours. The first attempt takes none for ours whose
    title does not say so: another release, also of this day, may be asking for its own.
    """
    layout = release.layout
    kept = _kept(layout)
    if kept.get("commit") != commit:
        there = workflows.runs(WORKFLOW)
        found = _named(release, there, commit)
        before = sorted(run.id for run in there)
        kept = {"commit": commit, "before": before, "id": 0}
        _keep(layout, kept)
    else:
        found = _candidates(release, workflows, commit, kept)
    if not found:
        progress.say("starting the build on GitHub")
        inputs = {
            "git_remote": owner,
            "git_commit": commit,
            "cpython_release": str(release.version),
        }
        kept["id"] = workflows.dispatch(WORKFLOW, "main", inputs)
        found = () if kept["id"] else _candidates(release, workflows, commit, kept)
    if len(found) == 1:
        kept["id"] = found[0].id
    if not kept["id"]:
        raise Waiting(
            who="GitHub",
            problem="the run was requested, but is not in GitHub's list yet",
            remedy="run the same command again in a minute",
        )
    _keep(layout, kept)
    return _facts_of(workflows.run(kept["id"]))


def wait(
    workflows: Workflows, run: str, clock: Clock, *, until: datetime | None = None
) -> dict[str, str]:
    """Every job of the run ended well; its facts hold each job's conclusion (Z12).

    Raises Waiting while it runs, and StepFailed with the jobs that failed, or if it has not
    ended at ``until``. It never blocks.
    """
    found = workflows.run(int(run))
    jobs = workflows.jobs(found.id)
    bad = [job for job in jobs if job.conclusion not in ("", "success", "skipped")]
    if bad or found.conclusion not in ("", "success"):
        raise StepFailed(
            where=f"CI run {run}",
            problem=f"{', '.join(f'{job.name}: {job.conclusion}' for job in bad)}"
            if bad
            else f"ended as {found.conclusion}",
            remedy=f"see {found.url}; run the failed jobs again there, then this command",
            details=tuple(f"{job.name}: {job.conclusion} {job.url}" for job in bad),
        )
    if found.conclusion:
        conclusions = {f"job {job.name}": job.conclusion for job in jobs}
        return {"run": run, "conclusion": found.conclusion, **conclusions}
    running = [job.name for job in jobs if not job.conclusion]
    problem = f"{share(len(jobs) - len(running), len(jobs), 'job')} ended"
    problem += f", {', '.join(running)} not finished" if running else ""
    if until is not None and clock.now() > until:
        raise StepFailed(
            where=f"CI run {run}",
            problem=f"has not ended by {until:%Y-%m-%d %H:%M} UTC: {problem}",
            remedy=f"see {found.url}: if it hangs, cancel it and run its jobs again there; "
            "and raise [work] wait_days, then run the same command again",
        )
    raise Waiting(
        who="CI", problem=problem, remedy=f"watch {found.url}, then run the same command again"
    )


def fetch(release: Release, workflows: Workflows, run: str, progress: Progress) -> dict[str, str]:
    """The run's files, and no others, are in ``ci/``; each archive has GitHub's digest (Z13).

    Of a job that was run again they are those of its last attempt.
    Facts: the sha256 of every file. Raises StepFailed for an archive of other bytes, one that has
    expired or is too large, for a name that could end outside of the folder, and for a run that
    built another release.
    """
    facts: dict[str, str] = {}
    top = release.layout.ci
    artifacts = newest(workflows.artifacts(int(run)))
    refuse_odd(artifacts, run)
    for artifact in artifacts:
        progress.say(f"fetching {artifact.name} ({artifact.content.size_bytes >> 20} MiB)")
        facts |= fetch_artifact(top, artifact, workflows)
    if not facts:
        raise StepFailed(
            where=f"CI run {run}",
            problem="has no files in its artifacts",
            remedy="open the run at GitHub: if its artifacts have expired, run its jobs "
            "again there, then this command",
        )
    _refuse_another_release(release, run, facts)
    # An earlier run may have left what this one did not make.
    for folder in [each for each in top.iterdir() if each.is_dir()]:
        if folder.name not in {artifact.name for artifact in artifacts}:
            shutil.rmtree(folder)
    return {"run": run, **dict(sorted(facts.items()))}


def built(layout: Layout) -> dict[str, Path]:
    """The files that CI made, by their names. Raises StepFailed if a name occurs twice."""
    found: dict[str, Path] = {}
    for path in sorted(layout.ci.glob("*/**/*")):
        if path.is_file():
            if path.name in found:
                raise StepFailed(
                    where="ci", problem=f"{path.name} is in two artifacts",
                    remedy="see at GitHub which job should make it, and have the other one "
                    "corrected; then run doit forget fetch_build and doit publish",
                )  # fmt: skip
            found[path.name] = path
    return found


def with_built(paths: Sequence[Path], layout: Layout, names: Sequence[str]) -> tuple[Path, ...]:
    """These files and those of these names that CI made. Raises StepFailed for one it did not."""
    there = built(layout)
    missing = [name for name in names if name not in there]
    if missing:
        raise StepFailed(
            where="ci", problem=f"CI did not make {', '.join(missing)}",
            remedy="run its job again on GitHub, then doit forget fetch_build and doit publish",
        )  # fmt: skip
    return (*paths, *(there[name] for name in names))


def as_fetched(layout: Layout, files: Sequence[Artifact], fetched: Mapping[str, str]) -> str:
    """One digest of these files of CI, each of which is as ``fetch`` left it; see its facts.

    Raises StepFailed for one that was changed since: nothing else is known of what CI built.
    """
    digests = {file.path.relative_to(layout.ci).as_posix(): file.sha256 for file in files}
    for name, sha256 in digests.items():
        if fetched.get(name) != sha256:
            raise StepFailed(
                where=f"ci/{name}",
                problem="is not as it was fetched from CI",
                remedy="find out what writes there, then run doit forget fetch_build, then the "
                "same command again: it is fetched once more",
            )
    return hashlib.sha256("".join(sorted(digests.values())).encode()).hexdigest()


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _candidates(
    release: Release, workflows: Workflows, commit: str, kept: Mapping[str, Any]
) -> tuple[Run, ...]:
    """Runs that may build this commit: those that say so, or else those that are new."""
    runs = workflows.runs(WORKFLOW)
    named = _named(release, runs, commit)
    if named or kept.get("commit") != commit:
        return named
    return tuple(run for run in runs if run.id not in kept["before"])


def _named(release: Release, runs: Sequence[Run], commit: str) -> tuple[Run, ...]:
    tag = release.version.tag
    return tuple(run for run in runs if commit in run.title or tag in run.title.split())


def _refuse_another_release(release: Release, run: str, names: Iterable[str]) -> None:
    """Raise StepFailed if the run built another version; then it is nobody's of ours any more."""
    built = {name.rpartition("/")[2] for name in names}
    ours = f"Python-{release.version}."
    others = sorted(name for name in built if _SOURCE.fullmatch(name))
    if not others or any(name.startswith(ours) for name in others):
        return
    kept = _kept(release.layout)
    before = sorted({*kept.get("before", []), int(run)})
    _keep(release.layout, {**kept, "before": before, "id": 0})
    raise StepFailed(
        where=f"CI run {run}",
        problem=f"built {', '.join(others)}, and {release.version} is being released",
        remedy="run doit forget start_build, then the same command again: the run of this release "
        "is looked for, and started if there is none",
    )


def _facts_of(run: Run) -> dict[str, str]:
    return {"run": str(run.id), "url": run.url}


def _file(layout: Layout) -> Path:
    return layout.ci / "run.json"


def _kept(layout: Layout) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(_file(layout).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _keep(layout: Layout, content: Mapping[str, Any]) -> None:
    write_whole(_file(layout), json.dumps(content, indent=1).encode() + b"\n")
