"""Tests of what is looked at after the release: the install manager's feed, and NuGet."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.errors import ReleaseError, ServiceFailed, StepFailed, Waiting
from plugins.model.content import Content
from plugins.model.promise import contract_of
from plugins.ports.fetched import Fetched
from plugins.rehearsal import nuget as world
from plugins.rehearsal import places, windows_files
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.nuget import NuGet
from plugins.steps import feed
from tests.served import served
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from tests.conftest import Builds

SOON = NOON + timedelta(days=7)
LATE = NOON - timedelta(days=2)


@dataclass
class Visitor:
    """What everybody gets, of a few addresses."""

    pages: dict[str, str] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)

    def endpoints(self, url: str) -> tuple[str, ...]:
        raise NotImplementedError(url)

    def fetch(self, url: str, endpoint: str, most_bytes: int, file: Path | None = None) -> Fetched:
        raise NotImplementedError(url, endpoint, most_bytes, file)

    def read(self, url: str, endpoint: str, most_bytes: int = 1 << 23) -> Fetched:
        assert endpoint == "around the caches"
        text = self.pages.get(url)
        if text is None or len(text) > most_bytes:
            return Fetched(404, Content(0, ""))
        return Fetched(200, Content(len(text), ""), text, changed=self.changed.get(url))

    def forget(self) -> None: ...

    def unsent(self) -> tuple[str, ...]:
        return ()

    def remember(self) -> None: ...


@dataclass
class Scene:
    release: Release
    contract: Contract
    known: dict[str, str]
    visitor: Visitor

    def awaited(self, days: int = 7) -> dict[str, str]:
        return feed.await_feed(
            self.release, self.contract, self.known, self.visitor, FixedClock(),
            until=NOON + timedelta(days=days), who="Wanda Windows",
        )  # fmt: skip

    def change(self, **more: Any) -> None:
        """The first entry of this release has other fields."""
        content = json.loads(self.visitor.pages[feed.FEED])
        content["versions"][0].update(more)
        self.visitor.pages[feed.FEED] = json.dumps(content)


@pytest.fixture
def scene(tmp_path: Path, a_release: Builds) -> Scene:
    release = a_release("3.15.0rc1")
    store = Store(tmp_path / "store")
    (tmp_path / "ftp").mkdir()
    places.put(store, downloads=tmp_path / "ftp")
    files = windows_files.made(release.version, {"SourceCommit": "5" * 40})
    windows_files.write_feed(store, release.version, files)
    known = {f"3.15.0/{name}": hashlib.sha256(each).hexdigest() for name, each in files.items()}
    text = (tmp_path / "ftp" / windows_files.FEED).read_text()
    visitor = Visitor({feed.FEED: text, f"{feed.FEED}.cat": "signed"})
    return Scene(release, contract_of(release).with_extras(known), known, visitor)


def test_feed_that_lists_all_packages_as_users_get_them(scene: Scene) -> None:
    found = scene.awaited()
    assert len(found) == 12
    assert all(scene.known[path] == digest for path, digest in found.items())


def test_package_that_the_feed_lacks_is_waited_for_and_then_somebody_is_told(
    scene: Scene,
) -> None:
    """python/pymanager#124: 3.13.3 was missing, and a user noticed."""
    content = json.loads(scene.visitor.pages[feed.FEED])
    gone = content["versions"].pop(0)
    scene.visitor.pages[feed.FEED] = json.dumps(content)
    if "-embed-" in gone["url"]:
        content["versions"] = [e for e in content["versions"] if "-test-" not in e["url"]]
        scene.visitor.pages[feed.FEED] = json.dumps(content)
    with pytest.raises(Waiting, match="the feed of the install manager lacks") as caught:
        scene.awaited()
    assert caught.value.who == "Wanda Windows"
    assert "from 2026-11-29 on this is a failure" in str(caught.value)
    with pytest.raises(StepFailed, match=r"it was due on 20[-0-9]+; report it to Wanda Windows"):
        scene.awaited(days=-2)


def test_feed_without_any_entry_or_signature_is_waited_for(scene: Scene) -> None:
    del scene.visitor.pages[f"{feed.FEED}.cat"]
    with pytest.raises(Waiting, match="the feed has no signature"):
        scene.awaited()
    scene.visitor.pages[feed.FEED] = '{"versions": []}'
    with pytest.raises(Waiting, match="lacks"):
        scene.awaited()
    scene.known.clear()
    with pytest.raises(Waiting, match=r"has no entry of 3.15.0rc1"):
        scene.awaited()


def test_signature_of_an_older_feed_is_waited_for(scene: Scene) -> None:
    """The pipeline may stop between the two; the install manager then refuses every version."""
    cat = f"{feed.FEED}.cat"
    scene.visitor.changed = {feed.FEED: NOON, cat: NOON - timedelta(seconds=1)}
    with pytest.raises(Waiting, match="the signature is older than the feed"):
        scene.awaited()
    with pytest.raises(StepFailed, match="report it to Wanda Windows"):
        scene.awaited(days=-2)
    scene.visitor.changed[cat] = NOON
    assert len(scene.awaited()) == 12
    del scene.visitor.changed[feed.FEED]
    assert len(scene.awaited()) == 12


def test_other_digest_than_users_get_is_a_failure_at_once(scene: Scene) -> None:
    scene.change(hash={"sha256": "0" * 64})
    with pytest.raises(StepFailed, match=r"gives another digest of 3.15.0/python") as caught:
        scene.awaited()
    assert caught.value.details[0] == f"feed  {'0' * 64}"


def test_address_that_is_no_file_of_the_release_is_a_failure(scene: Scene) -> None:
    scene.change(url="https://evil.example/\x1b[2Jx.zip")
    with pytest.raises(StepFailed, match="which is not a file of this release") as caught:
        scene.awaited()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text",
    ["", "[", "[" * 100_000, "null", "[]", '{"versions": 7}', "\x00", '{"versions": [1, null]}'],
)
def test_feed_that_is_none_gives_one_line(scene: Scene, text: str) -> None:
    scene.visitor.pages[feed.FEED] = text
    with pytest.raises(ReleaseError) as caught:
        scene.awaited()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("name", ["url", "hash", "sort-version"])
@pytest.mark.parametrize("value", [None, 7, "", [], {}, "x" * 5000, [[]], True])
def test_each_field_of_the_feed_that_is_wrong_gives_one_line(
    scene: Scene, name: str, value: object
) -> None:
    scene.change(**{name: value})
    with pytest.raises(ReleaseError) as caught:
        scene.awaited()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


# ── NuGet ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    run = {"given": {"SourceTag": "v3.15.0rc1"}, "tables": {"hashes": ""}}
    made.save("azure", {"runs": [run], "leases": []})
    return made


@pytest.fixture
def packages(store: Store) -> Iterator[NuGet]:
    with served(world.app(store)) as address:
        yield NuGet(address)


def test_every_package_of_nuget_has_the_version(packages: NuGet, a_release: Builds) -> None:
    found = feed.await_packages(a_release("3.15.0rc1"), packages, FixedClock(), until=SOON)
    assert found["python-freethreaded"] == "3.15.0-rc1"
    assert len(found) == 6


def test_package_that_lacks_it_is_waited_for_by_name(
    packages: NuGet, store: Store, a_release: Builds
) -> None:
    release = a_release("3.15.0rc1")
    store.order_fault("nuget.late", times=ALWAYS, argument="pythonarm64")
    with pytest.raises(Waiting, match=r"5 of 6 packages have 3.15.0-rc1; missing in pythonarm64"):
        feed.await_packages(release, packages, FixedClock(), until=SOON)
    with pytest.raises(StepFailed, match="only its closing archive waits for this"):
        feed.await_packages(release, packages, FixedClock(), until=LATE)


@pytest.mark.parametrize("fault", ["nuget.500", "nuget.malformed"])
def test_nuget_that_answers_wrong_gives_one_line(
    packages: NuGet, store: Store, fault: str, a_release: Builds
) -> None:
    store.order_fault(fault, times=ALWAYS)
    with pytest.raises(ServiceFailed, match="NuGet: list the versions of python: ") as caught:
        feed.await_packages(a_release("3.15.0rc1"), packages, FixedClock(), until=SOON)
    assert str(caught.value).isprintable()
