"""Tests of the world of a rehearsal: its release can be made without a warning that is not true."""

from __future__ import annotations

import shutil
import tomllib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.clock import SystemClock
from doit_receipts.errors import ServiceFailed
from doit_receipts.run_context import StepLog
from doit_receipts.work_folder import WorkFolder
from plugins.command.opened_services import Services
from plugins.model.settings import read_settings, release_of
from plugins.model.version import Version
from plugins.rehearsal import sigstore
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.serving import running_world
from plugins.rehearsal.store import Store
from plugins.rehearsal.world import home_of, make_world
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    GnupgHome(home_of(tmp_path) / "experts").remove()
    GnupgHome(home_of(tmp_path)).remove()


def test_what_a_signer_needs_is_there_before_the_world_answers_and_stays_true(folder: Path) -> None:
    told = tomllib.loads(make_world(folder, Version.parse("3.14.0rc1")).read_text())
    store = Store(folder / "world" / "state")
    assert told["signing"]["sigstore_identity"] == "rm@example.org"
    assert told["signing"]["sigstore_issuer"] == "https://github.com/login/oauth"
    assert folder / told["signing"]["sigstore_trust"] == sigstore.trust_file(store)
    assert told["credentials"]["sigstore"] == "file:world/secrets/sigstore"
    trust = sigstore.trust_file(store).read_bytes()
    assert sigstore.token_file(store).parent == folder / "world" / "secrets"
    assert sigstore.token_file(store).stat().st_mode & 0o777 == 0o600
    with running_world(folder / "world") as world:
        assert world["rekor"].encode() in trust
        assert world["fulcio"].encode() in trust
        assert sigstore.trust_file(store).read_bytes() == trust


def test_newest_commit_of_the_world_is_of_this_week_for_days_to_come(folder: Path) -> None:
    make_world(folder, Version.parse("3.13.6"))
    told = git(folder / "world" / "cpython", "log", "-1", "--format=%ct", "upstream/3.13")
    made = datetime.fromtimestamp(int(told), UTC)
    assert timedelta(0) < datetime.now(UTC) - made < timedelta(days=6)


def test_rehearsal_whose_keys_are_gone_says_so_and_its_remedy_works(folder: Path) -> None:
    """A machine that was started again has an empty /tmp."""
    version = Version.parse("3.14.0rc1")
    made = make_world(folder, version)
    assert make_world(folder, version) == made
    home = GnupgHome(home_of(folder))
    GnupgHome(home.folder / "experts").remove()
    home.remove()
    with pytest.raises(FileNotFoundError, match=f"which is gone; delete {folder}"):
        make_world(folder, version)
    shutil.rmtree(folder)
    assert make_world(folder, version) == made


def test_what_a_clone_brings_is_not_run_unconfined_and_what_the_toy_brings_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, toy, theirs = Version.parse("3.13.6"), tmp_path / "toy", tmp_path / "theirs"
    try:
        made = make_world(toy, version)
        copied = make_world(theirs, version, toy / "world" / "cpython")
    finally:
        for each in (toy, theirs):
            GnupgHome(home_of(each) / "experts").remove()
            GnupgHome(home_of(each)).remove()
    monkeypatch.setenv("PATH", str(tmp_path))  # with nothing to confine by
    programs = []
    for each in (made, copied):
        settings = read_settings(each)
        services = Services(
            settings, release_of(settings), StepLog(WorkFolder(each.parent)), SystemClock()
        )
        programs.append(services.programs)
    programs[0].confined()
    with pytest.raises(ServiceFailed, match="run foreign code"):
        programs[1].confined()
