"""What foreign code cannot do to a machine that confines it: each attack with what it does now."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doit_receipts.cores import Cores, jobs_of_make, sharing
from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.services.installed import installed_with
from plugins.services.programs import MachinePrograms
from plugins.services.walls import Limits
from plugins.steps.left_behind import see_plain
from tests.confining import ATTACKS, Targets, needs_confinement
from tests.waiting import comes_true

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.ports.programs import Programs

pytestmark = needs_confinement

SMALL = Limits(memory_bytes=300 << 20, processes=40, output_bytes=1 << 20, scratch_bytes=4 << 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The one folder that foreign code may write to."""
    made = tmp_path / "work" / "its-own"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    """What attacks are after, nowhere near the folder."""
    with Targets(tmp_path_factory.mktemp("ours")) as made:
        yield made


def confined(folder: Path, limits: Limits = SMALL) -> Programs:
    return MachinePrograms(limits=limits).confined(writes=(folder,), reads=(Path(sys.executable),))


@pytest.mark.parametrize("name", ATTACKS)
def test_foreign_code_reaches_nothing_of_ours(
    name: str, folder: Path, targets: Targets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "canary-of-the-environment")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(targets.agent))
    program = targets.attacks()[name]
    outcome = confined(folder).run([sys.executable, "-c", program], folder=folder).stdout.strip()
    # Below /tmp it writes into a /tmp of its own, which ends with it.
    assert outcome != "done" or name == "write beside its folder"
    assert targets.are_unharmed()


@pytest.mark.parametrize(
    "name", ["environment of the parent", "socket of an agent", "write beside its folder"]
)
def test_the_same_programs_do_what_they_say_without_walls(
    name: str, folder: Path, targets: Targets
) -> None:
    """Otherwise the test above would show nothing."""
    program = targets.attacks()[name]
    assert MachinePrograms().run([sys.executable, "-c", program], folder=folder).stdout == "done\n"


def test_it_is_an_ordinary_user_and_knows_no_other(folder: Path) -> None:
    """Root without rights is nobody that tests of CPython know, and its names are not theirs."""
    script = (
        "import grp, os, pwd; print(os.getuid(), os.getgid(), "
        "[each.pw_name for each in pwd.getpwall()], [each.gr_name for each in grp.getgrall()])"
    )
    told = confined(folder).run([sys.executable, "-c", script], folder=folder).stdout
    assert told == "1000 1000 ['builder'] ['builder']\n"


def test_a_link_on_the_way_to_a_program_shows_nothing_beside_it(
    folder: Path, tmp_path: Path
) -> None:
    """Debian's /usr/bin/cc leads through /etc/alternatives: all of /etc was readable for that."""
    ours = tmp_path / "ours"
    ways = [
        tmp_path / "one" / "bin" / "tool",
        ours / "ways" / "tool",
        tmp_path / "two" / "bin" / "true",
    ]
    for way in ways:
        way.parent.mkdir(parents=True, exist_ok=True)
    (ours / "secret").write_text("canary")
    (ours / "ways" / "secret").write_text("canary")
    shutil.copy("/bin/true", ways[2])
    ways[1].symlink_to(ways[2])
    ways[0].symlink_to(ways[1])
    programs = MachinePrograms().confined(writes=(folder,), reads=(ways[0], Path("/usr/bin/cc")))
    script = f"{ways[0]} && echo runs; cat {ours}/secret {ours}/ways/secret; ls /etc"
    told = programs.run(["sh", "-c", script], folder=folder).stdout.split()
    assert told[0] == "runs"
    assert "canary" not in told
    assert not {"shadow", "ssh", "gshadow", "sudoers"} & set(told)


def test_a_program_in_a_home_brings_programs_and_none_of_its_owners_files(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """~/.cargo/bin is where one of its programs is, and ~/.cargo/credentials.toml is not for it."""
    home = tmp_path / "home"
    tool = home / ".cargo" / "bin" / "tool"
    tool.parent.mkdir(parents=True)
    shutil.copy("/bin/true", tool)
    (home / ".cargo" / "credentials.toml").write_text("canary")
    monkeypatch.setenv("HOME", str(home))
    programs = MachinePrograms().confined(writes=(folder,), reads=(tool,))
    script = f"{tool} && echo runs; ls {home}/.cargo"
    assert programs.run(["sh", "-c", script], folder=folder).stdout.split() == ["runs", "bin"]


@pytest.mark.parametrize("shell", ["//bin/sh", "/proc/self/root/bin/sh", "/usr/../bin/sh"])
def test_a_script_that_names_the_root_in_another_way_shows_nothing_of_it(
    folder: Path, tmp_path: Path, shell: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    tool = tmp_path / "one" / "bin" / "tool"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!{shell}\necho runs\ncat {secret}\n")
    tool.chmod(0o755)
    programs = MachinePrograms().confined(writes=(folder,), reads=(tool,))
    assert programs.run([tool], folder=folder, check=False).stdout.split() == ["runs"]


@pytest.mark.parametrize("way", ["first line", "link"])
def test_a_program_in_its_own_folder_shows_nothing_of_ours(
    folder: Path, tmp_path: Path, way: str
) -> None:
    """Whatever foreign code left there as the program that we start next."""
    ours = tmp_path / "ours"
    (ours / "bin").mkdir(parents=True)
    (ours / "secret").write_text("canary")
    shutil.copy("/bin/sh", ours / "bin" / "sh")
    script = ours / "bin" / "script"
    script.write_text(f"#!{ours}/bin/sh\ncat {ours}/secret\n")
    script.chmod(0o755)
    tool = folder / "bin" / "tool"
    tool.parent.mkdir()
    if way == "link":
        tool.symlink_to(script)
    else:
        shutil.copy(script, tool)
    link = tmp_path / "plain"
    link.symlink_to(folder)
    for own, named in ((folder, folder), (link, link), (folder, link)):
        programs = MachinePrograms().confined(writes=(own,))
        ended = programs.run(["bin/tool"], folder=named, check=False)
        assert ended.status
        assert ended.stdout == ""


def test_a_home_that_is_behind_a_link_is_as_personal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "real" / ".cargo" / "bin" / "tool"
    tool.parent.mkdir(parents=True)
    shutil.copy("/bin/true", tool)
    (tmp_path / "home").symlink_to("real")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    by_link = tmp_path / "home" / ".cargo" / "bin" / "tool"
    assert set(installed_with(tool)) == {tool.parent}
    assert set(installed_with(by_link)) == {tool.parent, by_link.parent}


def test_what_it_writes_into_its_folder_stays_and_its_own_tmp_goes(folder: Path) -> None:
    script = "echo kept >here; echo gone >/tmp/pep101-of-confined; echo gone >$HOME/x; ls /tmp"
    told = confined(folder).run(["sh", "-c", script], folder=folder).stdout.split()
    assert "pep101-of-confined" in told
    assert (folder / "here").read_text() == "kept\n"
    assert not Path("/tmp/pep101-of-confined").exists()


BOTH = """\
all: left right
left:
\t@touch L; until test -e R; do sleep 0.01; done
right:
\t@touch R; until test -e L; do sleep 0.01; done
"""


@pytest.mark.skipif(MachinePrograms().version("make")[:2] != "4.", reason="GNU make 4 is needed")
def test_a_make_behind_walls_uses_the_cores_that_nobody_has_and_gives_them_back(
    folder: Path,
) -> None:
    """Its two jobs wait for each other, so that one after the other they would never end."""
    (folder / "Makefile").write_text(BOTH)
    programs = confined(folder)
    with sharing(cores := Cores(4)):
        assert cores.take(1) == 1  # as the run does before the step begins
        with jobs_of_make(programs.version("make")) as jobs:
            programs.run(
                ["make", *jobs.words], folder=folder, env=jobs.environment,
                descriptors=jobs.descriptors, timeout_s=120,
            )  # fmt: skip
        assert cores.take(9) == 3


def test_a_daemon_ends_with_the_program_that_left_it(folder: Path) -> None:
    """It has a session of its own and holds nothing of ours; when the run returns, it is gone."""
    seconds = f"987654.{os.getpid()}"
    script = f"setsid sh -c 'exec sleep {seconds}' <&- >/dev/null 2>&1 & echo left"
    assert confined(folder).run(["sh", "-c", script], folder=folder).stdout == "left\n"
    commands = [
        command
        for process in Path("/proc").glob("[0-9]*")
        if seconds.encode() in (command := _command_of(process))
    ]
    assert commands == []


def _command_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_all_of_it_ends_when_time_is_up(folder: Path) -> None:
    seconds = f"987655.{os.getpid()}"
    script = f"setsid sleep {seconds} & sleep {seconds}"
    with pytest.raises(ServiceFailed, match="did not end within 1 s and was stopped"):
        confined(folder).run(["sh", "-c", script], folder=folder, timeout_s=1)

    def is_left() -> bool:
        return any(seconds.encode() in _command_of(p) for p in Path("/proc").glob("[0-9]*"))

    # The kernel ends those inside a moment after the one that confined them.
    assert comes_true(lambda: not is_left(), within_s=20)


@pytest.mark.parametrize("network", [False, True], ids=["alone", "with a network"])
def test_limits_hold_and_what_is_written_away_is_gone(
    folder: Path,
    network: bool,  # noqa: FBT001 - pytest hands it over
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where pip is told to read no configuration, by the name of a device."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    programs = MachinePrograms(limits=SMALL).confined(writes=(folder,), network=network)
    script = "ulimit -f; ulimit -u 2>/dev/null || ulimit -p; echo gone >/dev/null"
    told = programs.run(["sh", "-c", script], folder=folder)
    assert (told.status, told.stderr) == (0, "")
    assert told.stdout.split() == [str(SMALL.file_bytes >> 9), str(SMALL.processes * 4)]


def test_memory_is_filled_up_to_the_limit_alone(folder: Path) -> None:
    """Its children share what it may use; each stays below what one process may have."""
    code = (
        "import os, time\n"
        "for _ in range(4):\n"
        "    if not os.fork():\n"
        "        kept = bytearray(b'x') * (150 << 20); time.sleep(600)\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(ServiceFailed, match="used more than 300 MB of memory and was stopped"):
        confined(folder).run([sys.executable, "-c", code], folder=folder)


def test_a_fork_bomb_ends_at_its_limit(folder: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(60):\n"
        "    if not os.fork(): time.sleep(600)\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(ServiceFailed, match="had more than 40 processes and was stopped"):
        confined(folder).run([sys.executable, "-c", code], folder=folder)


@pytest.mark.parametrize("flood", ["yes", "yes | tr -d '\\n'", "yes 1>&2"])
def test_a_flood_of_output_fills_neither_memory_nor_log(folder: Path, flood: str) -> None:
    with pytest.raises(
        ServiceFailed, match="wrote more than 1 MB and was stopped; mend the program"
    ):
        confined(folder).run(["sh", "-c", flood], folder=folder)
    mended = f"{flood.partition(' ')[0]} | head -n 9"
    assert confined(folder).run(["sh", "-c", mended], folder=folder).status == 0


def test_what_it_writes_to_tmp_is_bounded(folder: Path) -> None:
    ended = confined(folder).run(
        ["dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", "count=64"], folder=folder, check=False
    )
    assert ended.status == 1


LEFT = {
    "a link out of its folder": ("os.symlink('/etc/passwd', 'NEWS')", "is a link"),
    "a link to a folder above": ("os.symlink('..', 'build')", "is a link"),
    "a second name": ("open('a', 'w').close(); os.link('a', 'b')", "has a second name"),
    "a pipe": ("os.mkfifo('NEWS')", "is a device, a pipe or a socket"),
    "a socket": ("socket.socket(socket.AF_UNIX).bind('NEWS')", "is a device, a pipe or a socket"),
    "a name of two lines": ("open('NEWS\\nof others', 'w').close()", "has control characters"),
    "a name in another encoding": ("open(b'NEWS\\xff', 'w').close()", "bytes that are no text"),
    "a file that runs as its owner": (
        "open('a', 'w').close(); os.chmod('a', 0o4755)",
        "would run with the rights",
    ),
    "a large file with nothing in it": (
        "open('NEWS', 'wb').truncate(5 << 20)",
        "holds more than 4 MB",
    ),
    "many files": (
        "[open(str(number), 'w').close() for number in range(99)]",
        "holds more than 64 files",
    ),
}


@pytest.mark.parametrize(("attack", "problem"), LEFT.values(), ids=LEFT)
def test_what_it_leaves_is_refused_before_it_is_used(
    folder: Path, attack: str, problem: str
) -> None:
    confined(folder).run([sys.executable, "-c", f"import os, socket\n{attack}\n"], folder=folder)
    with pytest.raises(StepFailed, match=problem):
        see_plain(folder, most_files=64, most_bytes=4 << 20)


NEVER_LEFT = {
    "a device": "os.mknod('NEWS', 0o666 | stat.S_IFCHR, os.makedev(1, 5))",
    "a disk": "os.mknod('NEWS', 0o666 | stat.S_IFBLK, os.makedev(8, 0))",
    "a terabyte with nothing in it": "open('NEWS', 'wb').truncate(1 << 40)",
    "a second name of a file of ours": "os.link({ours!r}, 'NEWS')",
}


@pytest.mark.parametrize("attack", NEVER_LEFT.values(), ids=NEVER_LEFT)
def test_what_it_cannot_leave_at_all(folder: Path, attack: str) -> None:
    """Nothing is there afterwards, or an empty file."""
    ours = folder.parent / "ours"
    ours.write_text("canary")
    code = f"import os, stat\n{attack.format(ours=str(ours))}\n"
    ended = confined(folder).run([sys.executable, "-c", code], folder=folder, check=False)
    assert ended.status != 0
    see_plain(folder)
    assert [path.stat().st_size for path in folder.iterdir()] in ([], [0])


def test_escape_sequences_reach_neither_log_nor_error(folder: Path) -> None:
    said: list[str] = []
    programs = MachinePrograms(said.append).confined(writes=(folder,))
    script = "printf '\\033]0;evil\\007\\033[2J\\n'; exit 3"
    with pytest.raises(ServiceFailed) as caught:
        programs.run(["sh", "-c", script], folder=folder)
    assert "\033" not in "".join((*said, str(caught.value), *map(str, said)))
    assert said[-1] == r"\x1b]0;evil\x07\x1b[2J"


def test_a_signal_that_ends_it_is_reported_as_one(folder: Path) -> None:
    with pytest.raises(ServiceFailed, match="was ended by SIGSEGV; see whether memory ran out"):
        confined(folder).run(["sh", "-c", "kill -SEGV $$"], folder=folder)


def test_a_piped_program_is_confined_as_well(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("canary")
    with (
        pytest.raises(ServiceFailed, match=r"cat: .*ended with status 1"),
        confined(folder).pipe(["cat", tmp_path / "token"], folder=folder),
    ):
        pass


def test_its_loopback_is_its_own_and_works(folder: Path) -> None:
    """Tests of the standard library talk to servers of their own."""
    code = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "with socket.create_connection(server.getsockname()): print('talked')\n"
    )
    assert confined(folder).run([sys.executable, "-c", code], folder=folder).stdout == "talked\n"


def test_what_is_refused_is_so_for_a_program_with_a_network_too(folder: Path) -> None:
    """A virtual machine's host answers on sockets that no namespace keeps apart."""
    programs = MachinePrograms(limits=SMALL).confined(
        writes=(folder,), reads=(Path(sys.executable),), network=True
    )
    asked = "import socket; socket.socket(); socket.socket(socket.AF_VSOCK)"
    ended = programs.run([sys.executable, "-c", asked], folder=folder, check=False)
    assert "Address family not supported" in ended.stderr


def test_sockets_of_the_usual_families_are_made(folder: Path) -> None:
    asked = (
        "import socket\n"
        "for family, kind in ((1, 1), (1, 2), (2, 1), (2, 2), (10, 1), (16, 3)):\n"
        "    socket.socket(family, kind).close()\n"
        "socket.socketpair()\n"
        "print('made')"
    )
    assert confined(folder).run([sys.executable, "-c", asked], folder=folder).stdout == "made\n"


def test_a_folder_is_found_under_the_link_that_names_it(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "plain"
    link.symlink_to(folder)
    confined(link).run(["touch", link / "made"], folder=link, env={"PWD": str(link)})
    assert (folder / "made").exists()


def test_our_memory_is_hidden_once_a_program_ran() -> None:
    code = (
        "import ctypes; from pathlib import Path\n"
        "from plugins.services.programs import MachinePrograms\n"
        "MachinePrograms().run(['true'], folder=Path('/'))\n"
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
    )
    words = [sys.executable, "-c", code]
    ended = subprocess.run(words, check=True, capture_output=True, text=True)
    assert ended.stdout == "0\n"


def test_without_means_nothing_foreign_runs_unless_that_is_allowed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate may have passed on another day; the service asks at that moment."""
    monkeypatch.setenv("PATH", str(tmp_path))
    strict = MachinePrograms(may_be_unconfined=lambda: False)
    with pytest.raises(ServiceFailed, match="is not installed"):
        strict.confined(writes=(folder,))
    assert MachinePrograms().confined().run(["/bin/true"], folder=folder).status == 0


def test_a_machine_that_refuses_namespaces_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As containers do."""
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = MachinePrograms().confinement()
    assert found.means == ""
    assert "No permissions to create new namespace" in found.problem
