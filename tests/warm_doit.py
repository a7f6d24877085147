"""doit in a process of its own that has no start: the fork of one that has imported everything.

Starting Python and importing doit takes ten times what most tests then ask of it. Whatever an
environment changes in Python itself, and so its start, is started as a person starts it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.ended import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

__all__ = ["doit", "python"]

PROJECT: Final = Path(__file__).resolve().parents[1]
LONGEST_S: Final = 300
IMPORTED: Final = ("doit.doit_cmd", "tomllib", "plugins.command.opening")


def doit(*words: str, folder: Path, env: Mapping[str, str]) -> Ended:
    """``python -m doit WORD...`` in the folder, with this environment and nothing to read."""
    return python("-m", "doit", *words, folder=folder, env=env)


def python(*words: str | Path, folder: Path, env: Mapping[str, str]) -> Ended:
    """``python SCRIPT WORD...`` or ``python -m MODULE WORD...``, likewise."""
    given = [os.fspath(word) for word in words]
    shaping = {name: text for name, text in env.items() if name.startswith("PYTHON")}
    if shaping == {**_shaping(), "PYTHONPATH": str(PROJECT)}:
        return _server().run(given, folder, env)
    ended = subprocess.run(
        [sys.executable, *given], cwd=folder, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=LONGEST_S,
    )  # fmt: skip
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def _shaping() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name.startswith("PYTHON")}


@cache
def _server() -> _Server:
    server = _Server()
    atexit.register(server.close)
    return server


class _Server:
    """The process that forks, as its client has it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, words: list[str], folder: Path, env: Mapping[str, str]) -> Ended:
        with tempfile.TemporaryDirectory() as room:
            out, err = Path(room, "out"), Path(room, "err")
            request = (words, str(folder), dict(env), str(out), str(err))
            status = int(self._answer(json.dumps(request)))
            return Ended(status, out.read_text(), err.read_text())

    def _answer(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], LONGEST_S)[0]:
            self.close()
            _server.cache_clear()
            raise subprocess.TimeoutExpired(line, LONGEST_S)
        return self._process.stdout.readline()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def _serve() -> None:
    """Answer each line with the exit status, or the signal as a negative number."""
    import doit_receipts  # noqa: PLC0415 - only the process that forks needs it

    for module in pkgutil.walk_packages(doit_receipts.__path__, "doit_receipts."):
        if ".examples" not in module.name:
            importlib.import_module(module.name)
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    # The child has a standard input of its own, and nothing of ours is left in its buffer.
    requests = os.fdopen(os.dup(0))
    for line in iter(requests.readline, ""):
        child = os.fork()
        if not child:
            requests.close()
            _become(*json.loads(line))
        _, ended = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        sys.stdout.flush()


def _become(words: list[str], folder: str, env: dict[str, str], out: str, err: str) -> NoReturn:
    """Be what Python would be if it was started with these words."""
    for number, (path, flags) in enumerate(
        (
            (os.devnull, os.O_RDONLY),
            (out, os.O_WRONLY | os.O_CREAT),
            (err, os.O_WRONLY | os.O_CREAT),
        )
    ):
        descriptor = os.open(path, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    importlib.invalidate_caches()
    if words[0] == "-m":
        sys.path[0] = folder
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(words[0]).parent)
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
    raise SystemExit


if __name__ == "__main__":
    _serve()
