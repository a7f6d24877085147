"""Logins to a real sshd that ends a connection after two keys, with the keys that ssh would use."""

from __future__ import annotations

import base64
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import paramiko
import pytest

from doit_receipts.errors import ServiceFailed
from plugins.services import ssh_line
from plugins.services.ssh_agent import SshAgent, agent_socket
from plugins.services.ssh_host import SshHost
from plugins.services.ssh_keys import offered
from plugins.services.ssh_line import Address
from tests.host_world import OpenSsh, an_openssh_server
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

_ONLY = "  IdentitiesOnly yes\n"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSsh]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with an_openssh_server(tmp_path / "sshd", options="MaxAuthTries 2\n") as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path, server: OpenSsh, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSsh]:
    """An agent has three keys, the one for the server last."""
    if shutil.which("ssh-agent") is None:
        pytest.skip("there is no ssh-agent here")
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        wait_until(socket.exists, "the agent answers", of=process)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        for name in ("one", "two"):
            _make_key(tmp_path / name)
            subprocess.run(["ssh-add", "-q", tmp_path / name], check=True)
        subprocess.run(["ssh-add", "-q", server.folder / "id_ed25519"], check=True)
        yield server
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def silent_agent(
    tmp_path: Path, server: OpenSsh, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenSsh]:
    """An agent that was stopped, or waits for a card: it takes a connection and says nothing."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "agent"))
        listening.listen(8)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        yield server


def _make_key(file: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)


def _lock(file: Path) -> None:
    """The key has a passphrase from now on."""
    changed = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "spam and eggs", "-f", str(file)]
    subprocess.run(changed, check=True, stdout=subprocess.DEVNULL)


def _logs_in(server: OpenSsh, old: str = "", new: str = "") -> None:
    config = server.ssh_config.read_text()
    assert old in config
    server.ssh_config.write_text(config.replace(old, new))
    address = Address("downloads.rehearsal", "", 0, str(server.folder))
    host = SshHost(address, "", ssh_config=server.ssh_config)
    try:
        assert host.login().user
    finally:
        host.close()


@pytest.mark.parametrize("has_public", [True, False])
@pytest.mark.parametrize("only", [True, False])
def test_key_with_a_passphrase_that_the_agent_has_comes_first(
    agent: OpenSsh, *, only: bool, has_public: bool
) -> None:
    key = agent.folder / "id_ed25519"
    _lock(key)
    if not has_public:
        key.with_name("id_ed25519.pub").unlink()
    _logs_in(agent, *(() if only else (_ONLY, "")))


def test_only_the_public_half_has_to_be_here_where_the_agent_has_the_key(agent: OpenSsh) -> None:
    (agent.folder / "id_ed25519").unlink()
    _logs_in(agent)


def test_second_of_two_keys_that_the_agent_has_is_offered_as_well(agent: OpenSsh) -> None:
    """The first is of another account."""
    key = agent.folder / "id_ed25519"
    _lock(key)
    file = f'  IdentityFile "{key}"\n'
    _logs_in(agent, file, f'  IdentityFile "{agent.folder.parent / "one"}"\n{file}')


def test_login_leaves_nothing_to_the_next_one(server: OpenSsh) -> None:
    """Fabric writes the configured keys into the options that it is given."""
    before = dict(ssh_line._LOGIN_OPTIONS)
    _logs_in(server)
    assert before == ssh_line._LOGIN_OPTIONS
    assert "key_filename" not in before


@pytest.mark.parametrize("has_private", [True, False])
def test_key_is_offered_after_its_certificate_where_the_agent_has_both(
    tmp_path: Path, *, has_private: bool
) -> None:
    """As after ssh-add; the server may know the key alone."""
    file = tmp_path / "key"
    _make_key(file)
    signed = ["ssh-keygen", "-q", "-s", str(file), "-I", "rm", "-n", "rm", f"{file}.pub"]
    subprocess.run(signed, check=True)
    if not has_private:
        file.unlink()
    certificate, key = (
        SimpleNamespace(blob=base64.b64decode(Path(f"{file}{end}").read_text().split()[1]))
        for end in ("-cert.pub", ".pub")
    )
    found = offered({"identityfile": [str(file)], "identitiesonly": "yes"}, [key, certificate])
    assert (found.named, found.files, found.locked) == ((certificate, key), (), ())


@pytest.mark.parametrize("only", [True, False])
def test_file_of_a_key_that_is_not_there_is_none(server: OpenSsh, *, only: bool) -> None:
    file = f'  IdentityFile "{server.folder / "id_ed25519"}"\n'
    gone = f'  IdentityFile "{server.folder / "gone"}"\n'
    _logs_in(server, f"{file}{_ONLY}", f"{gone}{file}{_ONLY if only else ''}")


def test_key_with_a_passphrase_that_is_in_no_agent_is_named(server: OpenSsh) -> None:
    key = server.folder / "id_ed25519"
    _lock(key)
    with pytest.raises(ServiceFailed) as caught:
        _logs_in(server)
    assert f"{key} has a passphrase and is not in the agent" in caught.value.problem
    assert caught.value.remedy == f"add it to the agent (ssh-add {key}), or ask for access"


def test_keys_of_the_person_serve_where_none_is_configured(server: OpenSsh) -> None:
    """Also where nothing but what is configured may be offered."""
    key = server.folder / "id_ed25519"
    (server.folder.parent / ".ssh").mkdir()
    shutil.copy(key, server.folder.parent / ".ssh" / "id_ed25519")
    _logs_in(server, f'  IdentityFile "{key}"\n', "")


def test_agent_that_does_not_answer_holds_up_no_login_with_a_file(silent_agent: OpenSsh) -> None:
    begun_s = time.monotonic()
    _logs_in(silent_agent)
    assert time.monotonic() - begun_s < 15


def test_agent_that_does_not_answer_is_told_where_no_key_is_left(silent_agent: OpenSsh) -> None:
    _lock(silent_agent.folder / "id_ed25519")
    with pytest.raises(ServiceFailed, match=r"log in: the ssh agent at .* did not list its keys"):
        _logs_in(silent_agent)


def test_agent_that_does_not_sign_is_told_in_time(tmp_path: Path) -> None:
    _make_key(tmp_path / "key")
    blob = base64.b64decode((tmp_path / "key.pub").read_text().split()[1])
    listed = b"\x0c" + (1).to_bytes(4, "big") + len(blob).to_bytes(4, "big") + blob + bytes(4)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "agent"))
        listening.listen(1)

        def list_keys() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(99)
                connection.sendall(len(listed).to_bytes(4, "big") + listed)
                while connection.recv(999):  # and never an answer
                    pass

        answering = threading.Thread(target=list_keys, daemon=True)
        answering.start()
        agent = SshAgent(str(tmp_path / "agent"), signs_s=0.2)
        with pytest.raises(paramiko.SSHException, match=r"did not sign within 0\.2 s"):
            agent.get_keys()[0].sign_ssh_data(b"spam")
        assert agent.did_not_sign
        agent.close()
        answering.join(30)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (None, "/run/usual"), ("SSH_AUTH_SOCK", "/run/usual"), ("none", ""), ("/run/it", "/run/it"),
        ("$OTHER", "/run/other"), ("$UNSET_BY_ALL", ""), ("${OTHER}/s", "/run/other/s"),
        ("~/of vault/s", "{home}/of vault/s"), ("%d/s-%i%%", "{home}/s-{uid}%"),
    ],
)  # fmt: skip
def test_agent_is_the_one_that_the_ssh_configuration_names(
    monkeypatch: pytest.MonkeyPatch, value: str | None, where: str
) -> None:
    home = pwd.getpwuid(os.getuid()).pw_dir
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/usual")
    monkeypatch.setenv("OTHER", "/run/other")
    settings = {} if value is None else {"identityagent": value}
    assert agent_socket(settings) == where.format(home=home, uid=os.getuid())


def test_login_is_by_the_agent_of_the_configuration(
    agent: OpenSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a program that keeps passwords and is an agent too."""
    _lock(agent.folder / "id_ed25519")
    monkeypatch.delenv("SSH_AUTH_SOCK")
    _logs_in(agent, _ONLY, f'{_ONLY}  IdentityAgent "{agent.folder.parent / "agent"}"\n')


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 99, b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END"],
)
def test_file_that_holds_no_key_is_no_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    os.mkfifo(tmp_path / "pipe")
    settings = {"identityfile": [str(file), str(tmp_path / "pipe")], "identitiesonly": "yes"}
    found = offered(settings, ())
    assert (found.named, found.others) == ((), ())
