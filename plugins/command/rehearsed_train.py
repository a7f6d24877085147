"""A rehearsed train: several releases of one day in one simulated environment, all at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.errors import ReleaseError, StepFailed
from plugins.command.rehearsed import doit, order, play_people, rehearsal_folder, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.model.version import Version

__all__ = ["rehearse_train"]

_WAITING: Final = 4
_MOST_ROUNDS: Final = 60
_PAUSE_S: Final = 0.5


def rehearse_train(chosen: Mapping[str, Any], run: Sequence[str]) -> int:
    """Rehearse all releases of the day to their end; the worst status of the last round."""
    from plugins.rehearsal.serving import running_world
    from plugins.rehearsal.store import Store
    from plugins.rehearsal.trains import make_train

    if chosen["kind"] or chosen["own_clone"] or chosen["export_only"] or chosen["world_only"]:
        message = "--kind, --clone, --export-only and --world work with one version only"
        raise InvalidCommand(message)
    versions = _versions(chosen["version"])
    folder = rehearsal_folder(chosen["folder"]) / "-".join(map(str, versions))
    seconds = chosen["embargo"]
    now = datetime.now(UTC)  # noqa: TID251 - the hour is that of the people who rehearse
    hour = now + timedelta(seconds=seconds) if seconds else None
    try:
        train = make_train(folder, versions, chosen["habit"], hour)
    except (ValueError, OSError) as error:
        raise StepFailed(
            where="the train",
            problem=str(error),
            remedy="remove the folder that --folder names, then rehearse again",
        ) from error
    declarations = [folder / f"{version}.toml" for version in versions]
    order(chosen["faults"], Store(folder / "world" / "state"))
    with running_world(folder / "world") as world:
        say(f"rehearsing Python {', '.join(map(str, versions))} in {folder}")
        say(f"simulated environment: {world['world']}")
        status = _publish(declarations, world.store, run)
    _list(train)
    say(f"\nshow the state:  doit train --train {train} list --status")
    return status


def _versions(text: str) -> list[Version]:
    from plugins.model.version import Version

    try:
        return [Version.parse(each.strip()) for each in text.split(",")]
    except ReleaseError as error:
        raise InvalidCommand(str(error)) from error


def _publish(declarations: Sequence[Path], store: Any, run: Sequence[str]) -> int:
    """Every release runs by itself, with its people, until nobody can do anything more."""
    left = dict.fromkeys(declarations, _WAITING)
    for _ in range(_MOST_ROUNDS):
        open_ = [each for each, status in left.items() if status == _WAITING]
        if not open_:
            break
        say(f"\n$ doit publish    # {', '.join(each.stem for each in open_)}, at once")
        left |= _runs(open_, run)
        acted = [_people(each, store) for each in open_ if left[each] == _WAITING]
        if not any(acted):
            time.sleep(_PAUSE_S)
    return max(left.values(), key=lambda status: (status != 0, status != _WAITING, status))


def _runs(declarations: Sequence[Path], run: Sequence[str]) -> dict[Path, int]:
    """``doit publish`` of each, all at once; their statuses. What each says stays together."""
    from plugins.rehearsal.machine import forked

    ended = forked([partial(doit, each, *run, "publish") for each in declarations])
    found = {}
    for each, (status, said) in zip(declarations, ended, strict=True):
        say(f"\n── {each.stem}\n{said.rstrip()}")
        found[each] = status
    return found


def _people(declaration: Path, store: Any) -> bool:
    """Everybody gives the green lights that this release asks of them; whether anybody did."""
    doit(declaration, "next")
    return play_people(declaration, store)


def _list(train: Path) -> None:
    from doit.doit_cmd import DoitMain

    DoitMain().run(["train", f"--train={train}", "list", "--status"])
