"""Tests of whether those who bring Python to users have a release, over the simulated GitHub."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, Waiting
from plugins.model.followers import FOLLOWERS, followers_of
from plugins.model.secret import Secret
from plugins.model.version import Version
from plugins.rehearsal import followers as world
from plugins.rehearsal import github
from plugins.rehearsal.site_rows import Rows
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.github_proposals import GitHubRepositories
from plugins.steps import followers
from tests.progress import Quiet
from tests.served import served
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Builds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    github.seed(store, "3.14", ("main", "3.13", "3.14"))
    return store


@pytest.fixture
def repositories(store: Store, tmp_path: Path) -> Iterator[GitHubRepositories]:
    secret = tmp_path / "token"
    secret.write_text(store.load("github", {})["token"])
    secret.chmod(0o600)
    with served(github.app(store)) as address:
        yield GitHubRepositories(address, Secret(f"file:{secret}"))


def _publish(store: Store, version: str) -> None:
    Rows(store).save("release", {"name": f"Python {version}", "is_published": True})


def _awaited(
    repositories: GitHubRepositories, a_release: Builds, days: int = 7, version: str = "3.14.5"
) -> dict[str, str]:
    return followers.await_followers(
        a_release(version), repositories, FixedClock(), Quiet(), until=NOON + timedelta(days=days)
    )


def test_every_follower_that_has_the_version_ends_the_wait(
    store: Store, repositories: GitHubRepositories, a_release: Builds
) -> None:
    _publish(store, "3.14.5")
    assert _awaited(repositories, a_release) == {each.name: "3.14.5" for each in FOLLOWERS}


def test_follower_that_lacks_it_is_waited_for_and_is_no_failure_in_the_end(
    store: Store, repositories: GitHubRepositories, a_release: Builds
) -> None:
    """Deadsnakes skipped an alpha (python/cpython#143838): their own decision."""
    _publish(store, "3.14.5")
    store.order_fault("followers.late", times=ALWAYS, argument="pyenv/pyenv")
    with pytest.raises(Waiting, match=f"{len(FOLLOWERS) - 1} of {len(FOLLOWERS)} have 3.14.5") as w:
        _awaited(repositories, a_release)
    assert w.value.who == "pyenv"
    assert _awaited(repositories, a_release, days=-1)["pyenv"] == "not by 2026-11-21"


def test_version_that_only_begins_alike_does_not_count(
    store: Store, repositories: GitHubRepositories, a_release: Builds
) -> None:
    _publish(store, "3.14.5")
    with pytest.raises(Waiting, match=f"0 of {len(FOLLOWERS)} have 3.14.50"):
        _awaited(repositories, a_release, version="3.14.50")


def test_follower_that_went_straight_to_the_hotfix_has_what_was_released(
    store: Store, repositories: GitHubRepositories, a_release: Builds
) -> None:
    """3.14.2 came three days after 3.14.1; pyenv alone keeps a file for every version."""
    _publish(store, "3.14.2")
    with pytest.raises(Waiting, match=f"{len(FOLLOWERS) - 1} of {len(FOLLOWERS)}") as waiting:
        _awaited(repositories, a_release, version="3.14.1")
    assert waiting.value.who == "pyenv"
    facts = _awaited(repositories, a_release, days=-1, version="3.14.1")
    assert facts.pop("pyenv") == "not by 2026-11-21"
    assert set(facts.values()) == {"3.14.2"}
    docker = next(each for each in FOLLOWERS if each.path == "library/python")
    version = a_release("3.13.9").version
    assert not docker.found_in(version, b"Tags: 3.14.2-trixie, 3.14\n\nTags: 3.13.8-trixie, 3.13")


@pytest.mark.parametrize(
    ("version", "others"), [("3.15.0rc1", ["Docker's official image"]), ("3.14.5rc1", [])]
)
def test_candidate_is_looked_for_where_candidates_are_taken(
    store: Store,
    repositories: GitHubRepositories,
    a_release: Builds,
    version: str,
    others: list[str],
) -> None:
    names = [*others, "GitHub's setup-python", "pyenv", "python-build-standalone"]
    with pytest.raises(Waiting, match=f"0 of {len(names)} have {version}"):
        _awaited(repositories, a_release, version=version)
    _publish(store, version)
    assert _awaited(repositories, a_release, version=version) == dict.fromkeys(names, version)


def test_final_release_or_a_later_candidate_will_do_for_a_candidate(
    store: Store, repositories: GitHubRepositories, a_release: Builds
) -> None:
    """The file of a candidate leaves pyenv when the next one comes."""
    _publish(store, "3.15.0rc2")
    facts = _awaited(repositories, a_release, days=-1, version="3.15.0rc1")
    assert facts.pop("pyenv") == "not by 2026-11-21"
    assert set(facts.values()) == {"3.15.0rc2"}
    with pytest.raises(Waiting):
        _awaited(repositories, a_release, version="3.15.0")


def test_alpha_and_beta_are_looked_for_nowhere() -> None:
    assert followers_of(Version.parse("3.15.0a2")) == ()
    assert followers_of(Version.parse("3.15.0b1")) == ()
    assert followers_of(Version.parse("3.15.0")) == FOLLOWERS


def test_series_before_the_newest_has_a_branch_of_its_own_at_conda_forge(
    store: Store, repositories: GitHubRepositories, a_release: Builds
) -> None:
    """Only main has the newest series; a series that nobody has built is on neither."""
    _publish(store, "3.13.15")
    _publish(store, "3.14.5")
    assert _awaited(repositories, a_release)["conda-forge"] == "3.14.5"
    facts = _awaited(repositories, a_release, days=-1, version="3.13.15")
    assert facts["conda-forge"] == "3.13.15"
    facts = _awaited(repositories, a_release, days=-1, version="3.15.0")
    assert facts["conda-forge"] == "not by 2026-11-21"


def test_file_of_more_than_a_megabyte_is_read(
    store: Store, repositories: GitHubRepositories
) -> None:
    """GitHub gives it as raw bytes only, and the manifest of actions/python-versions grows."""
    _publish(store, "3.15.0rc1")
    manifest = repositories.text("actions/python-versions", "versions-manifest.json")
    assert manifest is not None
    assert len(manifest) > 1 << 20
    assert json.loads(manifest) == [{"version": "3.15.0-rc.1", "stable": False}]


def test_github_that_fails_is_one_line(
    store: Store, repositories: GitHubRepositories, a_release: Builds
) -> None:
    store.order_fault("github.rate_limited", times=ALWAYS)
    with pytest.raises(ServiceFailed, match="limit"):
        _awaited(repositories, a_release)


def test_real_files_are_understood(a_release: Builds) -> None:
    """Lines as they were in those files in August 2026."""
    version = a_release("3.14.7").version
    lines = {
        "Docker's official image": b"Tags: 3.14.7-trixie, 3.14-trixie, 3-trixie, trixie\n",
        "GitHub's setup-python": b'  {\n    "version": "3.14.7",\n    "stable": true,\n',
        "conda-forge": b'{% set version = "3.14.7" %}\n{% set dev = "" %}\n',
        "deadsnakes": b"python3.14 (3.14.7-1+jammy1) jammy; urgency=medium\n",
        "pyenv": b'install_package "Python-3.14.7" "https://www.python.org/ftp/python/3.14.7/'
        b'Python-3.14.7.tar.xz#d984" standard verify_py314\n',
        "Homebrew": b'url "https://www.python.org/ftp/python/3.14.7/Python-3.14.7.tgz"',
        "python-build-standalone": b'"url": "https://www.python.org/ftp/python/3.14.7/'
        b'Python-3.14.7.tar.xz",\n        "size": 24053924,\n',
        "the install manager's own runtime": b"nuget install python -Version 3.15.0-rc1 -x -o .\n",
    }
    for each in FOLLOWERS:
        assert each.found_in(version, lines[each.name])
        assert not each.found_in(version, None)
        if each.repository != "python/pymanager":  # whose Python is that of a later release too
            assert not each.found_in(a_release("3.14.8").version, lines[each.name])


def test_build_standalone_is_read_where_it_keeps_its_versions(
    store: Store, a_release: Builds
) -> None:
    """A Python module; other libraries have versions of their own in it."""
    standalone = next(each for each in FOLLOWERS if each.name == "python-build-standalone")
    version = a_release("3.14.7").version
    assert standalone.files_of(version) == (
        ("astral-sh/python-build-standalone", "pythonbuild/downloads.py", ""),
    )
    assert not standalone.found_in(version, b'"url": "https://a.org/x-3.14.7.tar.xz", "3.14.7"')
    _publish(store, "3.14.7")
    assert world.text(store, standalone.repository, "pythonbuild/downloads.json", "main") is None
    written = world.text(store, standalone.repository, "pythonbuild/downloads.py", "main") or ""
    assert standalone.found_in(version, written.encode()) == version
    compile(written, "downloads.py", "exec")


def test_project_that_has_one_python_has_this_release_with_any_later_one(a_release: Builds) -> None:
    """The install manager bundles the newest Python, and never one of an older series."""
    manager = next(each for each in FOLLOWERS if each.repository == "python/pymanager")
    version = a_release("3.14.7").version
    line = "        nuget install python -Version {} -x -noninteractive\n"
    assert manager.found_in(version, line.format("3.14.7").encode())
    assert manager.found_in(version, line.format("3.15.0-a1").encode())
    assert not manager.found_in(version, line.format("3.14.6").encode())
    assert not manager.found_in(version, line.format("9" * 20).encode())
    assert not manager.found_in(version, b"nuget install python -x\n\xff")


def test_every_follower_is_in_the_simulated_environment(a_release: Builds) -> None:
    version = a_release("3.14.7").version
    for each in FOLLOWERS:
        assert all(world.follows(repository) for repository, _, _ in each.files_of(version))
    assert not world.follows("python/cpython")
