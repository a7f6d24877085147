"""What it costs to look at a release: ``doit list --status`` and an export with nothing to do.

``python tests/bench/nothing_to_do.py RELEASE.TOML`` for a release that is exported already.
Each round runs doit on an empty dodo.py, the list and the export, in turn; the table shows
medians and the ratios of each round's figures to that round's empty run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
PROJECT = Path(__file__).resolve().parents[2]


def seconds(folder: Path, *words: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "doit", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def main() -> None:
    release = str(Path(sys.argv[1]).absolute())
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        (empty / "dodo.py").touch()
        rows = []
        for _ in range(ROUNDS):
            base = seconds(empty, "list")
            listed = seconds(PROJECT, "list", "--status", "--release", release)
            again = seconds(PROJECT, "run", "--release", release, "export")
            rows.append((base, listed, again))
    base, listed, again = (statistics.median(column) for column in zip(*rows, strict=True))
    by_round = [(row[1] / row[0], row[2] / row[0]) for row in rows]
    ratios = [statistics.median(column) for column in zip(*by_round, strict=True)]
    print(f"{'':32}{'seconds':>9}{'ratio':>8}{'bar':>6}")
    print(f"{'doit list, empty dodo.py':32}{base:9.3f}{1:8.2f}")
    print(f"{'doit list --status':32}{listed:9.3f}{ratios[0]:8.2f}{2:6}")
    print(f"{'doit export, nothing to do':32}{again:9.3f}{ratios[1]:8.2f}{3:6}")


if __name__ == "__main__":
    main()
