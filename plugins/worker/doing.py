"""Doing: an action done on this machine, in parts that may be jobs on different machines.

The first makes the archives from the tag, and stops unless they are those of the action: that
alone is a rebuild by a second machine. The second tests them; the tree's own code runs there, so it
has to be a job without any right. Documentation is made in one part, by the tree's own code as
well. The last part states what passed, and runs nothing of the tree.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.action import BUILD_DOCS, BUILD_TARBALLS, TEST_SOURCE
from plugins.model.attested import (
    ACTION_FILE,
    FACTS_FILE,
    Attested,
    demanded,
    products_of,
    statement_of,
)
from plugins.model.docs_source import DocsSource
from plugins.model.layout import Layout
from plugins.model.local_settings import SourceTest
from plugins.model.release import Release, ReleaseType
from plugins.model.series import series_of
from plugins.model.strict_json import BrokenJson, canonical, read_object
from plugins.model.version import Version
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from plugins.steps import docs, source_test, tarball

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.action import Action
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress

__all__ = ["make_archives", "make_docs", "rebuild", "run_tests", "state"]

_VERSIONS: Final = {TEST_SOURCE: 1, BUILD_DOCS: 1, BUILD_TARBALLS: 1}
_STATED: Final = {
    BUILD_DOCS: ("formats",),
    BUILD_TARBALLS: ("commit", "git", "blurb", "gzip", "xz"),
}
"""Which facts about files are attested."""
_MOST_BYTES: Final = 65_536
_COUNTED: Final = re.compile(r"Total tests: run=([0-9,]{1,12})")
_SETTINGS: Final = ("pep101.clone", "release")


def make_archives(action: Action, fork: str, room: Path, progress: Progress) -> None:
    """``room/src`` holds the archives of the action's tag, with the sha256 that the action names.

    An action that is to make them again names none: ``facts.json`` is beside them then, with the
    programs that they depend on. ``fork`` is the address of a repository that has the tag. Raises
    StepFailed where the tag is of another commit, or gives other bytes.
    """
    _refuse_other(action, TEST_SOURCE, BUILD_TARBALLS)
    release = _release_of(action, room)
    programs = MachinePrograms(progress.say)
    clone = _clone_of(action, fork, release, programs)
    facts = tarball.build(release, clone, programs, progress)
    if action.step == TEST_SOURCE:
        _refuse_other_inputs(action, release.layout)
    else:
        write_whole(release.layout.src / FACTS_FILE, canonical(facts))


def rebuild(
    action: Action, repository: str, room: Path, programs: Programs, progress: Progress
) -> tuple[Path, ...]:
    """Both archives of the action's tag, made below ``room``. Raises StepFailed."""
    release = _release_of(action, room)
    tarball.build(release, _clone_of(action, repository, release, programs), programs, progress)
    return release.layout.tarballs


def make_docs(
    action: Action,
    fork: str,
    room: Path,
    out: Path,
    progress: Progress,
    *,
    throw_away: bool,
    tools: Path | None,
) -> None:
    """``out`` holds the documentation archives of the tag, and ``facts.json`` about them.

    ``fork`` and ``throw_away`` are as for the others. ``tools`` is where the packages are that it
    is built with, if they were installed before. Raises StepFailed.
    """
    _refuse_other(action, BUILD_DOCS)
    release = _release_of(action, room)
    programs = MachinePrograms(progress.say, may_be_unconfined=lambda: throw_away)
    _clone_of(action, fork, release, programs)
    forms = action.params.get("formats", "").split()
    asked = ["git", "show", "--no-patch", "--format=%ct", action.commit]
    epoch_s = int(programs.run(asked, folder=release.layout.clone).stdout)
    source = DocsSource(release.layout.clone, action.tag, epoch_s, tools=tools)
    facts = docs.build(release, source, forms, programs, progress)
    for form in forms:
        for archive in release.layout.docs_archives(form):
            write_whole(out / archive.name, archive.read_bytes())
    write_whole(out / FACTS_FILE, canonical(facts))


def _clone_of(action: Action, fork: str, release: Release, programs: Programs) -> GitClone:
    """A clone with the tag of the action. Raises StepFailed where it is of another commit."""
    clone = release.layout.clone
    shutil.rmtree(clone, ignore_errors=True)
    clone.mkdir(parents=True)
    programs.run(["git", "init", "--quiet"], folder=clone)
    programs.run(["git", "config", *_SETTINGS], folder=clone)
    tag = f"refs/tags/{action.tag}"
    # The commit and its parent: git does not show one whose parent it cannot read.
    fetch = ["git", "fetch", "--quiet", "--depth=2", "--no-tags", "--", fork, f"{tag}:{tag}"]
    programs.run(fetch, folder=clone)
    opened = GitClone(clone, programs)
    found = opened.resolve(f"{tag}^{{commit}}")
    if found != action.commit:
        raise StepFailed(
            where=f"tag {action.tag}",
            problem=f"names commit {found}, wanted {action.commit}",
            remedy="push the release's tag to that repository, or find out who moved it there",
        )
    return opened


def run_tests(
    action: Action, room: Path, out: Path, progress: Progress, *, throw_away: bool
) -> None:
    """``out/tests.json`` says what passed; nothing is written where something did not.

    The archives are those in ``room/src``. ``throw_away``: this machine has no secret and is
    deleted afterwards, so that the tree's code may run unconfined. Raises StepFailed.
    """
    _refuse_other(action, TEST_SOURCE)
    release = _release_of(action, room)
    _refuse_other_inputs(action, release.layout)
    counted: list[str] = []

    def heard(line: str) -> None:
        counted.extend(found.replace(",", "") for found in _COUNTED.findall(line))
        progress.say(line)

    programs = MachinePrograms(heard, may_be_unconfined=lambda: throw_away)
    level = SourceTest(action.params.get("level", ""))
    facts = source_test.run(release, programs, level, progress)
    ran = {"ran": counted[-1]} if counted else {}
    write_whole(out / products_of(action)[0], canonical({**facts, **ran}))


def state(action: Action, results: Path, out: Path, *, run: str, tool: str) -> None:
    """``out`` has what an attestation is made of: ``predicate.json`` and ``subjects.sha256``.

    What the job of the tests left in ``results`` is only read, and believed in its form alone.
    Raises StepFailed for what is not of that form.
    """
    _refuse_other(action, *_VERSIONS)
    names = products_of(action)
    found = sorted(each.name for each in results.iterdir())
    if found != sorted(names):
        raise StepFailed(
            where="results", problem=f"hold other files than {', '.join(names)}",
            remedy="look at the job's log and its artifact named result",
        )  # fmt: skip
    facts = _facts_in(results / (FACTS_FILE if FACTS_FILE in names else names[0]))
    if action.step in _STATED:
        facts = {name: text for name, text in facts.items() if name in _STATED[action.step]}
    for name, wanted in demanded(action).items():
        if facts.get(name) != wanted:
            raise StepFailed(
                where="results",
                problem=f"name {facts.get(name, 'none')} as {name}, wanted {wanted}",
                remedy="look at the job's log and its artifact named result",
            )
    products = {name: sha256_of(results / name) for name in names}
    statement = statement_of(action, Attested(run, tool, products, facts))
    subjects = "".join(f"{each.sha256}  {each.name}\n" for each in statement.subjects)
    write_whole(out / ACTION_FILE, action.to_bytes())
    write_whole(out / "predicate.json", json.dumps(dict(statement.predicate), indent=1).encode())
    write_whole(out / "subjects.sha256", subjects.encode())


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _facts_in(file: Path) -> dict[str, str]:
    with file.open("rb") as stream:
        raw = stream.read(_MOST_BYTES + 1)
    try:
        return {str(name): str(text) for name, text in read_object(raw, _MOST_BYTES).items()}
    except BrokenJson as error:
        raise StepFailed(
            where=file.name,
            problem=str(error),
            remedy="look at the job's log and its artifact named result",
        ) from error


def _refuse_other(action: Action, *steps: str) -> None:
    if action.step not in steps or action.step_version != _VERSIONS[action.step]:
        raise StepFailed(
            where="action",
            problem=f"is {action.step}, version {action.step_version}, and this part of the tool"
            f" does {', '.join(f'{each}, version {_VERSIONS[each]}' for each in steps)}",
            remedy="use the commit of pep101 that the release manager uses",
        )


def _refuse_other_inputs(action: Action, layout: Layout) -> None:
    names = sorted(path.name for path in layout.tarballs)
    if sorted(action.inputs) != names:
        raise StepFailed(
            where="action", problem=f"names other inputs than {', '.join(names)}",
            remedy="ask the release manager to start the run again with the same pep101 commit",
        )  # fmt: skip
    for path in layout.tarballs:
        found, wanted = sha256_of(path), action.inputs[path.name]
        if found != wanted:
            raise StepFailed(
                where=path.name,
                problem=f"has sha256 {found}, wanted {wanted}",
                remedy="compare both archives: diffoscope shows what differs",
            )


def _release_of(action: Action, room: Path) -> Release:
    version = Version.parse(action.version)
    kinds = {kind.name.lower(): kind for kind in ReleaseType}
    kind = kinds.get(action.params.get("kind", ""))
    if kind is None or action.tag != version.tag:
        raise StepFailed(
            where="action", problem="names no kind of release, or another tag than its version's",
            remedy="ask the release manager to start the run again with the same pep101 commit",
        )  # fmt: skip
    layout = Layout(work=room, version=version)
    return Release(version=version, type=kind, series=series_of(version), layout=layout)
