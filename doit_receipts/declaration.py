"""Declarations: a task as it is written, before all that it names is known, and what is wrong."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.calls import BadArgument, Call, digest_of
from doit_receipts.late import resolved
from doit_receipts.printable import counted
from doit_receipts.task import AMOUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from types import FrameType, TracebackType

    from doit_receipts.task import Task

__all__ = [
    "Declared",
    "arguments_for",
    "calls_of",
    "declaration_error",
    "known_labels",
    "near",
    "needs_of",
    "place_in",
    "place_of",
    "readable",
    "refuse_amounts",
    "refuse_creator",
    "refuse_misfits",
    "refuse_name",
    "refuse_paths",
]

_PARTS: Final = (
    "name", "title", "effect", "after", "reads", "writes", "extra_inputs", "look", "only",
    "volatile", "only_shown", "who", "of", "takes", "signs", "only_after", "of_published",
    "asks_others",
)  # fmt: skip
# A receipt has the task's name in its own, and doit reads = and : and a leading dash its own way.
_NAME: Final = r"\w[\w.-]*"
_HERE: Final = str(Path(__file__).parent)


class Declared:
    """A declared task: what ``after=`` names, and what gives its facts to others.

    ``task`` is None for one that this release lacks; ``place`` is the file and line.
    """

    __slots__ = ("after", "name", "place", "task")

    def __init__(
        self, name: str, place: str, task: Task | None, after: tuple[Declared | str, ...]
    ) -> None:
        self.name = name
        self.place = place
        self.task = task
        self.after = after

    def __repr__(self) -> str:
        return f"<task {self.name}>"


def place_of(source: Callable[..., Any] | FrameType, line: int | None = None) -> str:
    """``dodo.py:12``: where a function begins, or the line that is being executed."""
    code = getattr(source, "f_code", None) or getattr(source, "__code__", None)
    if code is None:
        return "dodo.py"
    line = line or getattr(source, "f_lineno", code.co_firstlineno)
    return f"{_shown(code.co_filename)}:{line}"


@functools.cache
def _shown(file: str) -> str:
    path = Path(file)
    # A chapter is named with its folder: several projects have a build.py.
    return path.name if path.name == "dodo.py" else f"{path.parent.name}/{path.name}"


def place_in(trace: TracebackType | None, otherwise: str = "dodo.py") -> str:
    """``dodo.py:12``: the last line outside of the engine that led to an error."""
    place = otherwise
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_HERE):
            place = place_of(trace.tb_frame, trace.tb_lineno)
        trace = trace.tb_next
    return place


def declaration_error(place: str, problem: str, remedy: str) -> Exception:
    """What to raise for a declaration that makes no sense; doit shows it as one line."""
    # late: doit loads 70 ms of modules, and a receipt can be read without it
    from doit.exceptions import InvalidDodoFile

    error: Exception = InvalidDodoFile(f"{place}: {problem}; {remedy}")
    return error


@contextmanager
def readable(otherwise: str = "dodo.py") -> Iterator[None]:
    """What Python cannot read or import in the block raises InvalidDodoFile, with its place."""
    try:
        yield
    except SyntaxError as error:
        place = f"{Path(error.filename or 'dodo.py').name}:{error.lineno or 1}"
        problem = f"Python cannot read it: {error.msg}"
        raise declaration_error(place, problem, "mend that line") from error
    except ImportError as error:
        place = place_in(error.__traceback__, otherwise)
        remedy = "install what has it into this environment, or mend the import"
        raise declaration_error(place, str(error), remedy) from error


def near(word: str, known: Iterable[str], otherwise: str) -> str:
    """What to do about a word that nobody knows: the nearest one that somebody does."""
    # late: only a mistake pays for it
    from difflib import get_close_matches

    spelled = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), list(spelled), n=1)
    return f"did you mean {spelled[found[0]]}?" if found else otherwise


def refuse_name(name: str, place: str) -> None:
    """Raise InvalidDodoFile for a name that no task can have."""
    if not re.fullmatch(_NAME, name):
        raise declaration_error(
            place,
            f"{name!r} is no name for a task",
            "letters, digits and . _ - make one, and it begins with a letter or a digit",
        )


def refuse_creator(creator: Callable[..., Any], place: str, name: str) -> None:
    """Raise InvalidDodoFile for a task's function that cannot be called without arguments."""
    code = creator.__code__
    many = code.co_argcount - len(creator.__defaults__ or ())
    if many > 0:
        raise declaration_error(
            place,
            f"{name} takes {', '.join(code.co_varnames[:many])}, and is called without arguments",
            "name what it needs in the call that it returns",
        )


def refuse_paths(
    kind: str, paths: Iterable[Any], place: str, name: str, *, work: Path | None = None
) -> None:
    """Raise InvalidDodoFile for what is no Path, or is not below ``work`` if that is given."""
    for path in paths:
        if not isinstance(path, Path):
            problem = f"{kind}= of {name} holds {path!r}, which is no Path"
            raise declaration_error(place, problem, f"write {kind}=[Path(...)]")
        if work is not None and not path.is_relative_to(work):
            raise declaration_error(
                place,
                f"{name} writes {path}, which is outside of the release's folder",
                f"write it below {work}; what is elsewhere is changed by a SHARED or PUBLIC step",
            )


def refuse_amounts(takes: Any, place: str, name: str) -> None:
    """Raise InvalidDodoFile for an amount of what no machine has, and for what is none."""
    if not isinstance(takes, Mapping):
        problem = f"takes= of {name} is no mapping"
        raise declaration_error(place, problem, 'write takes={"cores": 1}')
    for what, amount in takes.items():
        if what not in AMOUNTS:
            raise declaration_error(
                place,
                f"{name} takes {what}, which no machine has",
                near(str(what), AMOUNTS, f"a step can take {' and '.join(AMOUNTS)}"),
            )
        if type(amount) is not int or amount < 1:
            problem = f"{name} takes {amount!r} of {what}"
            raise declaration_error(place, problem, "write a whole number above 0")


def known_labels(
    labels: dict[str, Any], kinds: Collection[str], place: str, name: str
) -> dict[str, tuple[str, ...]]:
    """The labels as words. Raises InvalidDodoFile for a kind that the project does not have."""
    for kind, text in labels.items():
        if kind not in kinds:
            raise declaration_error(
                place,
                f"{name} is given {kind}=, which is neither a part of a task nor a label",
                near(
                    kind, [*_PARTS, *kinds], f"labels of this project: {', '.join(kinds) or 'none'}"
                ),
            )
        if not isinstance(text, str):
            raise declaration_error(
                place, f"the label {kind}= of {name} is no text", "write words in one text"
            )
    return {kind: tuple(text.split()) for kind, text in labels.items()}


def needs_of(after: Any, place: str, name: str) -> tuple[Declared | str, ...]:
    """What ``after=`` holds, as several. Raises InvalidDodoFile for what is no task."""
    single = isinstance(after, Declared | str) or not isinstance(after, Iterable)
    needs = (after,) if single else tuple(after)
    for each in needs:
        if not isinstance(each, Declared | str):
            shown = getattr(each, "__name__", type(each).__name__)
            raise declaration_error(
                place,
                f"{name} comes after {shown}, which is no task",
                "name a declared task, or write its name as text",
            )
    return needs


def calls_of(made: Any, work: Path, place: str, name: str) -> tuple[tuple[Call, ...], str]:
    """What a task's function returned, as calls, and the digest of their arguments.

    Raises InvalidDodoFile for anything else, and for an argument that cannot stand in a call.
    Whether the functions take their arguments ``refuse_misfits`` says.
    """
    calls = (made,) if isinstance(made, Call) else made
    calls = tuple(calls) if isinstance(calls, Iterable) else (made,)
    if not all(isinstance(each, Call) for each in calls):
        what = "nothing" if made is None else f"a {type(made).__name__}"
        raise declaration_error(
            place, f"{name} returns {what}", "end it with return call(function, its, arguments)"
        )
    try:
        digest = digest_of(calls, work)
    except BadArgument as error:
        raise declaration_error(
            place,
            f"{name}: {error}",
            "give the call values that tell themselves, each as an argument of its own",
        ) from error
    return calls, digest


def refuse_misfits(
    calls: Iterable[Call], look: Callable[[], Call] | None, place: str, name: str
) -> None:
    """All that a task's calls and its look name is imported, and each function takes its arguments.

    Raises InvalidDodoFile otherwise.
    """
    with readable(place):
        for each in calls:
            for function in each.functions():
                resolved(function)
            _refuse_arguments(each, place, name)
        if look is not None:
            look()


def _refuse_arguments(act: Call, place: str, name: str) -> None:
    """Raise InvalidDodoFile for arguments that the function of the call does not take."""
    function = resolved(act.function)
    names, required = _parameters(function)
    given = [*names[: len(act.arguments)], *(name for name, _ in act.named)]
    fits = required <= set(given) <= set(names) and len(given) == len(set(given))
    if fits and len(act.arguments) <= len(names):
        return
    try:
        wanted = signature(function)
    except ValueError:
        return  # one of C that does not say
    try:
        wanted.bind(*act.arguments, **dict(act.named))
    except TypeError as error:
        called = getattr(function, "__name__", "the function")
        problem = f"{name} calls {called}, which takes other arguments: {error}"
        raise declaration_error(place, problem, f"{called}{wanted} is what it takes") from error


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], set[str]]:
    """The parameters of a function by name, and those that have no default; none if unknown.

    ``signature`` of everything costs a listing as much as many imports do.
    """
    function = resolved(function)
    if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
        code, many = function.__code__, function.__code__.co_argcount
        names = code.co_varnames[: many + code.co_kwonlyargcount]
        required = set(names[: many - len(function.__defaults__ or ())])
        return names, required | set(names[many:]) - set(function.__kwdefaults__ or ())
    try:
        found = signature(function).parameters
    except ValueError:
        return (), set()
    return tuple(found), {name for name, each in found.items() if each.default is each.empty}


def look_of(
    look: Callable[..., Any], calls: tuple[Call, ...], place: str, name: str
) -> Callable[[], Call]:
    """What gives the call of ``look`` when it is needed: see ``arguments_for``.

    Raises InvalidDodoFile if the step does not do exactly one call.
    """
    if len(calls) != 1:
        raise declaration_error(
            place, f"{name} has a look and {counted(len(calls), 'call')}", "return exactly one call"
        )
    return functools.partial(arguments_for, look, calls[0], place, name)


def arguments_for(look: Callable[..., Any], act: Call, place: str, name: str) -> Call:
    """A call of ``look`` with those arguments of the act that it names itself.

    So a look cannot be at something else than what the act changes. Raises InvalidDodoFile if the
    act has no argument of a name that the look needs.
    """
    names, _ = _parameters(act.function)
    given = dict(zip(names, act.arguments, strict=False)) | dict(act.named)
    wanted, required = _parameters(look)
    missing = [each for each in wanted if each in required and each not in given]
    if missing:
        raise declaration_error(
            place,
            f"{name} looks by {look.__name__}, which needs {', '.join(missing)}, and its act"
            f" {act.function.__name__} has no argument of that name",
            "call the argument the same in both",
        )
    return Call(look, (), tuple((each, given[each]) for each in sorted(wanted) if each in given))
