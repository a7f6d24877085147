"""The release as a user gets it: every byte through the caches, then built and tested."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.model.local_settings import SourceTest
from plugins.model.promise import contract_of, local_path
from plugins.services.gnupg_signer import GnupgSigner
from plugins.services.programs import MachinePrograms
from plugins.steps import clean_room
from tests.site_world import QUIET, a_release

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.site_world import SiteWorld

NAME = "python-3.13.6-amd64.exe"


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return a_release(tmp_path / "build")


@pytest.fixture
def contract(world: SiteWorld, release: Release) -> Contract:
    made = contract_of(release)
    world.stage(made)
    return made


def visit(
    world: SiteWorld, release: Release, contract: Contract, signer: GnupgSigner | None = None
) -> dict[str, str]:
    programs = MachinePrograms(lambda _: None)
    return clean_room.visit(
        release, contract, world.host, world.cdn(), programs, signer, SourceTest.NONE, QUIET
    )


def test_every_published_file_is_downloaded_and_compared(
    world: SiteWorld, release: Release, contract: Contract
) -> None:
    facts = visit(world, release, contract)
    assert facts["files"] == str(len(contract.files))
    assert facts["waived"] == "the sources were not built or tested"
    assert not (release.layout.scratch / "clean_room").exists()
    assert visit(world, release, contract) == facts


def test_a_stale_file_is_named_with_both_digests(
    world: SiteWorld, release: Release, contract: Contract
) -> None:
    cdn = world.cdn()
    url = f"https://www.python.org/ftp/python/3.13.6/{NAME}"
    for edge in cdn.edges:
        cdn.look(url, edge)
    (world.root / "3.13.6" / NAME).write_bytes(b"other")
    with pytest.raises(StepFailed, match="1 of 31 files differs from the release") as raised:
        visit(world, release, contract)
    (told,) = raised.value.details
    assert told.startswith(url)
    assert " were served, wanted 5 bytes, sha256 " in told


def test_a_file_that_is_not_the_exported_one_is_named(
    world: SiteWorld, release: Release, contract: Contract
) -> None:
    """Caches and host agree, and both have something else than what was approved here."""
    tgz = contract.listed[0]
    ours = local_path(tgz, release)
    assert ours is not None
    ours.parent.mkdir(parents=True)
    ours.write_bytes(b"what was exported")
    with pytest.raises(StepFailed, match="is not the one that was exported"):
        visit(world, release, contract)


def test_a_file_of_no_sensible_size_is_named_unless_it_is_a_rehearsal(
    world: SiteWorld, release: Release, contract: Contract
) -> None:
    real = dataclasses.replace(release, rehearsal=False)
    with pytest.raises(StepFailed, match="bytes is not a plausible size for a source archive"):
        visit(world, real, contract)


def test_signatures_are_verified_as_downloaded(
    world: SiteWorld, release: Release, contract: Contract, keyring: GnupgHome, tmp_path: Path
) -> None:
    fingerprint = keyring.key("clean_room")
    signer = GnupgSigner(keyring.folder, fingerprint)
    with pytest.raises(StepFailed, match="is not a valid signature as downloaded"):
        visit(world, release, contract, signer)
    for suffix in (".tgz", ".tar.xz"):
        served = world.root / "3.13.6" / f"Python-3.13.6{suffix}"
        copy = tmp_path / served.name
        shutil.copy(served, copy)
        signer.sign(copy, copy.with_name(copy.name + ".asc"))
        shutil.copy(copy.with_name(copy.name + ".asc"), served.with_name(served.name + ".asc"))
    world.forget_caches()
    assert visit(world, release, contract, signer)["files"] == "31"
