"""Signatures are verified where the files stand: by gpg there, or by digests and gpg here (U08)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.remote_layout import StagingArea
from plugins.ports.signing import Verdict
from plugins.rehearsal.gnupg_home import gnupg_home
from plugins.services.folder_host import FolderHost
from plugins.services.gnupg_signer import GnupgSigner
from plugins.services.ssh_host import SshHost
from plugins.services.ssh_line import Address
from plugins.steps.staging import look_staged, stage, verify_staged, wanted
from tests.host_world import a_rehearsed_host, an_openssh_server, own_group
from tests.progress import Quiet

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.content import NamedFile
    from plugins.ports.host import Host
    from plugins.rehearsal.gnupg_home import GnupgHome

BERTH = StagingArea("3.13.6", ".3.13.6.staging")


def signed_files(folder: Path, keyring: GnupgHome, key: str) -> tuple[NamedFile, ...]:
    """An archive and its signature by the key."""
    folder.mkdir()
    archive = folder / "Python-3.13.6.tgz"
    archive.write_bytes(b"the archive")
    GnupgSigner(keyring.folder, key).sign(archive, folder / f"{archive.name}.asc")
    paths = sorted(folder.iterdir())
    return wanted(Artifact(path, path.stat().st_size, sha256_of(path)) for path in paths)


@pytest.fixture(scope="module")
def key(keyring: GnupgHome) -> str:
    return keyring.key("staged")


@pytest.fixture(scope="module")
def other_key(keyring: GnupgHome) -> str:
    return keyring.key("other-staged")


def test_a_good_signature_is_good_on_a_host_without_gpg(
    tmp_path: Path, keyring: GnupgHome, key: str
) -> None:
    files = signed_files(tmp_path / "src", keyring, key)
    signer = GnupgSigner(keyring.folder, key)
    (tmp_path / "root").mkdir()
    with a_rehearsed_host(tmp_path / "world") as world:
        hosts: list[Host] = [world.host(), FolderHost(tmp_path / "root")]
        for host in hosts:
            stage(files, BERTH, host, Quiet())
            found = verify_staged(files, BERTH, host, signer)
            assert found == {"Python-3.13.6.tgz.asc": key}


def test_a_signature_by_another_key_stops(
    tmp_path: Path, keyring: GnupgHome, key: str, other_key: str
) -> None:
    files = signed_files(tmp_path / "src", keyring, other_key)
    (tmp_path / "root").mkdir()
    host = FolderHost(tmp_path / "root")
    stage(files, BERTH, host, Quiet())
    with pytest.raises(StepFailed, match=r"tgz.asc: is not a valid signature") as told:
        verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
    assert told.value.remedy == (
        "check [signing] gpg_key, remove the signature there, then run doit forget sign_archives, "
        "then the same command again"
    )
    # Another key was in use here: the archives are signed, and the signatures staged, anew.
    (tmp_path / "root" / BERTH.staging / files[1].name).unlink()
    right = signed_files(tmp_path / "again", keyring, key)
    assert look_staged(right, BERTH, host).state is RemoteState.ABSENT
    stage(right, BERTH, host, Quiet())
    assert verify_staged(right, BERTH, host, GnupgSigner(keyring.folder, key))


def test_a_file_that_was_replaced_stops(tmp_path: Path, keyring: GnupgHome, key: str) -> None:
    files = signed_files(tmp_path / "src", keyring, key)
    (tmp_path / "root").mkdir()
    host = FolderHost(tmp_path / "root")
    stage(files, BERTH, host, Quiet())
    (tmp_path / "root" / BERTH.staging / files[0].name).write_bytes(b"the arch1ve")
    with pytest.raises(StepFailed, match=r"tgz.asc or its file is missing, or another") as told:
        verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
    assert "remove it there, then run doit forget stage_files" in told.value.remedy
    (tmp_path / "root" / BERTH.staging / files[0].name).unlink()
    assert look_staged(files, BERTH, host).state is RemoteState.ABSENT
    stage(files, BERTH, host, Quiet())
    assert verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))


def test_a_key_that_expired_here_is_extended_as_told(tmp_path: Path) -> None:
    with gnupg_home() as keyring:
        key = keyring.key("short-lived")
        files = signed_files(tmp_path / "src", keyring, key)
        (tmp_path / "root").mkdir()
        host = FolderHost(tmp_path / "root")
        stage(files, BERTH, host, Quiet())
        expire(keyring, key)
        with pytest.raises(StepFailed, match="has expired") as told:
            verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
        found = re.search(rf"gpg (--quick-set-expire {key} 2y), then", told.value.remedy)
        assert found, told.value.remedy
        extended(keyring, found[1])
        assert verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))


def expire(keyring: GnupgHome, key: str) -> None:
    """The key, with which was signed before, is good no longer."""
    extended(keyring, f"--quick-set-expire {key} seconds=1")
    time.sleep(2.5)


def extended(keyring: GnupgHome, words: str) -> None:
    keyring.gpg("--pinentry-mode", "loopback", "--passphrase", "", *words.split())


def test_an_old_key_on_the_host_is_renewed_as_told(tmp_path: Path) -> None:
    """Whoever extended their key here finds the old expiry in the keyring of the host."""
    (tmp_path / "root").mkdir()
    with (
        gnupg_home() as keyring,
        gnupg_home() as theirs,
        an_openssh_server(tmp_path / "sshd", env=f"GNUPGHOME={theirs.folder}") as server,
    ):
        key = keyring.key("extended")
        files = signed_files(tmp_path / "src", keyring, key)
        expire(keyring, key)
        theirs.gpg("--import", stdin=keyring.public(key).encode())
        extended(keyring, f"--quick-set-expire {key} 2y")
        address = Address("downloads.rehearsal", "", 0, str(tmp_path / "root"))
        host = SshHost(address, own_group(), ssh_config=server.ssh_config, connections=1)
        stage(files, BERTH, host, Quiet())
        with pytest.raises(StepFailed, match=r"gpg there .*has expired") as told:
            verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
        remedy = told.value.remedy
        assert f"gpg --armor --export {key}" in remedy
        assert "gpg --import it there" in remedy
        assert "forget" not in remedy
        theirs.gpg("--import", stdin=keyring.public(key).encode())
        assert verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
        host.close()


def test_a_key_that_is_revoked_on_the_host_alone_is_looked_into(
    tmp_path: Path, keyring: GnupgHome
) -> None:
    """No import takes a revocation back: it is another key, or another keyring there."""
    key = keyring.key("revoked-there")
    files = signed_files(tmp_path / "src", keyring, key)
    (tmp_path / "root").mkdir()
    with (
        gnupg_home() as theirs,
        an_openssh_server(tmp_path / "sshd", env=f"GNUPGHOME={theirs.folder}") as server,
    ):
        theirs.gpg("--import", stdin=keyring.public(key).encode())
        revocation = (keyring.folder / "openpgp-revocs.d" / f"{key}.rev").read_text()
        theirs.gpg("--import", stdin=revocation.replace(":-----BEGIN", "-----BEGIN").encode())
        address = Address("downloads.rehearsal", "", 0, str(tmp_path / "root"))
        host = SshHost(address, own_group(), ssh_config=server.ssh_config, connections=1)
        stage(files, BERTH, host, Quiet())
        with pytest.raises(StepFailed, match=r"gpg there .*its key was revoked") as told:
            verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
        assert "delete the key from the keyring there" in told.value.remedy
        theirs.gpg("--yes", "--delete-keys", key)
        assert verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
        host.close()


def test_gpg_there_is_asked(tmp_path: Path, keyring: GnupgHome, key: str, other_key: str) -> None:
    files = signed_files(tmp_path / "src", keyring, key)
    (tmp_path / "root").mkdir()
    with (
        gnupg_home() as theirs,
        an_openssh_server(tmp_path / "sshd", env=f"GNUPGHOME={theirs.folder}") as server,
    ):
        address = Address("downloads.rehearsal", "", 0, str(tmp_path / "root"))
        host = SshHost(address, own_group(), ssh_config=server.ssh_config, connections=1)
        stage(files, BERTH, host, Quiet())
        archive, signature = (f"{BERTH.staging}/{file.name}" for file in files)
        assert host.verify(archive, signature) is None
        theirs.gpg("--import", stdin=keyring.public(key).encode())
        found = host.verify(archive, signature)
        assert found is not None
        assert (found.verdict, found.fingerprint) == (Verdict.GOOD, key)
        told = verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, key))
        assert told == {"Python-3.13.6.tgz.asc": key}
        with pytest.raises(StepFailed, match="is not a valid signature") as refused:
            verify_staged(files, BERTH, host, GnupgSigner(keyring.folder, other_key))
        assert key in refused.value.problem
        (tmp_path / "root" / archive).write_bytes(b"other bytes")
        found = host.verify(archive, signature)
        assert found is not None
        assert found.verdict is Verdict.OTHER_BYTES
        (tmp_path / "root" / signature).write_bytes(b"no signature")
        found = host.verify(archive, signature)
        assert found is not None
        assert found.verdict is Verdict.UNREADABLE
        host.close()
