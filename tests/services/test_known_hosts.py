"""Known hosts as OpenSSH reads them: markers, patterns, hashed and wrong lines."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import paramiko
import pytest

from doit_receipts.errors import ServiceFailed
from plugins.services.known_hosts import known_host
from plugins.services.ssh_host import SshHost
from plugins.services.ssh_line import Address
from tests.host_world import an_openssh_server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed"
)

OTHER = paramiko.ECDSAKey.generate()
NAME = "downloads.example"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> paramiko.PKey:
    file = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return paramiko.Ed25519Key.from_private_key_file(str(file))


def line(key: paramiko.PKey, names: str = NAME, marker: str = "") -> str:
    return f"{marker} {names} {key.get_name()} {key.get_base64()}".strip()


def judged(tmp_path: Path, key: paramiko.PKey, *lines: str, port: int = 22) -> str:
    """What is said of a host that shows the key: "" if it may have it."""
    file = tmp_path / "known_hosts"
    file.write_text("\n".join(lines) + "\n")
    told: dict[str, Any] = {"hostname": NAME, "port": port, "userknownhostsfile": str(file)}
    known = known_host(told, tmp_path / "ssh_config")
    try:
        known.missing_host_key(None, NAME, key)
    except ServiceFailed as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "names",
    [NAME, NAME.upper(), "*.example", "other,*.example", "*,!other.example", "downloads.e?ample"],
)
def test_a_key_is_known_by_name_and_by_pattern(
    tmp_path: Path, key: paramiko.PKey, names: str
) -> None:
    assert judged(tmp_path, key, line(key, names)) == ""


@pytest.mark.parametrize("names", ["*.example,!downloads.example", "!*", "example", "*.org"])
def test_a_negated_pattern_takes_the_line_away(
    tmp_path: Path, key: paramiko.PKey, names: str
) -> None:
    assert "the host is not in known_hosts" in judged(tmp_path, key, line(key, names))


@pytest.mark.parametrize(
    "value",
    [
        '"{folder}/my hosts"',
        '"{folder}/my hosts" "{folder}/no hosts"',
        '"{folder}/no hosts" {folder}/none "{folder}/my hosts"',
        '{folder}/none "{folder}/my hosts"',
        '"{folder}/my hosts" {folder}/none',
    ],
)
def test_a_file_whose_name_has_a_space_is_read_if_it_is_quoted(
    tmp_path: Path, key: paramiko.PKey, value: str
) -> None:
    (tmp_path / "my hosts").write_text(f"{line(key)}\n")
    config = paramiko.SSHConfig.from_text(f"UserKnownHostsFile {value.format(folder=tmp_path)}\n")
    told = {**config.lookup(NAME), "port": 22}
    known_host(told, tmp_path / "ssh_config").missing_host_key(None, NAME, key)


def test_a_hashed_name_is_found(tmp_path: Path, key: paramiko.PKey) -> None:
    hashed = paramiko.HostKeys.hash_host(NAME)
    assert judged(tmp_path, key, line(key, hashed)) == ""
    assert "is not in known_hosts" in judged(
        tmp_path, key, line(key, paramiko.HostKeys.hash_host("x"))
    )


@pytest.mark.parametrize("names", [NAME, "*"])
def test_a_revoked_key_is_refused_though_another_line_knows_it(
    tmp_path: Path, key: paramiko.PKey, names: str
) -> None:
    said = judged(tmp_path, key, line(key), line(key, names, "@revoked"))
    assert "the host shows a key that is revoked: ssh-ed25519 SHA256:" in said
    assert judged(tmp_path, key, line(key), line(OTHER, names, "@revoked")) == ""


def test_an_authority_vouches_for_no_plain_key(tmp_path: Path, key: paramiko.PKey) -> None:
    authority = line(key, "*.example", "@cert-authority")
    assert "an authority for its certificates is known" in judged(tmp_path, key, authority)
    assert judged(tmp_path, key, authority, line(key)) == ""


def test_each_of_several_keys_is_known_and_another_is_told(
    tmp_path: Path, key: paramiko.PKey
) -> None:
    second = paramiko.ECDSAKey.generate()
    lines = line(key), line(OTHER), line(second)
    assert [judged(tmp_path, each, *lines) for each in (key, OTHER, second)] == ["", "", ""]
    assert "another key than the known one" in judged(tmp_path, key, line(OTHER))


def test_a_port_is_looked_for_first_and_then_the_host(tmp_path: Path, key: paramiko.PKey) -> None:
    assert judged(tmp_path, key, line(key, f"[{NAME}]:2222"), port=2222) == ""
    assert judged(tmp_path, key, line(key), port=2222) == ""
    assert "is not in known_hosts" in judged(tmp_path, key, line(key, f"[{NAME}]:2222"))


@pytest.mark.parametrize(
    "wrong",
    [
        "@revoked",
        "@revoked *",
        f"@cert-authority {NAME} ssh-ed25519",
        f"@nothing {NAME} ssh-ed25519 AAAA",
        f"{NAME} ssh-ed25519 AAAA!!",
        f"{NAME} ssh-nothing AAAA",
        f"|1|not|base64 ssh-rsa {'A' * 20_000}",
        "\x00\x01\xff",
        "#" * 3,
    ],
)
def test_a_wrong_line_is_passed_over(tmp_path: Path, key: paramiko.PKey, wrong: str) -> None:
    assert judged(tmp_path, key, wrong, line(key)) == ""
    assert "the host is not in known_hosts" in judged(tmp_path, key, wrong)


def test_a_real_server_whose_key_is_revoked_is_refused_before_login(tmp_path: Path) -> None:
    with an_openssh_server(tmp_path / "server") as server:
        file = server.folder / "known_hosts"
        known = file.read_text()
        address = Address("downloads.rehearsal", "", 0, str(tmp_path))
        SshHost(address, ssh_config=server.ssh_config).login()
        kind, key = known.split()[1:3]
        file.write_text(f"{known}@revoked * {kind} {key}\n@cert-authority *.x {kind} {key}\n")
        log = (server.folder / "sshd.log").read_text().count("Accepted")
        with pytest.raises(ServiceFailed, match="a key that is revoked: ssh-ed25519 SHA256:"):
            SshHost(address, ssh_config=server.ssh_config).login()
        assert (server.folder / "sshd.log").read_text().count("Accepted") == log
