"""How long a train of three releases takes, against one of them alone.

``python tests/bench/train.py [ROUNDS]`` rehearses 3.12.14, 3.11.16 and 3.10.21 on one day, and
3.12.14 alone, in turn and each from nothing, and prints the times of each and the ratio of the best
of both. Wanted is a ratio under 2.2.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TRAIN = "3.12.14,3.11.16,3.10.21"
WANTED = 2.2


def seconds(versions: str) -> float:
    """A rehearsal of these versions, in a folder of its own, which is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-train-"))
    words = [sys.executable, "-m", "doit", "rehearse", "--version", versions]
    began = time.perf_counter()
    try:
        subprocess.run(
            [*words, "--folder", str(folder)], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL
        )
        return time.perf_counter() - began
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Print the figures; 1 if the ratio is not as wanted."""
    rounds = int(sys.argv[1]) if sys.argv[1:] else 2
    alone, train = [], []
    for _ in range(rounds):
        alone.append(seconds(TRAIN.partition(",")[0]))
        train.append(seconds(TRAIN))
    ratio = min(train) / min(alone)
    print("one release       ", *(f"{each:6.1f} s" for each in alone))
    print("a train of three  ", *(f"{each:6.1f} s" for each in train))
    print(f"ratio of the best {ratio:7.2f}, wanted under {WANTED}")
    return 0 if ratio < WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
