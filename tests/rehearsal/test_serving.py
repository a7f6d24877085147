"""The world as one process: it answers, stays where it was, and does not outlive its parent."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from doit_receipts.errors import StepFailed
from plugins.rehearsal.machine import started
from plugins.rehearsal.reserved_ports import reserved
from plugins.rehearsal.serving import PARTS, reserve_ports, running_world
from plugins.rehearsal.store import Store


def test_every_part_has_an_address_and_the_page_answers(tmp_path: Path) -> None:
    with running_world(tmp_path) as world:
        assert set(world.of) == {part.name for part in PARTS}
        with urllib.request.urlopen(world["world"]) as answer:
            assert answer.status == 200
        assert json.loads((tmp_path / "addresses.json").read_bytes())["of"] == world.of
    assert not (tmp_path / "addresses.json").exists()


def test_a_world_that_starts_again_is_where_it_was(tmp_path: Path) -> None:
    with running_world(tmp_path) as first:
        first.store.save("part", {"kept": True})
    with running_world(tmp_path) as second:
        assert second.of == first.of
        assert second.store.load("part", {}) == {"kept": True}


def test_ports_of_a_world_that_rests_are_given_to_nobody_else(tmp_path: Path) -> None:
    """A system takes the ports of connections from a range of its own, and ours are below it."""
    addresses = reserve_ports(Store(tmp_path / "state"))
    known = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(known.read_text().split()[0]) if known.exists() else 49152
    ports = [int(address.rpartition(":")[2]) for address in addresses.values()]
    assert len(set(ports)) == len(PARTS)
    assert max(ports) < first
    assert reserve_ports(Store(tmp_path / "state")) == addresses


_RESERVE = """
import sys
from pathlib import Path
from plugins.rehearsal.serving import reserve_ports
from plugins.rehearsal.store import Store
for number in range(25):
    made = reserve_ports(Store(Path(sys.argv[1], str(number), "world", "state")))
    print(*(address.rpartition(":")[2] for address in made.values()))
"""


def test_environments_that_are_made_at_once_have_no_port_in_common(tmp_path: Path) -> None:
    """Nobody listens at most of them: that a port can be had says nothing."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", _RESERVE, tmp_path / str(number)], env=environment,
            cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    ports = [port for each in begun for port in each.communicate()[0].split()]
    assert [each.returncode for each in begun] == [0] * 4
    assert len(ports) == 4 * 25 * len(PARTS)
    assert len(set(ports)) == len(ports)


def test_ports_of_an_environment_that_is_gone_may_be_had_again(
    tmp_path: Path,
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        reserved(tmp_path / name, 3, tmp_path)
    (file,) = tmp_path.glob("*.json")
    assert len(json.loads(file.read_bytes())) == 6
    (tmp_path / "first").rmdir()
    reserved(tmp_path / "second", 1, tmp_path)
    assert set(json.loads(file.read_bytes()).values()) == {str(tmp_path / "second")}
    file.write_bytes(b"not JSON")
    assert len(reserved(tmp_path, 2, tmp_path)) == 2


def test_reserved_ports_are_replaced_and_never_written_over(tmp_path: Path) -> None:
    """Whoever is killed as they are written leaves those that were reserved before."""
    reserved(tmp_path, 3, tmp_path)
    (file,) = tmp_path.glob("*.json")
    before = tmp_path / "before"
    before.hardlink_to(file)
    kept = file.read_bytes()
    reserved(tmp_path, 2, tmp_path)
    assert before.read_bytes() == kept
    assert json.loads(file.read_bytes()).keys() > json.loads(kept).keys()
    assert (file.stat().st_mode & 0o777, list(tmp_path.glob("*.partial"))) == (0o600, [])


@pytest.mark.parametrize("part", ["site", "mail"])
def test_a_world_whose_port_somebody_else_has_says_so_and_does_not_start(
    tmp_path: Path, part: str
) -> None:
    """Whoever asked there would be answered by another world, such as 404."""
    addresses = reserve_ports(Store(tmp_path / "state"))
    port = int(addresses[part].rpartition(":")[2])
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(StepFailed, match=f"its {part} cannot answer at port {port}") as told,
        running_world(tmp_path),
    ):
        pytest.fail("it started")
    assert "another --folder" in told.value.remedy
    assert not (tmp_path / "addresses.json").exists()
    with running_world(tmp_path) as world:
        assert world[part] == addresses[part]


def test_of_two_worlds_that_start_at_once_at_one_port_one_says_that_it_is_taken(
    tmp_path: Path,
) -> None:
    first, second = (tmp_path / name for name in ("first", "second"))
    for folder in (first, second):
        reserve_ports(Store(folder / "state"))
    ports = Store(first / "state").load("ports", {})
    others = Store(second / "state").load("ports", {})
    Store(second / "state").save("ports", {**others, "site": ports["github"]})
    words = (sys.executable, "-m", "plugins.rehearsal.serving")
    with contextlib.ExitStack() as stack:
        begun = [
            stack.enter_context(started(Path(__file__).parents[2], *words, folder))
            for folder in (first, second)
        ]
        said = sorted(each.stdout.readline().decode() for each in begun if each.stdout)
    assert said[1] == "ready\n"
    assert f"cannot answer at port {ports['github']}, which somebody else has" in said[0]


def test_the_world_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """Whoever rehearses and gives up leaves no server behind."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from plugins.rehearsal.serving import running_world\n"
        f"with running_world(Path({str(tmp_path)!r})) as world:\n"
        "    print(world.pid, flush=True)\n"
        "    sys.stdin.readline()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        world = os.pidfd_open(int(child.stdout.readline()))
        child.communicate(b"\n")
        # Readable as soon as the process has ended.
        assert select.select([world], [], [], 30)[0]
    os.close(world)


def test_a_client_is_killed_at_the_record_that_was_aimed_at(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with subprocess.Popen(["sleep", "600"]) as client:
        store.aim(client.pid, 2)
        store.record("site", "first")
        assert client.poll() is None
        store.record("site", "second")
        assert client.wait() == -9
    store.record("site", "third")
    assert [each["event"] for each in store.happened()] == ["first", "second", "third"]


def test_a_client_is_killed_with_those_that_work_for_it(tmp_path: Path) -> None:
    """A run's worker, which waits for the answer, has a process group of its own."""
    store = Store(tmp_path)
    code = (
        "import os, time\nif os.fork(): print(flush=True)\nelse: os.setpgid(0, 0)\ntime.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    ) as client:
        assert client.stdout is not None
        client.stdout.readline()
        store.aim(client.pid, 1)
        store.record("site", "first")
        assert client.wait() == -9
        assert client.stdout.read() == b"", "and its child has closed it too"


def test_the_page_shows_what_happened_and_escapes_it(tmp_path: Path) -> None:
    with running_world(tmp_path) as world:
        world.store.record("site", "created <b>", name="x & y")
        world.store.order_fault("site.429", argument="7")
        email = {"to": ["a@b"], "subject": "Out <now>", "message_id": "<1@x>", "text": "t & t"}
        world.store.save("mail", [email])
        world.store.save("protection", {"3.13": {"enforce_admins": False}})
        with urllib.request.urlopen(world["world"]) as answer:
            page = answer.read().decode()
    assert "created &lt;b&gt;" in page
    assert "name x &amp; y" in page
    assert "Out &lt;now&gt;" in page
    assert "lifted for administrators" in page
    assert "Pending faults" in page
