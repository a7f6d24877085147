"""Tests of docs.python.org after a release: real pages of the environment, asked anonymously."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed, Waiting
from plugins.model.published_file import DOCS
from plugins.rehearsal import cdn, peps
from plugins.rehearsal.machine import run
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.anonymous_client import AnonymousClient
from plugins.steps import docs_site
from tests.served import served
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

HEADER = '#define PY_VERSION \t"{}+"\n'


@dataclass
class Scene:
    """Upstream's branches, the schedule, and docs.python.org, which a timer builds from them."""

    store: Store
    address: str
    room: Path

    def branch(self, name: str, version: str) -> None:
        """The branch states this version, and that work goes on after it."""
        upstream = self.store.folder.parent / "upstream.git"
        header = HEADER.format(version).encode()
        blob = run(upstream, "git", "hash-object", "-w", "--stdin", stdin=header).strip()
        inner = f"100644 blob {blob}\tpatchlevel.h\n".encode()
        folder = run(upstream, "git", "mktree", stdin=inner).strip()
        outer = f"040000 tree {folder}\tInclude\n".encode()
        tree = run(upstream, "git", "mktree", stdin=outer).strip()
        person = [f"GIT_{role}_{what}=x" for role in ("AUTHOR", "COMMITTER")
                  for what in ("NAME", "EMAIL")]  # fmt: skip
        words = ("env", *person, "git", "commit-tree", tree, "-m", version)
        commit = run(upstream, *words).strip()
        run(upstream, "git", "update-ref", f"refs/heads/{name}", commit)

    def status(self, series: str, status: str, branch: str = "") -> None:
        known = self.store.load("peps", {})
        text = known["built from"]
        for key, value in {"status": status, **({"branch": branch} if branch else {})}.items():
            head, name, rest = text.partition(f'[metadata."{series}"]')
            before, _, after = rest.partition(f'{key} = "')
            text = f'{head}{name}{before}{key} = "{value}"{after.partition(chr(34))[2]}'
        self.store.save("peps", {**known, "built from": text})

    def awaited(
        self, release: Release, days: int = 7, *, ends_life: bool = False
    ) -> dict[str, str]:
        client = AnonymousClient("http://127.0.0.1:9", self.address, (), self.room / "visits.json")
        until = NOON + timedelta(days=days)
        return docs_site.await_docs(release, client, FixedClock(), until=until, ends_life=ends_life)


@pytest.fixture
def scene(tmp_path: Path, a_release: Builds) -> Iterator[Scene]:
    store = Store(tmp_path / "world" / "state")
    upstream = tmp_path / "world" / "upstream.git"
    upstream.mkdir(parents=True)
    run(upstream, "git", "init", "--quiet", "--bare")
    store.save("github", {"texts": {}, "pulls": [], "branches": {}})
    peps.seed(store, a_release("3.14.5").version, date(2026, 11, 29))
    with served(cdn.docs_app(store)) as address:
        yield Scene(store, address, tmp_path)


def test_pages_of_the_branch_that_show_the_release_end_the_wait(
    scene: Scene, a_release: Builds
) -> None:
    scene.branch("3.14", "3.14.5")
    assert scene.awaited(a_release("3.14.5")) == {f"{DOCS}/3.14/": "3.14.5"}


def test_a_later_release_of_the_branch_will_do(scene: Scene, a_release: Builds) -> None:
    scene.branch("3.14", "3.14.5")
    later = a_release("3.14.4")
    with pytest.raises(Waiting, match=r"changelog\.html does not name Python 3\.14\.4 final"):
        scene.awaited(later)


def test_pages_that_were_not_built_yet_are_waited_for_and_then_somebody_is_named(
    scene: Scene, a_release: Builds
) -> None:
    scene.branch("3.14", "3.14.5")
    scene.store.order_fault("docs.late", times=ALWAYS)
    release = a_release("3.14.5")
    with pytest.raises(Waiting, match=r"https://docs\.python\.org/3\.14/ shows 3\.0\.0") as caught:
        scene.awaited(release)
    assert caught.value.who == "the administrators of docs.python.org"
    with pytest.raises(StepFailed, match=r"to run build_docs\.py --branches 3\.14; the release"):
        scene.awaited(release, days=-1)


def test_site_that_does_not_answer_is_waited_for(scene: Scene, a_release: Builds) -> None:
    scene.store.order_fault("docs.500", times=ALWAYS)
    with pytest.raises(Waiting, match="shows no version"):
        scene.awaited(a_release("3.14.5"))


def test_first_final_of_a_series_has_to_be_what_3_leads_to(scene: Scene, a_release: Builds) -> None:
    """docsbuild-scripts#216: /3/ was not moved for days, since nobody moved the status."""
    release = a_release("3.14.0")
    scene.branch("3.13", "3.13.5")
    scene.branch("3.14", "3.14.0")
    scene.status("3.14", "prerelease")
    with pytest.raises(Waiting, match=r"docs\.python\.org/3/ shows 3\.13\.5"):
        scene.awaited(release)
    scene.status("3.14", "bugfix")
    assert set(scene.awaited(release).values()) == {"3.14.0"}
    scene.store.order_fault("docs.old_current")
    with pytest.raises(Waiting, match=r"docs\.python\.org/3/ shows 3\.13\.5"):
        scene.awaited(release)


def test_first_beta_has_dev_lead_to_the_next_series(scene: Scene, a_release: Builds) -> None:
    """The build takes both from the status in the schedule, which somebody has to merge."""
    release = a_release("3.15.0b1")
    peps.put(scene.store, [release.version], date(2026, 11, 29))
    scene.branch("3.15", "3.15.0b1")
    scene.branch("main", "3.16.0a0")
    scene.status("3.15", "prerelease", "3.15")
    scene.status("3.16", "planned", "main")
    with pytest.raises(Waiting, match=r"docs\.python\.org/dev/ shows 3\.15\.0b1, wanted 3\.16"):
        scene.awaited(release)
    with pytest.raises(StepFailed, match=r"run build_docs\.py --branches 3\.15 3\.16; the release"):
        scene.awaited(release, days=-1)
    scene.status("3.16", "feature", "main")
    assert scene.awaited(release) == {f"{DOCS}/3.15/": "3.15.0b1", f"{DOCS}/dev/": "3.16.0a0"}


def test_last_release_of_a_series_says_that_it_is_no_longer_supported(
    scene: Scene, a_release: Builds
) -> None:
    scene.branch("3.14", "3.14.5")
    release = a_release("3.14.5")
    with pytest.raises(StepFailed, match=r"no longer supported; .* --force --branches 3\.14"):
        scene.awaited(release, days=-1, ends_life=True)
    scene.status("3.14", "end-of-life")
    assert scene.awaited(release, ends_life=True) == {f"{DOCS}/3.14/": "3.14.5"}
