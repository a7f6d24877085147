"""Tests of all source steps in a row: from the RM's clone to the signed tag."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from checks import clone_state, magic_number, source_tree
from checks import news as news_checks
from plugins.services.gnupg_signer import GnupgSigner
from plugins.steps import news, release_clone, tag, version_files
from tests.source_world import DAY, World, a_world, git

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.gnupg_home import GnupgHome


@pytest.fixture(scope="module")
def signer(keyring: GnupgHome) -> GnupgSigner:
    return GnupgSigner(keyring.folder, keyring.key("releaser"))


def run(world: World, signer: GnupgSigner) -> dict[str, dict[str, str]]:
    release, base, programs = world.release, world.base, world.programs
    clone = world.make()
    return {
        "news": news.merge(release, clone, programs, date=DAY, after="base"),
        "next": version_files.mark_next(release, clone, after="news"),
        "bump": version_files.bump(release, clone, after="mark_next"),
        "readme": version_files.readme(release, clone, after="bump"),
        "years": version_files.copyright_years(release, clone, base, date=DAY, after="readme"),
        "uri": version_files.source_uri(release, clone, after="years"),
        "commit": release_clone.commit(release, clone, base, world.clock, after="source_uri"),
        "tag": tag.make(release, clone, base, signer, world.clock),
    }


def judge(world: World) -> list[str]:
    release, base, clone = world.release, world.base, world.clone
    findings = [
        *clone_state.base_leads_to_version(release, base),
        *clone_state.version_is_next(release, base),
        *clone_state.tag_is_free(release, base, clone),
        *magic_number.magic_numbers_agree(release, clone, after="commit"),
        *source_tree.versions_agree(release, clone, after="commit"),
        *source_tree.next_markers_are_gone(release, clone, after="commit"),
        *source_tree.tree_is_clean(release, clone, after="commit"),
        *source_tree.only_release_files_changed(release, clone, after="commit"),
        *source_tree.autoconf_is_the_agreed_one(release, clone, after="commit"),
        *source_tree.notices_are_current(release, clone, date=DAY, after="commit"),
        *news_checks.news_tells_something(release, clone, after="commit"),
        *news_checks.news_says_what_was_written(release, clone, after="commit"),
    ]
    return list(map(str, findings))


@pytest.mark.parametrize(
    ("version", "last"),
    [
        ("3.15.0a3", "3.15.0a2"),
        ("3.14.0b1", "3.14.0a7"),
        ("3.14.0b2", "3.14.0b1"),
        ("3.14.0rc1", "3.14.0b4"),
        ("3.14.0", "3.14.0rc3"),
        ("3.13.6", "3.13.5"),
        ("3.11.15", "3.11.14"),
    ],
)
def test_every_type_of_release_passes_its_own_checks(
    tmp_path: Path, signer: GnupgSigner, version: str, last: str
) -> None:
    world = a_world(tmp_path, version, last)
    facts = run(world, signer)
    assert judge(world) == []
    folder = world.clone.folder
    assert git(folder, "log", "-1", "--format=%s|%an", f"v{version}") == (
        f"Python {version}|Release Manager"
    )
    assert git(folder, "rev-parse", f"v{version}^") == world.base.commit()
    assert ("signed by" in facts["tag"]) == world.release.signs_with_gpg


def test_git_itself_finds_the_tags_signature_good(
    tmp_path: Path, signer: GnupgSigner, keyring: GnupgHome
) -> None:
    world = a_world(tmp_path)
    facts = run(world, signer)
    ended = subprocess.run(
        ["git", "tag", "-v", "v3.13.6"],
        cwd=world.clone.folder,
        env={"GNUPGHOME": str(keyring.folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Good signature" in ended.stderr
    assert "Python 3.13.6" in ended.stdout
    assert facts["tag"]["signed by"] == signer.fingerprint
    assert facts["news"]["entries"] == "4"
    assert facts["next"]["markers"] == "2"


def test_everything_done_again_at_another_hour_gives_the_same_facts(
    tmp_path: Path, signer: GnupgSigner
) -> None:
    world = a_world(tmp_path)
    first = run(world, signer)
    world.clock.time = world.clock.time.replace(hour=18)
    assert run(world, signer) == first


def test_edits_of_two_machines_are_the_same_commits(tmp_path: Path, signer: GnupgSigner) -> None:
    here, there = a_world(tmp_path / "here"), a_world(tmp_path / "there")
    mine, theirs = run(here, signer), run(there, signer)
    for step in ("news", "next", "bump", "readme", "years", "uri", "commit"):
        assert mine[step]["commit"] == theirs[step]["commit"]


def test_release_of_a_deleted_work_folder_is_adopted_from_the_rms_clone(
    tmp_path: Path, signer: GnupgSigner
) -> None:
    world = a_world(tmp_path)
    first = run(world, signer)
    git(world.cpython, "fetch", "-q", str(world.clone.folder), "tag", "v3.13.6")
    world.release.layout.work.rename(tmp_path / "gone")
    world.clock.time = world.clock.time.replace(hour=18)
    assert judge_tag(world) == []
    again = run(world, signer)
    assert (again["commit"], again["tag"]) == (first["commit"], first["tag"])


def judge_tag(world: World) -> list[str]:
    return [str(each) for each in clone_state.tag_is_free(world.release, world.base, world.clone)]
