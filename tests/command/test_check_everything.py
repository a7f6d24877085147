"""`doit check` in the morning of a release for which two dozen things are wrong at once."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from plugins.model.version import Version
from plugins.rehearsal.serving import running_world
from plugins.rehearsal.world import make_world
from tests.ended import Ended
from tests.wrongs import WRONGS, Morning

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT: Final = Path(__file__).resolve().parents[2]
MOST_CPU_S: Final = 10.0


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    folder = tmp_path_factory.mktemp("morning")
    made = Morning(folder, make_world(folder, Version.parse("3.13.6")))
    try:
        with running_world(made.world):
            yield made
    finally:
        made.home.stop()
        shutil.rmtree(made.home.folder)


def check(morning: Morning) -> Ended:
    """``doit check``, by a person without any configuration of git."""
    environment = {**os.environ, "HOME": str(morning.folder), "XDG_CONFIG_HOME": "/nonexistent"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, "-m", "doit", "check", "--release", morning.declaration],
        cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # by the processor's time: a wall clock would judge what else this machine does
    spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent_s < MOST_CPU_S
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def findings(ended: Ended) -> dict[str, str]:
    """The shown findings by rule, the first of each, but for those about this checkout and machine.

    A container cannot confine, a bare machine has no compiler and no autoconf, and all is said.
    """
    here = ("tools.changed", "tools.unconfined", "tools.compiler", "tools.missing")
    lines = [line.strip() for line in ended.out.splitlines() if line.startswith("        ")]
    return {line.split()[0]: line for line in reversed(lines) if not line.startswith(here)}


@pytest.mark.slow
def test_all_that_is_wrong_is_reported_at_once_and_every_remedy_helps(morning: Morning) -> None:
    assert len(WRONGS) > 20
    assert findings(check(morning)) == {}
    for wrong in WRONGS:
        wrong.make(morning)
    ended = check(morning)
    assert ended.status == 1
    assert ended.err == ""
    found = findings(ended)
    assert {wrong.rule for wrong in WRONGS} - found.keys() == set()
    for wrong in WRONGS:
        assert wrong.remedy in found[wrong.rule]
    for wrong in WRONGS:
        wrong.mend(morning, found[wrong.rule])
    mended = check(morning)
    assert findings(mended) == {}
    assert mended.status == 0
    assert not (morning.folder / "build" / "3.13.6" / "receipts").exists()
    assert not (morning.folder / "build" / "3.13.6" / "journal.jsonl").exists()
