from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.services.gnupg_signer import GnupgSigner
from plugins.steps.signing import sign_archives, signatures

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome

    Builds = Callable[..., Release]


@pytest.fixture(scope="module")
def signer(keyring: GnupgHome) -> GnupgSigner:
    return GnupgSigner(keyring.folder, keyring.key("rm"))


def with_archives(release: Release) -> Release:
    release.layout.src.mkdir(parents=True)
    for archive in release.layout.tarballs:
        archive.write_bytes(archive.name.encode())
    return release


def test_both_archives_get_a_signature_that_gpg_accepts(
    a_release: Builds, keyring: GnupgHome, signer: GnupgSigner
) -> None:
    release = with_archives(a_release("3.13.6"))
    assert sign_archives(release, signer) == {"key": signer.fingerprint}
    assert [path.name for path in signatures(release)] == [
        "Python-3.13.6.tgz.asc",
        "Python-3.13.6.tar.xz.asc",
    ]
    for archive in release.layout.tarballs:
        keyring.gpg("--verify", f"{archive}.asc", str(archive))


def test_second_run_keeps_the_very_same_files(a_release: Builds, signer: GnupgSigner) -> None:
    release = with_archives(a_release())
    sign_archives(release, signer)
    before = [path.read_bytes() for path in signatures(release)]
    sign_archives(release, signer)
    assert [path.read_bytes() for path in signatures(release)] == before


def test_signature_of_older_bytes_is_made_anew(a_release: Builds, signer: GnupgSigner) -> None:
    release = with_archives(a_release())
    sign_archives(release, signer)
    release.layout.tarballs[0].write_bytes(b"built again")
    sign_archives(release, signer)
    for archive, signature in zip(release.layout.tarballs, signatures(release), strict=True):
        assert signer.verify(archive, signature).problem == ""


def test_signature_by_another_key_is_made_anew(
    a_release: Builds, keyring: GnupgHome, signer: GnupgSigner
) -> None:
    release = with_archives(a_release())
    sign_archives(release, GnupgSigner(keyring.folder, keyring.key("other")))
    sign_archives(release, signer)
    for archive, signature in zip(release.layout.tarballs, signatures(release), strict=True):
        assert signer.verify(archive, signature).problem == ""


def test_series_without_openpgp_gets_no_signature(a_release: Builds, signer: GnupgSigner) -> None:
    """PEP 761: from 3.14 on there is sigstore only."""
    release = with_archives(a_release("3.14.0"))
    assert sign_archives(release, signer) == {}
    assert signatures(release) == ()
    assert len(list(release.layout.src.iterdir())) == 2


def test_missing_archive_is_told(a_release: Builds, signer: GnupgSigner) -> None:
    with pytest.raises(
        StepFailed, match=r"Python-3\.13\.6\.tgz: does not exist, so it cannot be signed"
    ):
        sign_archives(a_release(), signer)


def test_key_that_cannot_sign_leaves_no_signature(a_release: Builds, keyring: GnupgHome) -> None:
    release = with_archives(a_release())
    with pytest.raises(ServiceFailed, match="is not in the keyring"):
        sign_archives(release, GnupgSigner(keyring.folder, "0" * 40))
    assert len(list(release.layout.src.iterdir())) == 2
