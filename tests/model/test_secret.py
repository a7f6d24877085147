"""Where secrets are: read at use, kept nowhere, told to nobody."""

from __future__ import annotations

import pickle
import subprocess
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import SettingsError
from plugins.model.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-0b7e"


def a_file(folder: Path, content: bytes = CANARY.encode() + b"\n", mode: int = 0o600) -> Secret:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return Secret(f"file:{path}")


def test_secret_of_the_environment_is_read_at_use(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret("env:PEP101_CANARY")
    monkeypatch.setenv("PEP101_CANARY", CANARY)
    assert secret.reveal() == CANARY
    monkeypatch.setenv("PEP101_CANARY", "another")
    assert secret.reveal() == "another"


def test_secret_of_a_file_is_read_without_its_line_break(tmp_path: Path) -> None:
    assert a_file(tmp_path).reveal() == CANARY


def test_secret_shows_its_place_and_never_itself(tmp_path: Path) -> None:
    """DESIGN rule 12: neither in a repr nor in what is stored of the value."""
    secret = a_file(tmp_path)
    secret.reveal()
    assert repr(secret) == f"Secret(place='file:{tmp_path}/token')"
    assert CANARY.encode() not in pickle.dumps(secret)
    assert pickle.loads(pickle.dumps(secret)) == secret


def test_variable_that_is_not_set_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEP101_CANARY", raising=False)
    with pytest.raises(SettingsError, match="secret env:PEP101_CANARY: is not set; set PEP101"):
        Secret("env:PEP101_CANARY").reveal()
    monkeypatch.setenv("PEP101_CANARY", CANARY)
    assert Secret("env:PEP101_CANARY").reveal() == CANARY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsError, match=f"has mode {mode:04o}, so others may") as raised:
        a_file(tmp_path, mode=mode).reveal()
    command = raised.value.remedy.removeprefix("run: ").split()
    assert command == ["chmod", "600", str(tmp_path / "token")]
    subprocess.run(command, check=True)
    assert Secret(f"file:{tmp_path}/token").reveal() == CANARY


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (f"{CANARY}\nX-Other: header".encode(), "holds more than one line"),
        (CANARY.encode() + b"\xff", "is not UTF-8"),
    ],
)
def test_file_that_holds_no_secret_is_refused_without_repeating_it(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem) as raised:
        a_file(tmp_path, content).reveal()
    chain = [raised.value, raised.value.__cause__, raised.value.__context__]
    assert CANARY not in "".join(repr(each) for each in chain[:2])
    assert raised.value.remedy in ("put the secret there", "leave only the secret there")
    assert a_file(tmp_path).reveal() == CANARY


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: no such file.*put the secret there"):
        Secret(f"file:{tmp_path / 'token'}").reveal()
    assert a_file(tmp_path).reveal() == CANARY


def test_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is a directory"):
        Secret(f"file:{tmp_path}").reveal()


@pytest.mark.parametrize(
    "text", [CANARY, f"env:{CANARY}", "env:", "file:", f"{CANARY}:{CANARY}", "file:a\nb", ""]
)
def test_text_that_is_no_place_is_refused_and_never_repeated(text: str) -> None:
    """A secret that was written in its place's stead does not get into a traceback."""
    with pytest.raises(SettingsError) as raised:
        Secret(text)
    assert CANARY not in f"{raised.value!r} {raised.value}"
    for told in raised.value.remedy.removeprefix("write ").split(" or "):
        assert Secret(told).place == told
