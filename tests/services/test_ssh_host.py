"""What only an ssh host can suffer: keys that changed, connections that break, full disks."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from doit_receipts.errors import ServiceFailed, SettingsError
from plugins.model.content import Content
from plugins.rehearsal.store import ALWAYS
from plugins.services.opened_host import open_host
from plugins.services.ssh_host import SshHost
from plugins.services.ssh_line import Address
from tests.host_world import (
    ROOT,
    Rehearsed,
    a_rehearsed_host,
    an_openssh_server,
    an_upload,
)
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.rehearsal.ssh_disk import Disk

_CONTENT = hashlib.shake_128(b"a file").digest(2_000_000)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Rehearsed]:
    with a_rehearsed_host(tmp_path / "world") as rehearsed:
        yield rehearsed


@pytest.mark.parametrize("tenth", range(1, 10))
def test_an_upload_goes_on_after_the_connection_was_dropped(
    world: Rehearsed, tmp_path: Path, tenth: int, count: Callable[[str, int], None]
) -> None:
    world.store.order_fault("ssh.drop", argument=str(len(_CONTENT) * tenth // 10))
    before = world.events()
    world.host(connections=1).put([an_upload(tmp_path / "a", "a", _CONTENT)], Quiet())
    assert (world.files / "a").read_bytes() == _CONTENT
    written = [event for event in world.events()[len(before) :] if event.startswith("open")]
    assert len(written) == 2
    count("connections dropped in the middle of an upload", 1)


def test_what_arrived_before_a_connection_broke_is_not_sent_again(
    world: Rehearsed, tmp_path: Path
) -> None:
    half = len(_CONTENT) // 2
    upload = an_upload(tmp_path / "a", "a", _CONTENT)
    (world.files / "a.partial").write_bytes(_CONTENT[:half])
    world.server.disk.own(f"{ROOT}/a.partial", "rm", "downloads")
    quiet = Quiet()
    world.host(connections=1).put([upload], quiet)
    once = world.bytes_sent()
    world.host(connections=1).put([an_upload(tmp_path / "b", "b", _CONTENT)], quiet)
    assert abs((world.bytes_sent() - once) - 2 * once) <= 1


def test_what_arrives_late_over_a_connection_that_broke_is_gone_on_from(
    world: Rehearsed, tmp_path: Path
) -> None:
    """The host wrote its last bytes when they had been compared already."""
    partial, half, later = world.files / "a.partial", len(_CONTENT) // 2, len(_CONTENT) * 2 // 3
    partial.write_bytes(_CONTENT[:half])
    disk = world.server.disk
    disk.own(f"{ROOT}/a.partial", "rm", "downloads")

    class Late:
        def __getattr__(self, name: str) -> Any:
            return getattr(disk, name)

        def create(self, user: str, path: str) -> None:
            disk.create(user, path)
            if partial.stat().st_size == half:
                partial.write_bytes(_CONTENT[:later])

    world.server.disk = cast("Disk", Late())
    world.host(connections=1).put([an_upload(tmp_path / "a", "a", _CONTENT)], Quiet())
    assert (world.files / "a").read_bytes() == _CONTENT
    opened = [event for event in world.events() if event.startswith("open")]
    assert len(opened) == 2


def test_a_connection_that_never_holds_is_given_up(world: Rehearsed, tmp_path: Path) -> None:
    world.store.order_fault("ssh.drop", times=ALWAYS, argument="0")
    with pytest.raises(ServiceFailed, match=r"the connection was lost.*run the same command again"):
        world.host().put([an_upload(tmp_path / "a", "a", _CONTENT)], Quiet())
    assert not (world.files / "a").exists()


def test_a_full_disk_is_told_and_what_was_sent_is_kept(tmp_path: Path) -> None:
    with a_rehearsed_host(tmp_path / "world", room_bytes=1_500_000) as world:
        with pytest.raises(
            ServiceFailed, match=r"the disk is full: \d+ bytes are free; free space"
        ):
            world.host().put([an_upload(tmp_path / "a", "a", _CONTENT)], Quiet())
        assert not (world.files / "a").exists()
        sent = (world.files / "a.partial").stat().st_size
        assert 1_000_000 < sent <= 1_500_000
        world.server.disk.room_bytes = 10_000_000
        before = world.bytes_sent()
        world.host().put([an_upload(tmp_path / "a", "a", _CONTENT)], Quiet())
        assert (world.files / "a").read_bytes() == _CONTENT
        assert world.bytes_sent() - before < before


def test_a_folder_of_another_release_manager_is_told_with_their_name(
    world: Rehearsed, tmp_path: Path
) -> None:
    world.server.disk.prepare(f"{ROOT}/3.14.4", "hugo", "hugo", 0o755)
    upload = an_upload(tmp_path / "a", "3.14.4/a", b"abc")
    with pytest.raises(
        ServiceFailed,
        match=r"permission denied: /srv/ftp/3.14.4 is hugo:hugo with mode 755, and you are rm; "
        "ask hugo or the host's administrators for chgrp downloads and chmod g",
    ):
        world.host().put([upload], Quiet())
    with pytest.raises(ServiceFailed, match=r"permission denied.*hugo"):
        world.host().make_folders(["3.14.4/x"], 0o2775)


@pytest.mark.parametrize("path", ["amd64", "amd64/core.msi"])
def test_look_into_a_closed_folder_names_the_folder_that_is_closed(
    world: Rehearsed, path: str
) -> None:
    world.server.disk.prepare(f"{ROOT}/3.14.4/amd64", "hugo", "hugo", 0o755)
    world.server.disk.prepare(f"{ROOT}/3.14.4", "hugo", "hugo", 0o2750)
    with pytest.raises(
        ServiceFailed,
        match=rf"look at /srv/ftp/3.14.4/{path}: permission denied: "
        "/srv/ftp/3.14.4 is hugo:hugo with mode 2750, and you are rm; ask hugo",
    ):
        world.host().look([f"3.14.4/{path}"])


def test_a_changed_host_key_is_refused_before_anything_is_sent(world: Rehearsed) -> None:
    world.host().login()
    told = len(list(world.store.happened()))
    world.store.order_fault("ssh.host_key_changed", times=ALWAYS)
    with pytest.raises(
        ServiceFailed, match=r"shows another key than the known one: SHA256:.*ask its admin"
    ) as caught:
        world.host().login()
    known, shown = (line.split()[-1] for line in caught.value.details)
    assert known != shown
    rest = [entry["part"] for entry in world.store.happened()][told:]
    assert set(rest) == {"faults"}


def test_a_login_below_a_folder_with_a_space_in_its_name_reaches_its_host(tmp_path: Path) -> None:
    with a_rehearsed_host(tmp_path / "my world") as rehearsed:
        rehearsed.host().put([an_upload(tmp_path / "a", "a", _CONTENT)], Quiet())
        assert (rehearsed.files / "a").read_bytes() == _CONTENT


def test_an_unknown_host_is_refused_with_its_fingerprint(world: Rehearsed) -> None:
    (world.ssh_config.parent / "known_hosts").write_text("")
    with pytest.raises(
        ServiceFailed, match="the host is not in known_hosts; its key is ssh-ed25519 SHA256"
    ):
        world.host().login()


def test_a_key_that_the_host_does_not_take_is_told(world: Rehearsed, tmp_path: Path) -> None:
    text = world.ssh_config.read_text().replace("User rm", "User nobody")
    (tmp_path / "ssh_config").write_text(text)
    address = Address("downloads.rehearsal", "", 0, ROOT)
    with pytest.raises(
        ServiceFailed, match="log in: the host accepts none of your keys; add your key"
    ):
        SshHost(address, ssh_config=tmp_path / "ssh_config").login()


def test_a_host_that_does_not_answer_is_told(world: Rehearsed, tmp_path: Path) -> None:
    text = re.sub(r"Port \d+", "Port 1", world.ssh_config.read_text())
    (tmp_path / "ssh_config").write_text(text)
    address = Address("downloads.rehearsal", "", 0, ROOT)
    with pytest.raises(
        ServiceFailed, match=r"downloads.rehearsal: connect: .*run the same command"
    ):
        SshHost(address, ssh_config=tmp_path / "ssh_config").login()


def test_a_root_that_is_not_there_is_told(world: Rehearsed) -> None:
    address = Address("downloads.rehearsal", "", 0, "/srv/nothing")
    host = SshHost(address, ssh_config=world.ssh_config)
    with pytest.raises(ServiceFailed, match="the folder does not exist; correct \\[hosts\\]"):
        host.login()
    host.close()


def test_a_clock_that_is_ahead_is_told(world: Rehearsed) -> None:
    world.store.order_fault("ssh.clock_skew", argument="900")
    assert abs(world.host().login().ahead_s - 900) <= 2


def test_a_host_without_openssl_computes_digests_all_the_same(
    world: Rehearsed, tmp_path: Path
) -> None:
    world.server.has_openssl = False
    upload = an_upload(tmp_path / "a", "a", _CONTENT)
    world.store.order_fault("ssh.drop", argument="600000")
    host = world.host()
    host.put([upload], Quiet())
    assert host.digests(host.listing(""))["a"] == Content.of(_CONTENT).sha256


def test_a_lost_connection_is_opened_again_to_look(world: Rehearsed) -> None:
    host = world.host()
    assert host.look(["doc"])[0] is not None
    assert host._line is not None
    host._line._connection.client.get_transport().close()
    assert host.look(["doc"])[0] is not None


def test_a_real_server_with_another_key_than_the_known_one_is_refused(tmp_path: Path) -> None:
    with an_openssh_server(tmp_path / "a") as server, an_openssh_server(tmp_path / "b") as other:
        known = (server.folder / "known_hosts").read_text().split()
        (other.folder / "known_hosts").write_text(
            f"[127.0.0.1]:{other.port} {known[1]} {known[2]}\n"
        )
        address = Address("downloads.rehearsal", "", 0, str(tmp_path))
        with pytest.raises(ServiceFailed, match="shows another key than the known one"):
            SshHost(address, ssh_config=other.ssh_config).login()
        assert "Accepted" not in (other.folder / "sshd.log").read_text()


@pytest.mark.parametrize(
    "url",
    ["", "ssh://", "ssh:///srv", "http://a/b", "ssh://a:b@c/d", "ssh://a/b/../c", "ssh://a:x/b"],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_host(url)
    assert "a:b" not in str(caught.value)
    assert "write" in caught.value.remedy
