"""Tests of how errors name a program: as its user does, and not by its first options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.services.program_words import program_and_act
from plugins.services.programs import MachinePrograms

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (
            "/opt/venv/bin/python -I -m pip --python /usr/bin/python3.12 install --dry-run -r x",
            "pip install",
        ),
        ("/usr/bin/python3.12 -I -m pip --python /usr/bin/python3.12 freeze", "pip freeze"),
        ("python3 -I -m venv --without-pip /tmp/x", "python -m venv run"),
        ("python3 -s -B -m release_management make", "python -m release_management make"),
        ("./python -m test -i test_os test_dict", "python -m test run"),
        ("/usr/bin/python3.12 -c print(1)", "/usr/bin/python3.12 run"),
        ("./python -V", "./python run"),
        ("python3.13t -X importtime /x/sphinx_at_epoch.py 12", "sphinx_at_epoch.py run"),
        ("git --no-replace-objects -c core.x=/dev/null cat-file --batch", "git cat-file"),
        ("git -C /x fetch --quiet", "git fetch"),
        ("make -j2 -C Doc html", "make html"),
        ("/opt/venv/bin/blurb merge", "blurb merge"),
        ("xz -6 --keep", "xz run"),
        ("ssh-keygen -F host -f /x", "ssh-keygen run"),
        ("./configure", "configure run"),
        ("sh -c true", "sh run"),
    ],
)  # fmt: skip
def test_a_program_is_named_as_whoever_reads_of_it_knows_it(words: str, wanted: str) -> None:
    assert " ".join(program_and_act(words.split())) == wanted


@pytest.mark.parametrize(
    ("code", "timeout_s", "told"),
    [
        ("import time; time.sleep(60)", 1, "did not end within 1 s and was stopped"),
        ("raise SystemExit(3)", 60, "ended with status "),
        ("import os; os.kill(os.getpid(), 9)", 60, "was ended by SIGKILL"),
    ],
)
def test_an_error_names_the_module_that_python_ran(
    tmp_path: Path, code: str, timeout_s: float, told: str
) -> None:
    (tmp_path / "spam.py").write_text(code)
    words = [sys.executable, "-B", "-m", "spam", "fry", "--well"]
    with pytest.raises(ServiceFailed, match=f"^python -m spam: fry: {told}"):
        MachinePrograms().run(words, folder=tmp_path, timeout_s=timeout_s)
