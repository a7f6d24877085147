"""The worker's command line, as the workflow calls it; see docs/how-to/test-elsewhere.md.

``python -m plugins.worker archives|test|docs|state ACTION ROOM ...``: each part of an action.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from doit_receipts.errors import ReleaseError
from plugins.model.action import action_of, platform_here
from plugins.worker import doing

__all__ = ["main"]


class _Shown:
    """Progress on standard output, which is the log of a job."""

    def say(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def main(words: list[str]) -> int:
    """One part of an action is done; exit status 1 and one line if it could not be."""
    parser = argparse.ArgumentParser(prog="python -m plugins.worker", description=__doc__)
    parser.add_argument("part", choices=("archives", "test", "docs", "state"))
    parser.add_argument("action", type=Path, help="the file of the action")
    parser.add_argument("room", type=Path, help="a folder for what is made")
    parser.add_argument(
        "--fork", default="", help="archives, docs: the repository that has the tag"
    )
    parser.add_argument("--out", type=Path, help="test, docs, state: where the result goes")
    parser.add_argument("--run", default="", help="state: the address of the run")
    parser.add_argument("--tool", default="", help="state: the commit of this tool")
    parser.add_argument(
        "--throw-away", action="store_true", help="test, docs: this machine is deleted afterwards"
    )
    parser.add_argument(
        "--any-machine",
        action="store_true",
        help="test, docs: do not compare the platform, to rehearse",
    )
    parser.add_argument("--tools", type=Path, help="docs: packages that are installed already")
    given = parser.parse_args(words)
    room = given.room.absolute()
    out = (given.out or room).absolute()
    try:
        action = action_of(given.action.read_bytes())
        if given.part == "archives":
            doing.make_archives(action, given.fork, room, _Shown())
        elif given.part == "state":
            doing.state(action, room, out, run=given.run, tool=given.tool)
        elif action.platform != platform_here() and not given.any_machine:
            sys.stderr.write(f"action: is for {action.platform}, and this is {platform_here()}\n")
            return 1
        elif given.part == "docs":
            doing.make_docs(
                action, given.fork, room, out, _Shown(), throw_away=given.throw_away,
                tools=given.tools,
            )  # fmt: skip
        else:
            doing.run_tests(action, room, out, _Shown(), throw_away=given.throw_away)
    except (ReleaseError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.writelines(f"  {line}\n" for line in getattr(error, "details", ()))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
