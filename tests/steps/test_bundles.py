"""Bundles: what is signed, what is kept, and what comes back from the host."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.model.content import Content, NamedFile
from plugins.model.promise import bundle_paths, contract_of
from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.ports.signing import Signature, Verdict
from plugins.services.folder_host import FolderHost
from plugins.steps.bundles import bundles, look_signed, sign, verify_downloaded
from tests.site_world import QUIET

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.series import SigstoreIdentity
    from tests.conftest import Builds


RM = series_of(Version.parse("3.14.1")).manager


@dataclass
class Sigstore:
    """Whoever signs writes the digest and their name; after ``most`` bundles they are gone."""

    most: int = 1000
    asked: list[str] = field(default_factory=list)

    def ready(self) -> None:
        pass

    def verify_bundle(self, bundle: Path, sha256: str, by: SigstoreIdentity) -> Signature:
        right = bundle.is_file() and bundle.read_text() == f"{sha256} {by}"
        return Signature(str(by), "") if right else Signature("", "no", Verdict.OTHER_BYTES)

    def sign(self, digests: Collection[str], by: SigstoreIdentity) -> Iterator[tuple[str, bytes]]:
        for digest in digests:
            if len(self.asked) == self.most:
                raise Waiting(who="the release manager", problem="the token has expired")
            self.asked.append(digest)
            yield digest, f"{digest} {by}".encode()


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.14.1")


@pytest.fixture
def contract(release: Release) -> Contract:
    return contract_of(release)


@pytest.fixture
def files(contract: Contract) -> tuple[NamedFile, ...]:
    """All that is there to be signed, each with a digest of its own."""
    there = [file for file in contract.files if file.origin is not Origin.SIGSTORE]
    return tuple(
        NamedFile(each.name, Content(1, sha256(each.name.encode()).hexdigest())) for each in there
    )


@pytest.fixture
def host(tmp_path: Path) -> FolderHost:
    (tmp_path / "host").mkdir()
    return FolderHost(tmp_path / "host")


def signed(
    release: Release,
    contract: Contract,
    files: tuple[NamedFile, ...],
    host: FolderHost,
    by: Sigstore,
) -> dict[str, str]:
    area = RemoteLayout(release.version).downloads
    return sign(release, contract, files, RM, by, host, area, QUIET)


def test_every_listed_file_is_signed_whoever_made_it(
    release: Release, contract: Contract, files: tuple[NamedFile, ...], host: FolderHost
) -> None:
    sigstore = Sigstore()
    assert look_signed(release, contract, files, RM, sigstore).state is RemoteState.ABSENT
    facts = signed(release, contract, files, host, sigstore)
    assert facts["identity"] == "hugo@python.org"
    assert facts["files"] == str(len(contract.listed))
    probe = look_signed(release, contract, files, RM, sigstore)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert all(path.is_file() for path in bundles(contract, release))
    listed = {sha256(file.name.encode()).hexdigest() for file in contract.listed}
    assert set(sigstore.asked) == listed


def test_what_was_signed_before_the_token_expired_is_kept(
    release: Release, contract: Contract, files: tuple[NamedFile, ...], host: FolderHost
) -> None:
    first, second = Sigstore(most=5), Sigstore()
    with pytest.raises(Waiting):
        signed(release, contract, files, host, first)
    signed(release, contract, files, host, second)
    assert not set(first.asked) & set(second.asked)
    assert len(first.asked) + len(second.asked) == len(contract.listed)


def test_only_what_is_no_longer_a_bundle_of_its_file_is_signed_again(
    release: Release, contract: Contract, files: tuple[NamedFile, ...], host: FolderHost
) -> None:
    signed(release, contract, files, host, Sigstore())
    changed = tuple(
        NamedFile(each.name, Content(2, "f" * 64)) if each.name.endswith(".pkg") else each
        for each in files
    )
    sigstore = Sigstore()
    assert look_signed(release, contract, changed, RM, sigstore).state is RemoteState.ABSENT
    signed(release, contract, changed, host, sigstore)
    assert sigstore.asked == ["f" * 64]


@pytest.mark.parametrize("shown", [True, False])
def test_a_good_bundle_on_the_host_is_brought_back_and_a_bad_one_is_not(
    release: Release,
    contract: Contract,
    files: tuple[NamedFile, ...],
    host: FolderHost,
    tmp_path: Path,
    *,
    shown: bool,
) -> None:
    signed(release, contract, files, host, Sigstore())
    area = RemoteLayout(release.version).downloads
    folder = tmp_path / "host" / (area.final if shown else area.staging)
    folder.mkdir(parents=True)
    for number, path in enumerate(bundles(contract, release)):
        path.rename(folder / path.name)
        if number == 0:
            (folder / path.name).write_text("another one")
    sigstore = Sigstore()
    signed(release, contract, files, host, sigstore)
    assert len(sigstore.asked) == 1
    assert look_signed(release, contract, files, RM, sigstore).state is RemoteState.IDENTICAL


def test_a_file_that_nobody_brought_stops_before_anything_is_signed(
    release: Release, contract: Contract, files: tuple[NamedFile, ...], host: FolderHost
) -> None:
    sigstore = Sigstore()
    fewer = tuple(each for each in files if not each.name.endswith(".pkg"))
    with pytest.raises(StepFailed, match=r"macos11\.pkg: is part of this release, but nobody"):
        signed(release, contract, fewer, host, sigstore)
    assert not sigstore.asked


def test_a_release_without_experts_signs_what_is_promised_now(
    release: Release, contract: Contract, files: tuple[NamedFile, ...], host: FolderHost
) -> None:
    now = contract.without(Origin.WINDOWS, Origin.MACOS)
    signed(release, now, files, host, Sigstore())
    assert {path.name for path in bundle_paths(now, release).values()} == {
        path.name for path in release.layout.bundles.iterdir()
    }
    # They come later, and what is signed stays as it is.
    later = Sigstore()
    signed(release, contract, files, host, later)
    assert len(later.asked) == len(contract.listed) - len(now.listed)


def test_a_bundle_that_changed_on_its_way_to_users_stops(
    release: Release, contract: Contract, tmp_path: Path
) -> None:
    by = release.series.manager
    for file in contract.files:
        if file.origin is not Origin.SIGSTORE:
            path = tmp_path / file.remote
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.name)
            digest = sha256(file.name.encode()).hexdigest()
            path.with_name(f"{path.name}.sigstore").write_text(f"{digest} {by}")
    verify_downloaded(release, contract, tmp_path, Sigstore())
    (tmp_path / "3.14.1" / "Python-3.14.1.tgz.sigstore").write_text("another")
    with pytest.raises(StepFailed, match=r"tgz\.sigstore: is not a valid bundle as downloaded"):
        verify_downloaded(release, contract, tmp_path, Sigstore())
