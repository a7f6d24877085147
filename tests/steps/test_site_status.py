"""Tests of what python.org shows of a branch's status: the site's own pages, asked by visitors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.outside import heard_by
from doit_receipts.probe import RemoteState
from plugins.model.release import Phase
from plugins.model.schedule import SCHEDULE_FILE
from plugins.model.site_status import status_problem, statuses, wanted_statuses
from plugins.model.version import Version
from plugins.rehearsal import peps
from plugins.rehearsal.site_rows import Rows
from plugins.rehearsal.store import ALWAYS
from plugins.services.anonymous_client import AnonymousClient
from plugins.services.peps import PublishedSchedules
from plugins.steps import site_status
from tests.site_world import QUIET, SiteWorld, a_release, site_world
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_receipts.outside import Act
    from doit_receipts.probe import Probe
    from plugins.services.cdn import Caches

TABLE = "https://www.python.org/downloads/"


@dataclass
class Scene:
    """A site, its caches that visitors have filled, and a schedule with the series' status."""

    world: SiteWorld
    caches: Caches

    def status(self, series: str, status: str, end: str = "") -> None:
        known = self.world.store.load("peps", {})
        text = known["built from"]
        for key, value in {
            "status": f'"{status}"',
            **({"end-of-life": end} if end else {}),
        }.items():
            head, name, rest = text.partition(f'[metadata."{series}"]')
            before, _, after = rest.partition(f"{key} = ")
            text = f"{head}{name}{before}{key} = {value}\n{after.partition(chr(10))[2]}"
        self.world.store.save("peps", {**known, "built from": text})
        hub = self.world.store.load("github", {})
        hub["texts"][f"{peps.REPOSITORY}/{SCHEDULE_FILE}"] = text
        self.world.store.save("github", hub)

    def release(self, version: str) -> None:
        rows = Rows(self.world.store)
        slug = f"python-{version}".replace(".", "")
        own = {"name": f"Python {version}", "slug": slug, "is_published": True,
               "release_date": f"2020-01-{len(rows.table('release')) + 1:02}T12:00:00Z",
               "pre_release": "a" in version}  # fmt: skip
        pk = rows.save("release", own)
        system = next(key for key, row in rows.table("os").items() if row["slug"] == "source")
        url = f"https://www.python.org/ftp/python/{version}/Python-{version}.tgz"
        rows.save("release_file", {"name": "Gzipped source tarball", "slug": f"{slug}-source",
                                   "os": system, "release": pk, "url": url})  # fmt: skip

    def visited(self, *paths: str) -> None:
        for path in ("", *paths):
            for edge in self.caches.edges:
                self.caches.look(f"{TABLE}{path}", edge)

    def parts(self) -> tuple[PublishedSchedules, AnonymousClient, Caches]:
        addresses = self.world.addresses
        client = AnonymousClient(
            addresses["cdn"], addresses["docs_cdn"], (), self.world.folder / "visits.json"
        )
        return PublishedSchedules(addresses["peps"]), client, self.caches

    def look(self, version: str, phase: Phase) -> Probe:
        return site_status.look_shown(a_release(self.world.folder, version), phase, *self.parts())

    def purge(self, version: str, phase: Phase, days: int = 7) -> None:
        release = a_release(self.world.folder, version)
        until = NOON + timedelta(days=days)
        site_status.purge_shown(release, phase, *self.parts(), FixedClock(), QUIET, until=until)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("status")) as made:
        yield made


@pytest.fixture
def scene(running: SiteWorld) -> Scene:
    running.forget()
    running.store.save("github", {"texts": {}, "pulls": [], "branches": {}})
    peps.put(running.store, [Version.parse("3.14.5")], date(2026, 11, 29))
    return Scene(running, running.cdn())


@pytest.mark.parametrize("phase", [Phase.PRERELEASE, Phase.BUGFIX, Phase.SECURITY])
def test_table_of_active_releases_is_purged_once_the_site_has_the_phase(
    scene: Scene, phase: Phase
) -> None:
    scene.release("3.14.5")
    scene.status("3.15", "planned")
    scene.status("3.14", "end-of-life")
    scene.visited()  # the caches keep what was there
    with pytest.raises(Waiting, match=rf"shows 3\.14 as end-of-life.*, wanted {phase.value}"):
        scene.purge("3.14.5", phase)
    scene.status("3.14", phase.value)
    scene.status("3.15", "feature")
    assert scene.look("3.14.5", phase).state is RemoteState.ABSENT
    scene.purge("3.14.5", phase)
    found = scene.look("3.14.5", phase)
    assert found.state is RemoteState.IDENTICAL
    assert found.facts["pages"] == "1"


def test_first_beta_has_the_next_series_in_the_table_too(scene: Scene) -> None:
    scene.status("3.14", "prerelease")
    scene.status("3.15", "planned")
    with pytest.raises(Waiting, match=r"shows 3\.15 as planned, wanted pre-release"):
        scene.purge("3.14.0b1", Phase.PRERELEASE)


def test_end_of_life_is_warned_of_on_every_page_of_the_series(scene: Scene) -> None:
    """Early releases are linked from the list of sources alone, and their pages warn as well."""
    for version in ("3.14.0a1", "3.14.4", "3.14.5", "3.13.9"):
        scene.release(version)
    scene.status("3.14", "security", "2026-10-01")
    scene.visited("release/python-3144/", "release/python-3140a1/")
    with pytest.raises(Waiting, match=r"shows 3\.14 as security, wanted end-of-life"):
        scene.purge("3.14.5", Phase.END_OF_LIFE)
    scene.status("3.14", "end-of-life", "2026-11-30")
    scene.purge("3.14.5", Phase.END_OF_LIFE)
    found = scene.look("3.14.5", Phase.END_OF_LIFE)
    assert found.state is RemoteState.IDENTICAL
    assert found.facts["pages"] == "4"


def test_a_plan_shows_each_purge_and_sends_none(scene: Scene) -> None:
    scene.release("3.14.5")
    scene.status("3.14", "security", "2026-10-01")
    scene.visited("release/python-3145/")
    scene.status("3.14", "end-of-life", "2026-11-30")
    acts = []

    def hold_back(act: Act) -> bool:
        acts.append(act.what)
        return False

    # Nothing was purged, so the caches still show the old page.
    with heard_by(hold_back, held=True), pytest.raises(Waiting, match="stale after a purge"):
        scene.purge("3.14.5", Phase.END_OF_LIFE)
    paths = ["", "release/python-3145/"]
    assert sorted(act.partition("/downloads/")[2] for act in acts) == paths
    assert all(act.startswith("PURGE ") for act in acts)


def test_edge_that_keeps_an_old_page_is_told_after_the_purge(scene: Scene) -> None:
    scene.release("3.14.5")
    scene.status("3.14", "security", "2026-10-01")
    scene.visited("release/python-3145/")
    scene.status("3.14", "end-of-life", "2026-11-30")
    scene.world.store.order_fault("cdn.keeps_stale", argument="/python-3145/")
    with pytest.raises(Waiting, match=r"1 response is .*python-3145/ does not warn") as caught:
        scene.purge("3.14.5", Phase.END_OF_LIFE)
    assert caught.value.who == "the administrators of the CDN"
    scene.world.store.save("faults", {})
    scene.purge("3.14.5", Phase.END_OF_LIFE)  # what the line says
    assert scene.look("3.14.5", Phase.END_OF_LIFE).state is RemoteState.IDENTICAL


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("site.no_cycle", "shows no series in its table of active releases"),
        ("site.old_cycle", r"shows 3\.14 as security, wanted end-of-life"),
    ],
)
def test_site_that_does_not_have_the_cycle_is_waited_for_until_somebody_is_told(
    scene: Scene, fault: str, said: str
) -> None:
    scene.release("3.14.5")
    scene.status("3.14", "end-of-life", "2026-11-30")
    scene.world.store.order_fault(fault, times=ALWAYS)
    with pytest.raises(Waiting, match=said):
        scene.purge("3.14.5", Phase.END_OF_LIFE)
    with pytest.raises(StepFailed, match=said) as caught:
        scene.purge("3.14.5", Phase.END_OF_LIFE, days=-1)
    assert "peps.python.org/api/release-cycle.json" in caught.value.remedy


@pytest.mark.parametrize("fault", ["cdn.serves_503"])
def test_site_that_does_not_answer_is_waited_for(scene: Scene, fault: str) -> None:
    scene.world.store.order_fault(fault, times=ALWAYS)
    with pytest.raises(Waiting, match=r"downloads/ (?:answers 503|could not be read: .*503)"):
        scene.purge("3.14.5", Phase.SECURITY)


def test_of_ended_series_the_table_has_the_newest_alone() -> None:
    row = '<span class="release-version">{}</span>\n <span class="release-status">{}</span>'
    page = row.format("3.10", 'end-of-life, last release was <a href="/x/">3.10.21</a>')
    assert statuses(page) == {"3.10": "end-of-life, last release was"}
    for series, problem in (("3.9", ""), ("3.10", ""), ("3.11", "does not list 3.11, wanted")):
        found = status_problem(statuses(page), wanted_statuses(series, Phase.END_OF_LIFE))
        assert found.startswith(problem)
        assert bool(found) == bool(problem)
