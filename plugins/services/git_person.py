"""Git of a person: what the release manager's own git configuration says, where we need it.

Programs of ours see no configuration of a person, so that it changes no result. Three things are
theirs to say all the same: who they are, which clone of another user they trust, and how they log
in. They are asked of the files that git itself would read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugins.services.environment import exported

if TYPE_CHECKING:
    from plugins.ports.programs import Programs

__all__ = ["NO_LAZY_FETCH", "configured", "personal_files", "trusting"]

NO_LAZY_FETCH: Final = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
"""With these a partial clone does not fetch what it lacks, which would write it."""

_DUBIOUS: Final = "dubious ownership"
_DEVICE: Final = "/dev/null"


def personal_files() -> tuple[Path, ...]:
    """The person's configuration files in the order in which git reads them; the last one counts.

    Source: git-config(1), FILES: $GIT_CONFIG_GLOBAL in place of both others, else
    $XDG_CONFIG_HOME/git/config and ~/.gitconfig.
    """
    chosen = exported("GIT_CONFIG_GLOBAL")
    if chosen and chosen != _DEVICE:
        return (Path(chosen),)
    xdg = exported("XDG_CONFIG_HOME")
    folder = Path(xdg) if xdg else Path.home() / ".config"
    return (folder / "git" / "config", Path.home() / ".gitconfig")


def configured(folder: Path, pattern: str, programs: Programs) -> dict[str, str]:
    """Keys and values that match: the folder's own, then the person's, then the system's.

    Of a key that occurs twice in one place, the last counts.
    """
    values: dict[str, str] = {}
    for place, file in enumerate(personal_files()):
        environment = _of_person(file)
        if place:
            # read once, before all others: it must not replace what the file before says
            environment["GIT_CONFIG_NOSYSTEM"] = "1"
        found = programs.run(
            ["git", "-c", "safe.directory=*", "config", "--null", "--get-regexp", pattern],
            folder=folder,
            env=environment,
            check=False,
        )
        pairs = (entry.partition("\n") for entry in found.stdout.split("\0") if entry)
        values |= {key: value for key, _, value in pairs}
    return values


def trusting(folder: Path, programs: Programs) -> tuple[str, ...]:
    """Options of git with which it opens the folder; none where it does so by itself.

    A clone of another user is opened only if the person, or the system, marked it as safe, as
    git asks for: ``git config --global --add safe.directory FOLDER``.
    """
    asked = ["git", "rev-parse", "--git-dir"]
    if _DUBIOUS not in programs.run(asked, folder=folder, check=False).stderr:
        return ()
    for file in personal_files():
        if programs.run(asked, folder=folder, env=_of_person(file), check=False).status == 0:
            return ("-c", "safe.directory=*")
    return ()


def _of_person(file: Path) -> dict[str, str]:
    """Environment in which git reads the system's configuration and this file of the person."""
    system = exported("GIT_CONFIG_SYSTEM")
    return {
        "GIT_CONFIG_GLOBAL": str(file),
        "GIT_CONFIG_NOSYSTEM": "0",
        **({"GIT_CONFIG_SYSTEM": system} if system else {}),
    }
