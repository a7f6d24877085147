"""The rehearse command: a complete release in a simulated environment on this machine."""

from __future__ import annotations

import shlex
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import WordsInAnyOrder
from doit_receipts.command.option import option, refuse_number
from doit_receipts.errors import ReleaseError, StepFailed
from doit_receipts.typed import started_in
from plugins.command.rehearsed import doit, known_faults, order, play_people, rehearsal_folder, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.model.release import ReleaseType
    from plugins.model.version import Version

__all__ = ["Rehearse"]

_OPT_VERSION: Final = option(
    "version",
    "the version to rehearse; its kind decides what is done. Several, as in"
    " 3.14.7,3.13.15, are a train whose lead is the first [default: %(default)s]",
    default="3.13.6",
)
_OPT_KIND: Final = option(
    "kind",
    "begin-bugfix, begin-security-only or end-of-life: rehearse that of a series, such as"
    " --version 3.12, instead of a release",
    default="",
)
_OPT_FOLDER: Final = option(
    "folder",
    "folder for the simulated environment and the release [default: rehearsal, beside dodo.py]",
    default="",
)
_OPT_EXPORT: Final = option(
    "export_only", "stop when everything local is built and checked", long="export-only"
)
_OPT_WORLD: Final = option(
    "world_only",
    "only keep the simulated environment running until Ctrl-C, to release in it by hand",
    long="world",
)
_OPT_CLONE: Final = option(
    "own_clone",
    "release from a copy of this clone of CPython, which is only read, instead of a toy",
    default="",
    long="clone",
)
_OPT_FAULT: Final = option(
    "faults",
    "cause a fault: --fault NAME, or --fault NAME=ARGUMENT; `--fault list` shows all of them",
    default=[],
    long="fault",
)
_OPT_HABIT: Final = option(
    "habit",
    "what experts do: `uploads` puts files where users see them and signs only approvals,"
    " `manifests` hands them over with signed manifests [default: %(default)s]",
    default="uploads",
    long="experts",
)
_OPT_FARM: Final = option(
    "farm",
    "test the sources on five simulated machines, build documentation and archives on two"
    " more, each a process here",
    long="elsewhere",
)
_OPT_AT_ONCE: Final = option(
    "at_once",
    "how many tasks run at once at most [default: as doit run]",
    default=None,
    type=int,
    long="process",
    short="n",
)
_OPT_EMBARGO: Final = option(
    "embargo",
    "of a train: nothing leaves before so many seconds have passed [default: %(default)s]",
    default=0,
)
_HABITS: Final = ("uploads", "manifests")
_WAITING: Final = 4
_MOST_ROUNDS: Final = 60
_PAUSE_S: Final = 0.5


class Rehearse(WordsInAnyOrder):
    """Release a toy CPython in a simulated environment; run again, it goes on where it stopped."""

    name = "rehearse"
    example = "doit rehearse --folder /tmp/rehearsed --version 3.14.0rc2"
    doc_purpose = "release a toy CPython in a simulated environment; nothing real is touched"
    doc_usage = ""
    doc_description = None
    cmd_options = (
        _OPT_VERSION, _OPT_KIND, _OPT_FOLDER, _OPT_CLONE, _OPT_HABIT, _OPT_EXPORT, _OPT_WORLD,
        _OPT_FAULT, _OPT_AT_ONCE, _OPT_EMBARGO, _OPT_FARM,
    )  # fmt: skip

    def execute(self, opt_values: Any, pos_args: Any) -> int:
        """Rehearse all of `doit publish`; the status is that of its last run."""
        if pos_args:
            message = "doit rehearse takes no task name; it rehearses all tasks"
            raise InvalidCommand(message)
        if opt_values["faults"] == ["list"]:
            return _list_faults()
        run = _run(opt_values["at_once"])
        kind = _kind(opt_values["kind"])
        if "," in opt_values["version"]:
            from plugins.command.rehearsed_train import rehearse_train

            return rehearse_train(opt_values, run)
        version = _version(opt_values["version"], kind)
        name = f"{version.series}-{opt_values['kind']}" if kind else str(version)
        folder = rehearsal_folder(opt_values["folder"]) / name
        if opt_values["habit"] not in _HABITS:
            message = f"--experts {opt_values['habit']} is not one of {', '.join(_HABITS)}"
            raise InvalidCommand(message)
        declaration = _made(
            folder,
            version,
            opt_values["own_clone"],
            opt_values["habit"],
            kind,
            farm=opt_values["farm"],
        )
        if opt_values["export_only"]:
            say(f"rehearsing the export of Python {version} in {folder}")
            return _show(declaration, doit(declaration, *run, "export"))
        return _in_its_environment(
            folder,
            declaration,
            opt_values["faults"],
            by_hand=opt_values["world_only"],
            run=run,
        )


def _run(at_once: int | None) -> Sequence[str]:
    """The words of ``doit run`` with this number at once, or with its own."""
    refuse_number(at_once)
    return ("run",) if at_once is None else ("run", f"-n{at_once}")


def _kind(text: str) -> ReleaseType | None:
    from plugins.model.release import KIND_NAMES

    known = {name: kind for kind, name in KIND_NAMES.items()}
    if text and text not in known:
        message = f"--kind {text} is not one of {', '.join(known)}"
        raise InvalidCommand(message)
    return known.get(text)


def _version(text: str, kind: ReleaseType | None) -> Version:
    from plugins.model.version import Version

    if kind and text.count(".") != 1:
        message = f"--kind is about a whole series: write --version 3.12 instead of {text}"
        raise InvalidCommand(message)
    try:
        return Version.parse(f"{text}.0" if kind else text)
    except ReleaseError as error:
        raise InvalidCommand(str(error)) from error


def _made(
    folder: Path, version: Version, clone: str, habit: str, kind: ReleaseType | None, *, farm: bool
) -> Path:
    """The release.toml of a simulated environment that exists from now on."""
    from plugins.rehearsal.world import make_world

    try:
        own = started_in() / Path(clone).expanduser() if clone else None
        return make_world(folder, version, own, habit, kind, farm=farm)
    except ValueError as error:
        raise StepFailed(
            where="--clone",
            problem=str(error),
            remedy="fetch it there, or rehearse without --clone",
        ) from error
    except OSError as error:
        raise StepFailed(
            where=str(folder),
            problem=f"the simulated environment cannot be created: {error}",
            remedy="correct that, or name another --folder",
        ) from error


def _in_its_environment(
    folder: Path, declaration: Path, faults: list[str], *, by_hand: bool, run: Sequence[str]
) -> int:
    """Publish while the simulated environment answers, or keep it answering; the exit status."""
    from plugins.rehearsal.serving import running_world
    from plugins.rehearsal.store import Store

    order(faults, Store(folder / "world" / "state"))
    with running_world(folder / "world") as world:
        say(f"rehearsing Python {folder.name} in {folder}")
        say(f"simulated environment: {world['world']}")
        if by_hand:
            return _wait(declaration)
        return _show(declaration, _publish(declaration, world.store, run))


def _publish(declaration: Path, store: Any, run: Sequence[str]) -> int:
    """Run `doit publish` until nobody can do anything more for it, as its people would."""
    status = _WAITING
    for _ in range(_MOST_ROUNDS):
        say("\n$ doit publish")
        status = doit(declaration, *run, "publish")
        if status != _WAITING:
            break
        if not play_people(declaration, store):
            time.sleep(_PAUSE_S)
    return status


def _wait(declaration: Path) -> int:
    say(f"release in it:  doit publish --release {shlex.quote(str(declaration))}")
    say("Ctrl-C stops the simulated environment; its state is kept")
    with suppress(KeyboardInterrupt):
        signal.pause()
    return 0


def _show(declaration: Path, status: int) -> int:
    say("")
    doit(declaration, "list", "--status")
    say(f"\nshow the state:  doit list --status --release {shlex.quote(str(declaration))}")
    return status


def _list_faults() -> int:
    for name, description in sorted(known_faults().items()):
        say(f"{name:<28}{description}")
    return 0
