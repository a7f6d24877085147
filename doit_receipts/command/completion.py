"""The tabcompletion command: a script by which a shell completes commands, options and tasks.

Everything is in the script, so that completing starts no program: doit takes a fifth of a second
to begin, which is too long between two keys. Who changes the plan writes the script anew.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.command.help_text import offered
from doit_receipts.command.option import option
from doit_receipts.loader import NOT_OFFERED, plan_of
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from doit_receipts.plan import Plan

__all__ = ["TabCompletion"]

_SHELLS: Final = ("bash", "zsh", "fish")
_SHELL: Final = option(
    "shell",
    "the shell that the script is for: bash, zsh or fish [default: bash]",
    default="bash",
    short="s",
)
_HARDCODED: Final = option(
    "hardcode_tasks",
    "as it is in any case; for those who are used to doit's own",
    long="hardcode-tasks",
)
_OF_WORDS: Final = re.compile(r"[\w.:+-]+")
_OF_FILES: Final = ("--dir", "--file", "--folder", "--output", "--release", "-d", "-f", "-o")
_APPROVALS, _GATES, _EXPLAINED = "approvals", "gates", "explained"
_TAKES: Final = {"approve": _APPROVALS, "check": _GATES, "why": _EXPLAINED}
_COMMAND, _TASK = "COMMAND", "TASK"


class _Words(NamedTuple):
    commands: Mapping[str, str]
    """Each with its purpose."""
    options: Mapping[str, Iterable[str]]
    tasks: Mapping[str, str]
    kinds: Mapping[str, Iterable[str]]
    """What a command takes that takes no task of any kind."""
    usage: Mapping[str, str]
    """What each command takes, as its help says it."""


class TabCompletion(OptionsAnywhere):
    """Write a script for bash, zsh or fish; with it, completing asks no program."""

    name = "tabcompletion"
    example = "doit tabcompletion --shell zsh > ~/.zfunc/_doit"
    doc_purpose = "write a script by which a shell completes commands, options and tasks"
    doc_usage = ""
    doc_description = None
    cmd_options = (_SHELL, _HARDCODED)

    def __init__(self, cmds: Any = None, **more: Any) -> None:
        super().__init__(cmds=cmds, **more)
        self._classes = cmds.to_dict() if cmds else {}
        self._more = {**more, "cmds": cmds}

    def _execute(self, shell: str, hardcode_tasks: Any, pos_args: Any) -> int:
        del hardcode_tasks
        if pos_args or shell not in _SHELLS:
            message = f"doit tabcompletion --shell takes one of {', '.join(_SHELLS)}, and no task"
            raise InvalidCommand(message)
        plan = plan_of(self)
        self.outstream.write(_SCRIPTS[shell](self._words(plan)))
        plan.state.close()
        return 0

    def _words(self, plan: Plan) -> _Words:
        commands, options, usage = {}, {}, {}
        for name, kind in sorted(self._classes.items()):
            if name in NOT_OFFERED:
                continue
            command = kind(**self._more)
            commands[name] = command.doc_purpose or ""
            usage[name] = command.doc_usage or ""
            given = [each for each in offered(command.get_options()) if each.long]
            options[name] = sorted(["--help", *(f"--{each.long}" for each in given)])
        tasks = {name: task.title for name, task in plan.tasks.items()}
        of_kind = {
            kind: [name for name, task in plan.tasks.items() if task.kind is kind]
            for kind in (Kind.APPROVAL, Kind.GATE)
        }
        labels = {
            word for task in plan.tasks.values() for words in task.labels.values() for word in words
        }
        known = sorted(
            each for each in (*labels, *plan.project.words()) if _OF_WORDS.fullmatch(each)
        )
        kinds = {
            _APPROVALS: of_kind[Kind.APPROVAL], _GATES: of_kind[Kind.GATE],
            _EXPLAINED: [*tasks, *known],
        }  # fmt: skip
        return _Words(commands, options, tasks, kinds, usage)


def _bash(words: _Words) -> str:
    """Only builtins: no program is started, and nothing of bash-completion is needed."""
    cases = "".join(
        f"    {name}) options={_quoted(given)}; words={_quoted(_taken(words, name))};;\n"
        for name, given in words.options.items()
    )
    return f"""\
# bash completion of doit, for the tasks of one release: source this file
_doit_of_a_release() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    local command= options= words= word
    COMPREPLY=()
    case $before in {"|".join(_OF_FILES)}) COMPREPLY=($(compgen -f -- "$current")); return;; esac
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in -*) ;; *) command=$word; break;; esac
    done
    case $command in
    "") options=--help; words={_quoted([*words.commands, *words.tasks])};;
{cases}    *) options={_quoted(words.options.get("run", ()))}; words={_quoted(words.tasks)};;
    esac
    case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current"));;
    *) COMPREPLY=($(compgen -W "$words" -- "$current"));;
    esac
}}
complete -o default -F _doit_of_a_release doit
"""


def _zsh(words: _Words) -> str:
    cases = "".join(
        f"    {name}) options=({_listed(given)}); words_=({_listed(_taken(words, name))});;\n"
        for name, given in words.options.items()
    )
    return f"""\
#compdef doit
# zsh completion of doit, for the tasks of one release: source this file after compinit,
# or let it be _doit in a folder of fpath
_doit_of_a_release() {{
    local command= word
    local -a options words_
    case ${{words[CURRENT-1]}} in ({"|".join(_OF_FILES)}) _files; return;; esac
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        [[ $word == -* ]] || {{ command=$word; break }}
    done
    case $command in
    "") options=(--help); words_=({_listed([*words.commands, *words.tasks])});;
{cases}    *) options=({_listed(words.options.get("run", ()))}); words_=({_listed(words.tasks)});;
    esac
    if [[ $PREFIX == -* ]]; then compadd -a options
    elif (( $#words_ )); then compadd -a words_
    else _files
    fi
}}
compdef _doit_of_a_release doit
# loaded by the first Tab, it has that one to answer as well
[[ ${{funcstack[1]-}} != _doit ]] || _doit_of_a_release "$@"
"""


def _fish(words: _Words) -> str:
    lines = ["# fish completion of doit, for the tasks of one release: source this file"]
    first = "-n __fish_use_subcommand"
    described = {**words.tasks, **words.commands}
    lines += [
        f"complete -c doit {first} -f -a {shlex.quote(name)} -d {_fish_quoted(text)}"
        for name, text in described.items()
    ]
    for name in words.commands:
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        lines += [f"complete -c doit {seen} -l {each[2:]}" for each in words.options[name]]
        taken = " ".join(_taken(words, name))
        if taken:
            lines.append(f"complete -c doit {seen} -f -a {_fish_quoted(taken)}")
    return "\n".join(lines) + "\n"


_SCRIPTS: Final[Mapping[str, Callable[[_Words], str]]] = {
    "bash": _bash, "zsh": _zsh, "fish": _fish,
}  # fmt: skip


def _taken(words: _Words, command: str) -> list[str]:
    """What this command takes; nothing where it takes files, or no word at all."""
    if command in _TAKES:
        return list(words.kinds[_TAKES[command]])
    usage = words.usage[command]
    commands = words.commands if _COMMAND in usage else ()
    return [*commands, *(words.tasks if commands or _TASK in usage else ())]


def _quoted(words: Iterable[str]) -> str:
    return shlex.quote(" ".join(words))


def _listed(words: Iterable[str]) -> str:
    return " ".join(map(shlex.quote, words))


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
