"""A rehearsal begun by an earlier checkout, and stopped when one of its tasks is done.

``cd CHECKOUT && .venv/bin/python …/begin.py FOLDER TASK [VERSION]``: run by that checkout's own
Python, with that checkout's own code. The simulated environment and the release are below FOLDER,
where a later ``doit rehearse --folder FOLDER`` goes on. Not for tests of today's code: it knows the
names that commit 1dae947 had.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

MOST_ROUNDS = 60


def main() -> int:
    """The exit status of the last run."""
    sys.path.insert(0, str(Path.cwd()))
    rehearsing = importlib.import_module("plugins.flow.rehearsing")
    serving = importlib.import_module("plugins.rehearsal.serving")
    folder, task, *rest = sys.argv[1:]
    version = rehearsing._version(rest[0] if rest else "3.13.6")
    room = Path(folder).absolute() / str(version)
    declaration = rehearsing._made(room, version, "")
    status = 4
    with serving.running_world(room / "world") as world:
        for _ in range(MOST_ROUNDS):
            status = rehearsing._doit(declaration, "run", task)
            if status != 4:
                break
            if not rehearsing._play_people(declaration, world.store):
                time.sleep(0.5)
        rehearsing._doit(declaration, "list", "--status")
    return status


if __name__ == "__main__":
    sys.exit(main())
