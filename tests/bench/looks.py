"""How long the looks at the world take: ``doit check``, and a release with nothing left to do.

``python tests/bench/looks.py`` on a quiet machine makes a simulated environment, asks ``doit
check`` while all is well and while two dozen things are wrong, and prints the time on the clock.
With ``RELEASE.TOML`` of a release that is published it runs ``doit export`` and ``doit publish``,
which have nothing to do: what the second takes longer is what the looks of publishing cost.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plugins.model.version import Version
from plugins.rehearsal.serving import running_world
from plugins.rehearsal.world import make_world
from tests.wrongs import WRONGS, Morning

ROUNDS = 3
BAR_S = 10.0
MOST_FOR_LOOKS_S = 5.0
PROJECT = Path(__file__).resolve().parents[2]


def least_s(home: Path, *words: str) -> float:
    """The least time on the clock of all rounds: other work only adds to it."""
    kept = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": "/nonexistent"}
    taken = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "doit", *words], cwd=PROJECT, check=False, env=kept,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        taken.append(time.monotonic() - start)
    return min(taken)


def check() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        morning = Morning(folder, make_world(folder, Version.parse("3.13.6")))
        words = "check", "--release", str(morning.declaration)
        try:
            with running_world(morning.world):
                well = least_s(folder, *words)
                for wrong in WRONGS:
                    wrong.make(morning)
                ill = least_s(folder, *words)
        finally:
            morning.home.stop()
            shutil.rmtree(morning.home.folder)
    print(f"doit check, all is well:           {well:6.2f} s (bar {BAR_S:g})")
    print(f"doit check, {len(WRONGS)} things are wrong:   {ill:6.2f} s (bar {BAR_S:g})")


def nothing_to_do(release: str) -> None:
    export, publish = (
        least_s(Path.home(), "run", "--release", release, group) for group in ("export", "publish")
    )
    print(f"doit export, nothing to do:        {export:6.2f} s")
    print(f"doit publish, nothing to do:       {publish:6.2f} s")
    print(
        f"so the looks of publishing take    {publish - export:6.2f} s (bar {MOST_FOR_LOOKS_S:g})"
    )


def main() -> None:
    if len(sys.argv) > 1:
        nothing_to_do(str(Path(sys.argv[1]).absolute()))
    else:
        check()


if __name__ == "__main__":
    main()
