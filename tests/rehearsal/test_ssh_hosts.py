"""The hosts as a part of the whole world: what is put there by ssh is what users fetch."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal import ssh_hosts
from plugins.rehearsal.serving import running_world
from plugins.services.ssh_host import SshHost
from plugins.services.ssh_line import Address
from tests.host_world import an_upload
from tests.progress import Quiet

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.serving import Addresses


def a_host(world: Addresses, name: str) -> SshHost:
    address = Address.parse(ssh_hosts.ADDRESSES[name])
    return SshHost(address, name, ssh_config=ssh_hosts.login(world.store), connections=1)


@pytest.mark.slow
def test_a_file_that_was_put_there_is_fetched_and_outlives_a_restart(tmp_path: Path) -> None:
    upload = an_upload(tmp_path / "a", "3.13.6/Python-3.13.6.tgz", b"abc")
    with running_world(tmp_path / "world") as world:
        host = a_host(world, "downloads")
        host.make_folders(["3.13.6"], 0o2775)
        host.put([upload], Quiet())
        host.close()
        address = f"{world['site']}/ftp/python/{upload.path}"
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == b"abc"
    with running_world(tmp_path / "world") as world:
        for name in ("downloads", "docs"):
            host = a_host(world, name)
            assert name in host.login().groups
            (folder,) = host.look(["3.13.6"])
            assert (folder is not None) is (name == "downloads")
            assert folder is None or (folder.owner, folder.group) == ("rm", "downloads")
            host.close()
