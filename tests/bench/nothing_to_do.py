"""What it costs to look at a release: ``doit list --status`` and an export with nothing to do.

``python tests/bench/nothing_to_do.py RELEASE.TOML [TRAIN.TOML]`` for a release that is exported
already, and for a train, whose list is compared with that of one of its releases. Each round runs
doit on an empty dodo.py, the list and the export, in turn. A figure is the least processor time of
all rounds, the programs that are run included: a loaded machine only adds to it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROUNDS = 8
PROJECT = Path(__file__).resolve().parents[2]


def busy_s(folder: Path, *words: str) -> float:
    """The processor time of one command and of what it runs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [sys.executable, "-m", "doit", *words],
        cwd=folder, check=True, stdout=subprocess.DEVNULL, env=kept,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    release = str(Path(sys.argv[1]).absolute())
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        (empty / "dodo.py").touch()
        rows = []
        for _ in range(ROUNDS):
            base = busy_s(empty, "list")
            listed = busy_s(PROJECT, "list", "--status", "--release", release)
            document = busy_s(PROJECT, "list", "--status", "--json", "--release", release)
            again = busy_s(PROJECT, "run", "--release", release, "export")
            rows.append((base, listed, document, again))
    base, listed, document, again = (min(column) for column in zip(*rows, strict=True))
    print(f"{'':32}{'seconds':>9}{'ratio':>8}{'bar':>6}")
    print(f"{'doit list, empty dodo.py':32}{base:9.3f}{1:8.2f}")
    print(f"{'doit list --status':32}{listed:9.3f}{listed / base:8.2f}{2:6}")
    print(f"{'doit list --status --json':32}{document:9.3f}{document / base:8.2f}{2:6}")
    print(f"{'doit export, nothing to do':32}{again:9.3f}{again / base:8.2f}{3:6}")
    if len(sys.argv) > 2:
        train_row(str(Path(sys.argv[2]).absolute()))


def train_row(train: str) -> None:
    """The list of a train against the least of its releases' own."""
    declared = tomllib.loads(Path(train).read_text(encoding="utf-8"))["releases"]
    files = [str(Path(train).parent / each) for each in declared]
    rows = []
    for _ in range(ROUNDS):
        whole = busy_s(PROJECT, "train", "--train", train, "list", "--status")
        rows.append((whole, *(busy_s(PROJECT, "list", "--status", "--release", f) for f in files)))
    whole, *single = (min(column) for column in zip(*rows, strict=True))
    what = f"train list, of {len(files)}, against one"
    print(f"{what:32}{whole:9.3f}{whole / max(single):8.2f}{2:6}")


if __name__ == "__main__":
    main()
