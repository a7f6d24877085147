"""Programs of this machine, real ones: what they see, what they leave, how they fail."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.ports.programs import PIPE
from plugins.services.environment import neutral_environment
from plugins.services.programs import MachinePrograms
from tests.processes import all_end
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_pipe_of_the_port_is_that_of_subprocess() -> None:
    assert PIPE == subprocess.PIPE


def test_output_is_text_and_reaches_the_log_line_by_line(tmp_path: Path) -> None:
    said: list[str] = []
    code = "import sys; print('é'); print('two'); print('err', file=sys.stderr)"
    ended = MachinePrograms(said.append).run(python(code), folder=tmp_path)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "é\ntwo\n", "err\n")
    assert said[0].startswith("$ ")
    assert sorted(said[1:]) == ["err", "two", "é"]


def test_names_that_end_in_a_nul_are_words_of_the_log_and_whole_in_the_answer(
    tmp_path: Path,
) -> None:
    """As git's ``-z`` writes them, and of an error as well."""
    said: list[str] = []
    code = "import sys; print('a.py', 'b c.py', '', sep=chr(0), end=''); sys.exit(3)"
    programs = MachinePrograms(said.append)
    assert programs.run(python(code), folder=tmp_path, check=False).stdout == "a.py\0b c.py\0"
    assert said[1:] == ["a.py b c.py"]
    with pytest.raises(ServiceFailed) as failed:
        programs.run(python(code), folder=tmp_path)
    assert failed.value.details == ("a.py b c.py",)


def test_settings_of_a_person_do_not_reach_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XZ_OPT", "XZ_DEFAULTS", "GZIP", "TAR_OPTIONS", "GIT_DIR", "PYTHONPATH", "LANG"):
        monkeypatch.setenv(name, "a person's")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    code = "import os; print(*sorted(os.environ)); print(os.environ['TZ'], os.environ['LC_ALL'])"
    names, values = MachinePrograms().run(python(code), folder=tmp_path).stdout.rstrip().split("\n")
    assert values == "UTC C.UTF-8"
    seen = set(names.split())
    assert not seen & {"XZ_OPT", "XZ_DEFAULTS", "GZIP", "TAR_OPTIONS", "GIT_DIR", "PYTHONPATH"}


def test_what_a_step_adds_to_the_environment_wins() -> None:
    assert neutral_environment({"TZ": "Europe/Berlin"})["TZ"] == "Europe/Berlin"


def test_a_program_reads_nothing_unless_it_is_given_something(tmp_path: Path) -> None:
    programs, code = MachinePrograms(), "import sys; print(len(sys.stdin.read()))"
    assert programs.run(python(code), folder=tmp_path).stdout == "0\n"
    assert programs.run(python(code), folder=tmp_path, stdin=b"abc").stdout == "3\n"


def test_much_input_and_output_at_once_do_not_block_each_other(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write(sys.stdin.read())"
    text = "x" * 99 + "\n"
    ended = MachinePrograms().run(python(code), folder=tmp_path, stdin=text.encode() * 20_000)
    assert ended.stdout == text * 20_000


def test_a_failure_names_the_program_its_status_and_its_last_lines(tmp_path: Path) -> None:
    code = "[print(n) for n in range(99)]; raise SystemExit(3)"
    with pytest.raises(ServiceFailed, match=r"ended with status 3") as caught:
        MachinePrograms().run(python(code), folder=tmp_path)
    assert caught.value.remedy == "see what it reports, then run the same command again"
    assert caught.value.details[-1] == "98"
    assert len(caught.value.details) < 20


def test_a_status_that_is_asked_for_is_no_failure(tmp_path: Path) -> None:
    ended = MachinePrograms().run(python("raise SystemExit(3)"), folder=tmp_path, check=False)
    assert ended.status == 3


def test_a_program_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed, match=r"no-such-program: start: not found on PATH; install"):
        MachinePrograms().run(["no-such-program"], folder=tmp_path)


def test_program_that_is_missing_runs_once_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    programs = MachinePrograms()
    with pytest.raises(ServiceFailed) as told:
        programs.run(["spam"], folder=tmp_path)
    assert told.value.remedy == "install spam, then run the same command again"
    (tmp_path / "spam").write_text("#!/bin/sh\necho spam\n")
    (tmp_path / "spam").chmod(0o755)
    assert programs.run(["spam"], folder=tmp_path).status == 0


def test_a_folder_that_is_not_there_is_not_taken_for_the_program(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed, match=r"the folder .*gone does not exist; put it back"):
        MachinePrograms().run(python(""), folder=tmp_path / "gone")
    (tmp_path / "gone").mkdir()
    assert MachinePrograms().run(python(""), folder=tmp_path / "gone").status == 0


def test_a_program_that_may_not_be_run_is_run_once_its_mode_is_what_is_told(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o600)
    with pytest.raises(ServiceFailed, match="permission denied; give your account") as caught:
        MachinePrograms().run([program], folder=tmp_path)
    told = re.search(r"\((chmod \S+)\)", caught.value.remedy)
    assert told
    assert str(program) in caught.value.problem
    subprocess.run([*told[1].split(), program], check=True)
    assert MachinePrograms().run([program], folder=tmp_path).status == 0


def test_a_program_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    code = "import sys, time; time.sleep(float(sys.argv[1]))"
    programs = MachinePrograms()
    with pytest.raises(
        ServiceFailed, match=r"did not end within 0.5 s and was stopped; run the same command again"
    ):
        programs.run([*python(code), "60"], folder=tmp_path, timeout_s=0.5)
    assert programs.run([*python(code), "0"], folder=tmp_path, timeout_s=60).status == 0


def test_what_a_program_started_is_stopped_with_it(tmp_path: Path) -> None:
    """It would hold our pipe for a minute, and write when nobody expects it any more."""
    script = "sleep 60 & echo $! >new; mv new child; wait"
    child = tmp_path / "child"
    # A busy machine may not have come to it in a second.
    for timeout_s in (1, 5, 25):
        with pytest.raises(ServiceFailed, match="was stopped"):
            MachinePrograms().run(["sh", "-c", script], folder=tmp_path, timeout_s=timeout_s)
        if child.exists():
            break
    assert all_end(int(child.read_text()))


def test_a_program_cannot_ask_on_our_terminal(tmp_path: Path) -> None:
    code = "import os; os.open('/dev/tty', os.O_RDWR)"
    ended = MachinePrograms().run(python(code), folder=tmp_path, check=False)
    assert "OSError" in ended.stderr


def test_a_piped_program_that_fails_is_an_error_when_the_block_ends(tmp_path: Path) -> None:
    code = "import sys; print('out'); sys.exit('broken')"
    programs = MachinePrograms()
    read = b""
    with pytest.raises(ServiceFailed, match=r"ended with status 1") as caught:  # noqa: PT012, SIM117 - the end of the block is what fails
        with programs.pipe(python(code), folder=tmp_path, stdout=PIPE) as process:
            assert process.stdout
            read = process.stdout.read()
    assert read == b"out\n"
    assert caught.value.details == ("broken",)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("exit 1", "ended with status 1"),
        ("kill -9 $$", "was ended by SIGKILL"),
        ("exit 0", "ended before it had read everything"),
    ],
)
@pytest.mark.parametrize("much", [100, 10_000_000], ids=["at the end", "in the middle"])
def test_a_piped_program_that_stops_reading_tells_why_itself(
    tmp_path: Path, end: str, told: str, much: int
) -> None:
    """A broken pipe is only how we come to know of it, wherever that is."""
    script = f"exec <&-; touch deaf; echo xz: no space left on device >&2; {end}"
    programs = MachinePrograms()
    with pytest.raises(ServiceFailed, match=f"sh: .*{told}") as caught:  # noqa: PT012, SIM117 - the end of the block fails as well
        with programs.pipe(["sh", "-c", script], folder=tmp_path, stdin=PIPE) as process:
            assert process.stdin
            wait_until((tmp_path / "deaf").exists, "it has stopped reading")
            process.stdin.write(bytes(much))
    assert caught.value.details == ("xz: no space left on device",)


def test_a_broken_pipe_of_somebody_else_is_not_laid_on_a_program(tmp_path: Path) -> None:
    programs = MachinePrograms()
    with (
        pytest.raises(BrokenPipeError, match="another"),
        programs.pipe(python("import time; time.sleep(60)"), folder=tmp_path, stdin=PIPE),
    ):
        raise BrokenPipeError(32, "another")


def test_a_piped_program_does_not_outlive_an_error_of_its_reader(tmp_path: Path) -> None:
    programs = MachinePrograms()
    started: list[subprocess.Popen[bytes]] = []
    with (  # noqa: PT012 - the block stands for a reader that fails
        pytest.raises(KeyError),
        programs.pipe(python("import time; time.sleep(60)"), folder=tmp_path) as process,
    ):
        started.append(process)
        raise KeyError
    assert started[0].wait(timeout=60) != 0


def test_the_version_of_a_program_is_its_first_dotted_number() -> None:
    programs = MachinePrograms()
    assert programs.version("git").split(".")[0].isdigit()
    assert programs.version("no-such-program") == ""
    assert programs.find("no-such-program") is None
