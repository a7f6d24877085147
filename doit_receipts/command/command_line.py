"""Command line of our commands: the order of their words, and the status that they end with."""

from __future__ import annotations

import os
import re
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit.cmd_base import Command, DoitCmdBase
from doit.cmdparse import CmdParseError
from doit.exceptions import InvalidCommand, InvalidDodoFile, InvalidTask

from doit_receipts.command.option import option
from doit_receipts.declaration import near, readable
from doit_receipts.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = [
    "JSON",
    "NO_TASK",
    "EndsAsTold",
    "OptionsAnywhere",
    "WordsInAnyOrder",
    "no_such_task",
    "options_first",
]

JSON: Final = option("as_json", "the same as one JSON document, for programs", long="json")
"""The option of commands that programs ask as well."""

NO_TASK: Final = "is not a task of this release"
"""What is wrong with a name that no task has."""

_FAILED: Final = 1
_READER_LEFT: Final = 141  # as a shell tells it of a program that SIGPIPE ended
_BUG: Final = 2
_STOPPED: Final = 130
# As doit tells of a value that is of another type than the option's.
_UNREAD: Final = r"parameter '(\w+)' <class '(\w+)'>\.\n.*('.*')"
_HELP: Final = frozenset({"-h", "--help"})


class EndsAsTold(Command):
    """A command whose exit status tells an error that a person can act on from a bug.

    doit ends with 3 for both. Here that is left to what is wrong with words, settings, dodo.py and
    what it imports; a ReleaseError is one line and status 1, a bug its traceback and status 2.
    """

    example = ""
    """Lines that somebody could type, for the help."""
    not_told: Collection[str] = ()
    """Names of options that a release has no use for: they are parsed, and not in the help."""

    def help(self) -> str:
        """What ``--help`` shows: usage, one sentence, options with their defaults, an example."""
        # late: only who asks for help pays for its words
        from doit_receipts.command.help_text import help_text

        told = (each for each in self.cmdparser.options if each.name not in self.not_told)
        return help_text(self, told, self.example)

    def parse_execute(self, in_args: Sequence[str]) -> Any:
        """Do what the words ask for; ``--help`` as the first of them shows what can be."""
        _speak_anyway()
        try:
            with readable():
                return self._executed(in_args)
        except (CmdParseError, InvalidCommand, InvalidDodoFile, InvalidTask):
            raise
        except KeyboardInterrupt:
            # Before a run began, or of a command that only looks: nothing was being done.
            sys.stderr.write("\nstopped by Ctrl-C\n")
            return _STOPPED
        except BrokenPipeError:
            # Whoever reads has seen enough, as with `doit list --status | head`.
            _forget_the_reader()
            return _READER_LEFT
        except ReleaseError as error:
            sys.stderr.write(
                "".join(f"{_completed(line)}\n" for line in (str(error), *error.details))
            )
            return _FAILED
        except OSError as error:
            return _tell_of_disk(error)
        except (Exception, SystemExit):  # noqa: BLE001 - the one place that turns a bug into a report
            # A step that leaves the program is not done, whatever status it asks for.
            return _tell_of_bug()
        finally:
            _shout()

    def _executed(self, in_args: Sequence[str]) -> Any:
        if in_args and in_args[0] in _HELP:
            sys.stdout.write(f"{self.help()}\n")
            return 0
        status = super().parse_execute(in_args)
        sys.stdout.flush()  # a reader that left is noticed here, and not when Python ends
        return status


def _completed(line: str) -> str:
    """The line, its commands as they have to be typed for the release that is open."""
    from doit_receipts.plan import OPENED

    plan = OPENED.get(None)
    return line if plan is None else plan.completed(line)


def _shout() -> None:
    """Say what must not be left as it is, whatever the command was and however it ended."""
    from doit_receipts.plan import OPENED

    plan = OPENED.get(None)
    with readable():
        for message in plan.alarms() if plan is not None else ():
            sys.stderr.write(f"!!! {message}\n")


def _tell_of_disk(error: OSError) -> int:
    """The exit status for an error that the disk or its permissions make, or else a bug."""
    from doit_receipts.plan import OPENED
    from doit_receipts.runner import refused_by_disk

    plan = OPENED.get(None)
    try:
        message = refused_by_disk(error, plan.folder.work if plan else Path())
    except OSError:
        return _tell_of_bug()
    sys.stderr.write(f"{message}\n")
    return _FAILED


def _tell_of_bug() -> int:
    """The exit status for the error that is being handled."""
    from traceback import format_exc

    sys.stderr.write(f"this is a bug in the tool or in dodo.py\n{format_exc()}")
    return _BUG


def _forget_the_reader() -> None:
    """Python flushes when it ends, and would tell of the closed pipe once more."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, sys.stdout.fileno())
    os.close(descriptor)


def _speak_anyway() -> None:
    """What a terminal of another alphabet cannot show is spelled out, and ends nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class WordsInAnyOrder(EndsAsTold):
    """A command that reads ``doit why build_docs --release FILE`` as people write it.

    doit takes options only before the first name, and what stands behind it for more names.
    """

    tasks_take_options = False
    """Whether an option that is none of the command's may be a task's own."""

    def parse_execute(self, in_args: Sequence[str]) -> Any:
        """Parse the words in any order and do what they ask for; ``--help`` shows all of them."""
        if _HELP.intersection(in_args):
            return super().parse_execute(["--help"])
        try:
            ordered = options_first(in_args, self.cmdparser)
        except CmdParseError as error:
            message = f"doit {self.name}: {error}; doit help {self.name} shows its options"
            raise InvalidCommand(message) from error
        if ordered is None:
            # In front, where doit sees what it has to refuse.
            in_front = sorted(in_args, key=lambda word: not word.startswith("-"))
            ordered = list(in_args) if self.tasks_take_options else in_front
        try:
            return super().parse_execute(ordered)
        except CmdParseError as error:
            raise InvalidCommand(self._misread(str(error))) from error

    def _misread(self, problem: str) -> str:
        """What is wrong with an option, without the objects that doit appends for itself."""
        unread = re.search(_UNREAD, problem)
        if unread:
            name, kind, given = unread.groups()
            option = next(each for each in self.cmdparser.options if each.name == name)
            wanted = "a number" if kind in ("int", "float") else kind
            return f"doit {self.name}: --{option.long} is {given}, wanted {wanted}"
        problem = problem.partition(": ")[2].partition(" (parsing options")[0] or problem
        given = re.search(r"--([a-z-]+)", problem)
        known = [f"--{option.long}" for option in self.cmdparser.options if option.long]
        hint = near(given[0], known, "") if given else ""
        return f"doit {self.name}: {problem}; {hint or f'doit help {self.name} shows its options'}"


class OptionsAnywhere(WordsInAnyOrder, DoitCmdBase):
    """A command about the tasks of dodo.py that reads its words in any order."""

    asks_plan = True
    """Whether the plan is all that it asks: doit's own tasks are not even made then."""


def no_such_task(name: str, tasks: Iterable[str]) -> InvalidCommand:
    """What to raise for a name that no task has, with the nearest that one has."""
    otherwise = f"an option is written --{name}" if "=" in name else "doit list shows them"
    meant = near(name, tasks, otherwise)
    return InvalidCommand(f"'{name}' {NO_TASK}; {meant}")


def options_first(words: Sequence[str], parser: Any) -> list[str] | None:
    """The same words in the order that doit reads; None if one is not an option of the command.

    Raises CmdParseError for an option that lacks its value.
    """
    from getopt import GetoptError, gnu_getopt

    takes_value = set(parser.get_long())
    try:
        options, names = gnu_getopt(list(words), parser.get_short(), parser.get_long())
    except GetoptError as error:
        if error.msg.endswith(" requires argument"):
            message = error.msg.replace(" requires argument", " needs a value")
            raise CmdParseError(message) from error
        return None
    first = [
        f"{name}={value}" if f"{name[2:]}=" in takes_value else f"{name}{value}"
        for name, value in options
    ]
    return [*first, "--", *names]
