"""The train command: one command of doit for each of the releases that are made on one day."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit.cmdparse import CmdOption, CmdParse, CmdParseError
from doit.exceptions import InvalidCommand, InvalidDodoFile

from doit_receipts.approvals import beginning
from doit_receipts.command.command_line import NO_TASK, EndsAsTold, options_first
from doit_receipts.command.option import option
from doit_receipts.errors import SettingsError
from doit_receipts.intents import inputs_digest
from doit_receipts.typed import started_in, typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plugins.model.train import Member, Train

__all__ = ["TrainCommand", "each_release"]

_OPT_FILE: Final = option(
    "train_file",
    "the declaration of the train [default: %(default)s]",
    default="train.toml",
    long="train",
    metavar="FILE",
    env_var="PEP101_TRAIN",
)
_WAITING: Final = 4
_WAITS: Final = ("--wait", "--wait-hours")
_OF_ONE_RELEASE: Final = {
    ("report", "--follow"): "doit train would follow the lead, and never come to the others",
    ("graph", "--svg"): "a file of SVG holds one drawing, and each release has its own",
}
_JSON: Final = "--json"
_SEVERITY: Final = (0, 4, 1, 3, 2)
"""Exit statuses from the one that others hide to the one that hides all others."""


class TrainCommand(EndsAsTold):
    """Do a command for each release of a train, in its order; the worst status is its own."""

    name = "train"
    example = "doit train list --status\ndoit train publish"
    doc_purpose = "do a command for each release of one day, such as doit train list --status"
    doc_usage = "COMMAND [WORD ...]"
    doc_description = (
        "A run goes round until no release gets any further. An approval is given for all of them"
        " or for none; a word about an act, adopt or retry, is noted wherever it is open. With"
        " --json, the documents of all releases are one list."
    )
    cmd_options = (_OPT_FILE,)

    def __init__(self, cmds: Any = (), **more: Any) -> None:
        """As doit makes its commands; it gives all of them."""
        super().__init__(cmds=cmds, **more)
        self._commands = cmds

    def execute(self, opt_values: Any, pos_args: Any) -> int:
        """Do it; a word that is no command of doit is a task to run."""
        if not pos_args:
            message = "doit train wants a command, such as doit train list --status"
            raise InvalidCommand(message)
        if _has(pos_args, "--release"):
            message = "doit train names the releases itself: leave --release out"
            raise InvalidCommand(message)
        if pos_args[0] not in _COMMANDS and pos_args[0] in self._commands:
            message = (
                f"doit train does not do {pos_args[0]}: run doit {pos_args[0]} for one release,"
                " with --release FILE where it takes that"
            )
            raise InvalidCommand(message)
        if _has(pos_args, "--output") or any(word[:2] == "-o" for word in pos_args):
            message = (
                "each release would write over the file of the one before: leave --output out, or"
                f" run doit {pos_args[0]} --release FILE --output OTHER for each"
            )
            raise InvalidCommand(message)
        if any(_has(pos_args, each) for each in _WAITS):
            message = (
                "doit train goes round its releases, and would wait in the first for one that"
                " comes after it: leave --wait out, and run it again once somebody approved"
            )
            raise InvalidCommand(message)
        for (command, word), why in _OF_ONE_RELEASE.items():
            if pos_args[0] == command and _has(pos_args, word):
                message = f"{why}: run doit {command} {word} --release FILE for each of them"
                raise InvalidCommand(message)
        train = _train(started_in() / Path(opt_values["train_file"]).expanduser())
        told = _told(opt_values["train_file"])
        if pos_args[0] == "approve":
            return _approve(train, pos_args, told)
        if pos_args[0] in _WORDS:
            return _decide(train, pos_args)
        return _do(train, pos_args, told)


def _has(words: Sequence[str], option: str) -> bool:
    """Whether one of the words is the option, or what is short for it."""
    given = (word.partition("=")[0] for word in words)
    return any(len(word) > len("--") and option.startswith(word) for word in given)


_WORDS: Final = frozenset({"adopt", "retry"})
_COMMANDS: Final = _WORDS | {
    "approve", "check", "graph", "list", "next", "plan", "report", "run", "verify", "why",
}  # fmt: skip


_NAMELESS: Final = frozenset({"check", "next", "plan", "run", "verify", "why"})
"""Commands that do not say themselves of which release they tell."""


def _do(train: Train, words: Sequence[str], told: Sequence[str]) -> int:
    """The command, or run of tasks, was done; what all releases wait for is shown behind it."""
    runs = words[0] not in _COMMANDS or words[0] == "run"
    status, before = _WAITING, None
    while status == _WAITING and before != (left := _left(train)):
        status = each_release(train, words if words[0] in _COMMANDS else ["run", *words])
        before = left
        if not runs:
            break
    tells = _has(words, "--status") or "-s" in words
    shows = words[0] == "next" or (words[0] == "list" and tells)
    if (shows or (runs and status == _WAITING)) and not _has(words, _JSON):
        _show_asked(train, told)
    return status


def each_release(train: Train, words: Sequence[str]) -> int:
    """The command was done for each release in order; the worst of their exit statuses."""
    do = _documents if _has(words, _JSON) else _one_by_one
    return max(do(train, words), key=_severity)


def _one_by_one(train: Train, words: Sequence[str]) -> list[int]:
    found = []
    for member in train.releases:
        if words[0] in _NAMELESS:
            sys.stdout.write(f"{member.name}:\n")
            sys.stdout.flush()
        found.append(_doit(*words, f"--release={member.file}"))
    return found


def _documents(train: Train, words: Sequence[str]) -> list[int]:
    """The documents of all releases are one, a list of them."""
    found, documents = [], []
    for member in train.releases:
        status, document, told = _answered(member, words)
        sys.stderr.write(told)
        found.append(status)
        documents.append(document.strip())
    joined = ",\n".join(filter(None, documents))
    sys.stdout.write(f"[{joined}]\n")
    return found


def _severity(status: int) -> int:
    return _SEVERITY.index(status) if status in _SEVERITY else len(_SEVERITY)


def _train(file: Path) -> Train:
    """The train, each of whose releases knows that it is one of it. Raises InvalidDodoFile."""
    from plugins.model.settings import train_at

    try:
        train = train_at(file)
        for member in train.releases:
            _refuse_stranger(member, _train_of(member), train)
    except SettingsError as error:
        raise InvalidDodoFile("\n".join((str(error), *error.details))) from error
    return train


def _train_of(member: Member) -> Train | None:
    from plugins.model.settings import read_settings

    try:
        return read_settings(member.file).train
    except SettingsError as error:
        raise member.named(error) from error


def _refuse_stranger(member: Member, named: Train | None, train: Train) -> None:
    if named != train:
        raise SettingsError(
            where=member.name,
            problem=f"does not name {train.file.name}, and would be released alone",
            remedy=f'write train = "{train.file.name}" at its top',
        )


def _approve(train: Train, words: Sequence[str], told: Sequence[str]) -> int:
    """The person's green light for each release, or for none while one of them is not ready.

    A digest is one of what all of them are about now; each release is given its own by it.
    """
    # late: only who approves needs what an approval is
    from doit_receipts.command.approve import UNSEEN

    options, names = _options_and_names(words)
    each_words = [list(words)] * len(train.releases)
    shown = ""
    if len(names) in (1, 2):
        subjects = {}
        for member in train.releases:
            status, said, subject = _subject(member, names[0])
            if status:
                sys.stdout.write(f"{said}nothing was approved\n")
                return status
            subjects[member.name] = subject
        shown = _command(told, names[0], subjects)
        if names[1:]:
            digest, now = names[1].lower(), inputs_digest(subjects)
            if len(digest) < len(beginning(now)) or not now.startswith(digest):
                sys.stdout.write(
                    f"{names[0]}: is about {beginning(now)} now, and {names[1]} was looked at;"
                    " nothing was approved; look at what doit train next shows, then\n"
                    f"  {shown}\n"
                )
                return 1
            each_words = [["approve", *options, names[0], subject] for subject in subjects.values()]
    for member, its in zip(train.releases, each_words, strict=True):
        status, said = _heard(member, [*its, "--trial"])
        if status:
            is_other = UNSEEN in said
            more = f"; for all releases, look at each, then\n  {shown}" if is_other else ""
            sys.stdout.write(f"{said}nothing was approved{more}\n")
            return status
    for member, its in zip(train.releases, each_words, strict=True):
        if status := _doit(*its, f"--release={member.file}"):
            sys.stdout.write(f"{member.name} is not approved, nor is any release after it\n")
            return status
    return 0


def _options_and_names(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options of an approval and the names that it is given; none if they cannot be read."""
    from doit_receipts.command.approve import Approve

    known = CmdParse([CmdOption(each) for each in Approve.cmd_options])
    told = None
    # What cannot be read here is told by the command itself.
    with suppress(CmdParseError):
        told = options_first(words[1:], known)
    if not told:
        return [], []
    return told[: told.index("--")], told[told.index("--") + 1 :]


def _subject(member: Member, approval: str) -> tuple[int, str, str]:
    """What the release would approve now, behind the status and words of the command for it."""
    status, statement, said = _answered(member, ["approve", approval, "--statement"])
    if status:
        return status, f"{member.name}: {statement}{said}", ""
    return 0, "", json.loads(statement)["subject"]


def _show_asked(train: Train, told: Sequence[str]) -> None:
    """What people are asked to approve is shown, with one digest, where all releases have it."""
    if not any(_waits(member) for member in train.releases):
        return
    asked: dict[str, None] = {}
    for member in train.releases:
        status, document, _ = _answered(member, ["next", _JSON])
        people = [] if status else json.loads(document)["people"]
        tasks = [task for person in people for task in person["tasks"] if task["command"]]
        asked |= dict.fromkeys(task["name"] for task in tasks)
    for name in asked:
        found = {each.name: _subject(each, name) for each in train.releases}
        if not any(status for status, _, _ in found.values()):
            subjects = {each: subject for each, (_, _, subject) in found.items()}
            sys.stdout.write(f"for all releases: {_command(told, name, subjects)}\n")


def _waits(member: Member) -> bool:
    """Whether anything of the release waits, by its journal: quick, for a list asks it too."""
    from doit_receipts.task_times import stops_in
    from doit_receipts.work_folder import WorkFolder
    from plugins.model.settings import read_settings, release_of

    folder = WorkFolder(release_of(read_settings(member.file)).layout.work)
    return any(event == "waiting" for event, _ in stops_in(folder).values())


def _command(told: Sequence[str], approval: str, subjects: Mapping[str, str]) -> str:
    """The words to type to approve all of it; subjects by the name of their release."""
    return typed("train", *told, "approve", approval, beginning(inputs_digest(subjects)))


def _told(file: str) -> list[str]:
    """The words that name the train, where one with its usual name, or by PEP101_TRAIN, is not."""
    from plugins.services.environment import exported

    usual = exported(_OPT_FILE["env_var"]) or _OPT_FILE["default"]
    return [] if file == usual else ["--train", shlex.quote(file)]


def _decide(train: Train, words: Sequence[str]) -> int:
    """The person's word about an act is noted for each release where it is open.

    What the others say of it is shown. It fails if one of them could not take it, and as mildly as
    one of them if it is open nowhere.
    """
    # late: only who decides needs what an act is
    from doit_receipts.command.adopt_retry import NOTHING_TO_DECIDE

    noted: list[int] = []
    closed: list[int] = []
    for member in train.releases:
        status, said = _heard(member, words)
        sys.stdout.write(said)
        is_closed = status and (NOTHING_TO_DECIDE in said or NO_TASK in said)
        (closed if is_closed else noted).append(status)
    return max(noted, key=_severity) if noted else min(closed, key=_severity)


def _heard(member: Member, words: Sequence[str]) -> tuple[int, str]:
    """The command's exit status for one release, and what it said with the release's name."""
    status, out, told = _answered(member, words)
    return status, f"{member.name}: {out}{told}"


def _answered(member: Member, words: Sequence[str]) -> tuple[int, str, str]:
    """The command's exit status for one release, its output, and what it told people beside that.

    An alarm is told beside a document that is whole.
    """
    import contextlib
    import io

    out, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        status = _doit(*words, f"--release={member.file}")
    return status, out.getvalue(), told.getvalue()


def _left(train: Train) -> list[tuple[str, int]]:
    """The receipts of all releases, by which a round is known to have got somewhere."""
    return [(str(path), path.stat().st_mtime_ns) for path in _receipts(train)]


def _receipts(train: Train) -> Iterator[Path]:
    from plugins.model.settings import read_settings, release_of

    for member in train.releases:
        layout = release_of(read_settings(member.file)).layout
        yield from sorted(layout.receipts.glob("*.json"))


def _doit(*words: str) -> int:
    from doit.doit_cmd import DoitMain

    status: int = DoitMain().run(list(words))
    return status
