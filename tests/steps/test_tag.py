"""Tests of the signed tag: real gpg, real git."""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.services.git_remote import GitRemote
from plugins.services.gnupg_signer import GnupgSigner
from plugins.steps import news, release_clone, tag
from tests.source_world import World, a_world, git

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.ports.git import Remote
    from plugins.ports.signing import Signer
    from plugins.rehearsal.gnupg_home import GnupgHome


@pytest.fixture(scope="module")
def signer(keyring: GnupgHome) -> GnupgSigner:
    return GnupgSigner(keyring.folder, keyring.key("tagger"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = a_world(tmp_path)
    made.make()
    commit(made)
    return made


def commit(world: World) -> str:
    return release_clone.commit(world.release, world.clone, world.base, world.clock, after="base")[
        "commit"
    ]


def make(world: World, signer: Signer | None) -> dict[str, str]:
    return tag.make(world.release, world.clone, world.base, signer, world.clock)


def verified(world: World, keyring: GnupgHome) -> str:
    folder = world.clone.folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNUPGHOME", str(keyring.folder))
        git(folder, "verify-tag", "v3.13.6")
    return git(folder, "rev-parse", "v3.13.6^{commit}")


def test_tag_is_annotated_signed_and_names_the_release(
    world: World, signer: GnupgSigner, keyring: GnupgHome
) -> None:
    facts = make(world, signer)
    assert verified(world, keyring) == facts["commit"] == world.clone.resolve("refs/release/commit")
    shown = git(world.clone.folder, "for-each-ref", "--format=%(objecttype) %(taggername) "
                "%(taggerdate:iso-strict) %(contents:subject)", "refs/tags")  # fmt: skip
    assert shown == "tag Release Manager 2026-11-22T12:00:00+00:00 Python 3.13.6"
    assert facts["signed by"] == signer.fingerprint
    assert facts["epoch"] == "1795348800"


def test_same_tag_made_later_is_kept(world: World, signer: GnupgSigner) -> None:
    first = make(world, signer)
    world.clock.time += timedelta(hours=3)
    assert make(world, signer) == first


def test_own_tag_on_an_older_commit_is_replaced(
    world: World, signer: GnupgSigner, keyring: GnupgHome
) -> None:
    first = make(world, signer)
    world.commit({"Lib/spam.py": "later\n"})
    world.make()
    second = commit(world)
    facts = make(world, signer)
    assert facts["commit"] == second != first["commit"]
    assert verified(world, keyring) == second


def test_tag_of_the_rms_clone_on_another_commit_is_refused_with_both(
    world: World, signer: GnupgSigner
) -> None:
    git(world.cpython, "tag", "-m", "x", "v3.13.6", "v3.13.5^{commit}")
    theirs = git(world.cpython, "rev-parse", "v3.13.5^{commit}")
    ours = world.clone.resolve("refs/release/commit")
    with pytest.raises(StepFailed) as error:
        make(world, signer)
    assert theirs[:12] in str(error.value)
    assert ours[:12] in str(error.value)
    assert any(theirs in line for line in error.value.details)
    assert world.clone.tag("v3.13.6") is None
    assert error.value.remedy.startswith("if that tag was never pushed, delete it there")
    git(world.cpython, "tag", "-d", "v3.13.6")
    assert make(world, signer)["commit"] == ours


def test_good_tag_of_the_rms_clone_is_adopted(world: World, signer: GnupgSigner) -> None:
    first = make(world, signer)
    git(world.cpython, "fetch", "-q", str(world.clone.folder), "tag", "v3.13.6")
    git(world.clone.folder, "update-ref", "-d", "refs/tags/v3.13.6")
    world.clock.time += timedelta(hours=3)
    assert make(world, signer) == first


def test_unsigned_tag_of_the_rms_clone_is_refused(world: World, signer: GnupgSigner) -> None:
    release = world.clone.resolve("refs/release/commit")
    git(world.cpython, "fetch", "-q", str(world.clone.folder), "refs/release/commit")
    git(world.cpython, "tag", "-m", "Python 3.13.6", "v3.13.6", release)
    with pytest.raises(StepFailed, match=r"it is not a valid release tag.*, delete it there"):
        make(world, signer)
    git(world.cpython, "tag", "-d", "v3.13.6")
    assert make(world, signer)["commit"] == release


@pytest.mark.parametrize("kind", ["light", "unsigned", "other key", "other message"])
def test_poor_tag_of_our_own_is_replaced(
    world: World, signer: GnupgSigner, keyring: GnupgHome, kind: str
) -> None:
    folder = world.clone.folder
    match kind:
        case "light":
            git(folder, "tag", "v3.13.6")
        case "unsigned":
            git(folder, "tag", "-m", "Python 3.13.6", "v3.13.6")
        case "other message":
            git(folder, "tag", "-m", "Something else", "v3.13.6")
        case _:
            make(world, GnupgSigner(keyring.folder, keyring.key("stranger")))
    facts = make(world, signer)
    assert facts["signed by"] == signer.fingerprint
    assert verified(world, keyring) == facts["commit"]


def test_tag_whose_signature_was_tampered_with_is_replaced(
    world: World, signer: GnupgSigner, keyring: GnupgHome
) -> None:
    make(world, signer)
    found = world.clone.tag("v3.13.6")
    assert found is not None
    forged = found.payload.replace("rm@example.org> ", "rm@example.org> 1")
    made = world.clone.put_tag("v3.13.6", forged + found.signature)
    facts = make(world, signer)
    assert facts["tag"] != made
    assert verified(world, keyring) == facts["commit"]


def test_key_that_cannot_sign_leaves_no_tag(world: World, keyring: GnupgHome) -> None:
    expired = keyring.key("old", expires="20200601T000000", made="20200101T000000")
    for fingerprint in (expired, "0123456789012345678901234567890123456789"):
        with pytest.raises(ServiceFailed) as error:
            make(world, GnupgSigner(keyring.folder, fingerprint))
        assert "\n" not in str(error.value)
    assert world.clone.tag("v3.13.6") is None


def test_series_without_openpgp_gets_an_unsigned_annotated_tag(tmp_path: Path) -> None:
    """Source: PEP 761."""
    world = a_world(tmp_path, "3.14.1", "3.14.0")
    world.make()
    commit(world)
    facts = make(world, None)
    assert "signed by" not in facts
    assert git(world.clone.folder, "cat-file", "-t", "v3.14.1") == "tag"
    world.clock.time += timedelta(hours=3)
    assert make(world, None) == facts


def test_series_with_openpgp_needs_a_signer(world: World, signer: GnupgSigner) -> None:
    with pytest.raises(StepFailed, match=r"no signer.*write gpg_key"):
        make(world, None)
    assert make(world, signer)["signed by"] == signer.fingerprint


# ── what others have seen ───────────────────────────────────────────────────────────────────


def remotes(world: World) -> dict[str, Remote]:
    return {
        "fork": GitRemote(str(world.folder / "fork.git"), world.programs),
        "upstream": GitRemote(str(world.folder / "upstream.git"), world.programs),
    }


def again(world: World, signer: Signer, day: date | None = None) -> dict[str, str]:
    """The release made again in a new clone, three hours later; with a ``day``, NEWS has it."""
    shutil.rmtree(world.clone.folder)
    world.clock.time += timedelta(hours=3)
    world.make()
    if day:
        news.merge(world.release, world.clone, world.programs, date=day)
    after = "news" if day else "base"
    told = release_clone.commit(
        world.release, world.clone, world.base, world.clock, after=after, remotes=remotes(world)
    )
    facts = tag.make(
        world.release, world.clone, world.base, signer, world.clock, remotes=remotes(world)
    )
    assert facts["commit"] == told["commit"]
    return facts


@pytest.mark.parametrize("role", ["fork", "upstream"])
def test_tag_that_was_pushed_is_taken_over_when_the_clone_is_lost(
    world: World, signer: GnupgSigner, role: str
) -> None:
    """No second tag of a published name is ever signed."""
    first = make(world, signer)
    git(world.clone.folder, "push", "-q", str(world.folder / f"{role}.git"), "v3.13.6")
    assert again(world, signer) == first


@pytest.mark.parametrize("role", ["fork", "upstream"])
def test_tag_that_others_have_on_another_commit_is_refused_before_anything_is_signed(
    world: World, signer: GnupgSigner, role: str
) -> None:
    first = make(world, signer)
    git(world.clone.folder, "push", "-q", str(world.folder / f"{role}.git"), "v3.13.6")
    world.commit({"Lib/spam.py": "later\n"})
    with pytest.raises(StepFailed, match=f"the {role}, .* has this tag on") as stopped:
        again(world, signer)
    assert not world.clone.resolve("refs/tags/v3.13.6")
    told = re.match(r'write base = "([0-9a-f]{40})", which it was made', stopped.value.remedy)
    assert told, stopped.value.remedy
    assert again(replace(world, wanted=told[1]), signer) == first
    if role == "fork":
        command = stopped.value.remedy.partition(": ")[2]
        git(world.clone.folder, *command.split()[1:])
        assert again(world, signer)["tag"]


@pytest.mark.parametrize("moved", [False, True])
def test_release_that_was_lost_until_another_day_is_the_same_with_what_is_told(
    world: World, signer: GnupgSigner, *, moved: bool
) -> None:
    """Without a date in release.toml its day is the one on which it is made."""
    day = world.clock.time.date()
    first = again(world, signer, day)
    git(world.clone.folder, "push", "-q", str(world.folder / "fork.git"), "v3.13.6")
    world.clock.time += timedelta(days=1)
    if moved:
        world.commit({"Lib/spam.py": "later\n"})
    with pytest.raises(StepFailed, match="has this tag on") as stopped:
        again(world, signer, world.clock.time.date())
    told = stopped.value.remedy
    assert told.startswith("write "), told
    assert "; or, if nobody built from it: git push " in told
    base = re.search(r'base = "([0-9a-f]{40})", which it was made from, below \[', told)
    assert bool(base) == moved
    wanted = tomllib.loads(re.findall(r"date = [0-9-]+", told)[0])["date"]
    assert again(replace(world, wanted=base[1] if base else ""), signer, wanted) == first


def test_base_that_was_chosen_is_not_taken_back_before_the_tag_is(
    world: World, signer: GnupgSigner
) -> None:
    """Who named another one wants another release, and has forgotten the tag on the fork."""
    first, base = make(world, signer), world.base.commit()
    git(world.clone.folder, "push", "-q", str(world.folder / "fork.git"), "v3.13.6")
    chosen = replace(world, wanted=world.commit({"Lib/spam.py": "later\n"}))
    with pytest.raises(StepFailed, match="has this tag on") as stopped:
        again(chosen, signer)
    delete, keep = stopped.value.remedy.split("; or, ")
    assert f'write base = "{base}"' in keep
    git(world.clone.folder, *delete.partition(": ")[2].split()[1:])
    assert again(chosen, signer)["commit"] != first["commit"]


def test_other_release_commit_of_the_same_base_is_not_told_to_take_that_base(
    world: World, signer: GnupgSigner
) -> None:
    make(world, signer)
    git(world.clone.folder, "push", "-q", str(world.folder / "fork.git"), "v3.13.6")
    git(world.cpython, "config", "user.name", "Somebody Else")
    with pytest.raises(StepFailed, match="has this tag on") as stopped:
        again(world, signer)
    assert stopped.value.remedy.startswith("if nobody built from it: git push ")


def test_remote_that_cannot_be_asked_is_no_remote_without_the_tag(
    world: World, signer: GnupgSigner
) -> None:
    (world.folder / "upstream.git").rename(world.folder / "away.git")
    with pytest.raises(ServiceFailed):
        tag.make(
            world.release, world.clone, world.base, signer, world.clock, remotes=remotes(world)
        )
