"""Docs Python: the Python that the tree's documentation tools can be installed for.

A branch raises what it needs as its Sphinx does: the docs of 3.13.15 want 3.12, while this tool
runs from 3.11 on. pip knows; it is asked without installing anything.
"""

from __future__ import annotations

import json
import re
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.frozen import frozen
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from plugins.ports.programs import Completed, Programs

__all__ = [
    "PythonFound", "candidates", "left_until", "machine_of", "our_pip", "python_for", "resolved",
]  # fmt: skip

_NEWEST: Final = 30
_OLDEST: Final = 9
_TIMEOUT_S: Final = 120.0
_MOST_REPORT: Final = 64 << 20
_LOWER: Final = re.compile(r"(?:^|,)\s*(?:>=|~=|==)\s*(3(?:\.\d{1,5}){1,2})")
_NOTHING: Final = "No matching distribution found for "
_ABSENT: Final = re.compile(
    r"\(from versions: (?!none\))[^)\n]+\)\s+ERROR: " + _NOTHING + r"(\S{1,100})"
)
"""Some other version was seen: pip says ``none`` of an index that refuses to answer, too."""
_FAILED_AT: Final = re.compile(
    _NOTHING + r"([\w.-]{1,100})|Package '([\w.-]{1,100})' requires a different Python"
)
_UNREACHED: Final = "Retrying (Retry("


@frozen
class PythonFound:
    """The Python to take, or, where each of those here is too old, what is wrong and what to do."""

    python: Path | None
    problem: str = ""
    remedy: str = ""
    report: str = ""
    """What pip reports that it would install for it, as JSON; "" if it did not say."""


def candidates(programs: Programs) -> Iterator[Path]:
    """Pythons of this machine that may run the tools: the one that runs us, then the newest.

    Each is tried only when it is asked for: a shim may take half a second to say that it is one.
    """
    yield Path(sys.executable)
    for minor in range(_NEWEST, _OLDEST - 1, -1):
        other = programs.find(f"python3.{minor}")
        if other is not None and minor != sys.version_info.minor and _works(other, programs):
            yield other


def our_pip(python: Path, *words: str | Path) -> list[str | Path]:
    """The words that have this tool's own pip work for that Python.

    The folder that it is started in adds nothing to it, which may hold a pip.py. It is ``/`` all
    the same: pip looks there for what a requirement names by a path.
    """
    return [sys.executable, "-I", "-m", "pip", "--python", python, *words]


def machine_of(python: Path, programs: Programs) -> str:
    """What wheels have to be for: ``CPython 3.11 on linux-x86_64``."""
    show = (
        "import platform as p, sys, sysconfig; "
        "print(p.python_implementation(), '%d.%d' % sys.version_info[:2], 'on', "
        "sysconfig.get_platform())"
    )
    asked = (str(python), "-c", show)
    return programs.run(asked, folder=Path("/"), timeout_s=_TIMEOUT_S).stdout.strip()


def _works(python: Path, programs: Programs) -> bool:
    """Whether it can make an environment: what is on PATH may be a shim, or lack a part."""
    asked = (str(python), "-c", "import venv")
    ended = programs.run(asked, folder=Path("/"), timeout_s=_TIMEOUT_S, check=False)
    return ended.status == 0


@frozen
class _Refused:
    """A Python that pip did not find all for: later ones that were asked for, and what it lacks."""

    python: Path
    version: tuple[int, ...]
    later: tuple[tuple[int, ...], ...]
    lacking: tuple[str, ...]


def python_for(
    requirements: Path,
    programs: Programs,
    *,
    constraints: Path | None = None,
    among: Sequence[Path] = (),
    least_minor: int = 0,
    locked: bool = False,
    timeout_s: float = _TIMEOUT_S,
    until_s: float | None = None,
) -> PythonFound:
    """The first Python ``among`` those here for which pip finds all that is required.

    What a required package needs itself counts, and may have wheels for fewer Pythons. Those
    before 3.``least_minor`` are passed over. Where pip fails for another reason, such as no
    network or an index that is slow or refuses to answer, or a Python that is too old for one
    package and lacks another, it is the first that pip failed so for, for want of a better answer.
    No constraint changes versions that are ``locked``.

    ``timeout_s`` is the time for each question. With ``until_s``, of the monotonic clock, there is
    that much for all of them, and a pip that cannot be asked or does not answer raises
    ServiceFailed.
    """
    seen: list[Path] = []
    refused: list[_Refused] = []
    unknown: Path | None = None
    for python in among or candidates(programs):
        seen.append(python)
        if least_minor and _version_of(python, programs) < (3, least_minor):
            continue
        asked = partial(
            _answered, python, requirements, constraints, programs,
            timeout_s=timeout_s, until_s=until_s,
        )  # fmt: skip
        ended = asked()
        if ended is None or ended.status == 0:
            return PythonFound(python, report=ended.stdout if ended is not None else "")
        said = ended.stdout + ended.stderr
        # What pip says of Pythons names no package, and may be of another than the one that it
        # lacks. Whether they are the reason shows where it finds that as soon as it ignores them.
        ignoring = asked(ignoring=True) if _FAILED_AT.search(said) else None
        one = _refused(python, said, ignoring, programs)
        if one.later or one.lacking:
            refused.append(one)
        elif _FAILED_AT.search(said) and _UNREACHED not in said:
            # It may be too old, there may be a wheel for another, or an index refuses to answer.
            unknown = unknown or python
        else:
            # Whatever it is is for the installation to report.
            return PythonFound(python)
    if unknown is not None:
        return PythonFound(unknown)
    newest = max((one.version for one in refused), default=())
    # A later Python that one of these is itself, or is older than, does not help.
    wanted = [bound for one in refused for bound in one.later if bound > newest]
    lacking = [one for one in refused if one.lacking and not (wanted or one.later)]
    if lacking:
        return _lacks(lacking, seen, locked=locked)
    least = ".".join(map(str, min(wanted, default=(3, least_minor))[:2]))
    here = ", ".join(map(str, seen))
    return PythonFound(
        None,
        f"needs Python {least} or later; this machine has only {here}",
        f"install Python {least} so that python{least} is on PATH, or name another in "
        "[docs] python",
    )


def _refused(python: Path, said: str, ignoring: Completed | None, programs: Programs) -> _Refused:
    version = _version_of(python, programs)
    failed_at = {_plain(one or other) for one, other in _FAILED_AT.findall(said)}
    required = _required(ignoring.stdout, failed_at) if ignoring and not ignoring.status else ()
    bounds = {
        tuple(map(int, bound.split("."))) for one in required for bound in _LOWER.findall(one)
    }
    later = tuple(sorted(bound for bound in bounds if bound > version))
    lacking = () if _UNREACHED in said else tuple(_ABSENT.findall(said))
    return _Refused(python, version, later, lacking)


def _lacks(lacking: Sequence[_Refused], seen: Sequence[Path], *, locked: bool) -> PythonFound:
    """These are new enough for whatever was asked, and have no wheel of the same package."""
    without = [one.python for one in lacking]
    others = [str(python) for python in seen if python not in without]
    old = f"; {', '.join(others)} is too old" if others else ""
    pin = "" if locked else "pin a version that has one by [docs] constraints in release.toml, "
    return PythonFound(
        None,
        f"{printable(lacking[0].lacking[0])} has no wheel for {', '.join(map(str, without))}{old}",
        f"install a Python that it has one for, {pin}or name a Python in [docs] python",
    )


def _version_of(python: Path, programs: Programs) -> tuple[int, ...]:
    """Its three numbers; none where it cannot say."""
    asked = (str(python), "-c", "import sys; print(*sys.version_info[:3])")
    said = programs.run(asked, folder=Path("/"), timeout_s=_TIMEOUT_S, check=False).stdout.split()
    return tuple(map(int, said)) if all(map(str.isdigit, said)) else ()


def _plain(name: str) -> str:
    """The name of a package as it is compared. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(report: str, names: Collection[str]) -> list[str]:
    """The Requires-Python of those packages in pip's report."""
    try:
        packages = [each["metadata"] for each in json.loads(report[:_MOST_REPORT])["install"]]
        return [
            str(each.get("requires_python", ""))
            for each in packages
            if _plain(str(each["name"])) in names
        ]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return []


def _answered(
    python: Path,
    requirements: Path,
    constraints: Path | None,
    programs: Programs,
    *,
    timeout_s: float,
    until_s: float | None,
    ignoring: bool = False,
) -> Completed | None:
    """What pip answered, None for nothing in time: the installation waits longer for the same."""
    left_s = timeout_s if until_s is None else left_until(until_s)
    try:
        return resolved(
            python, requirements, constraints, programs, timeout_s=left_s, ignoring=ignoring
        )
    except ServiceFailed:
        if until_s is not None:
            raise
        return None


def left_until(until_s: float) -> float:
    """The whole seconds until then by the monotonic clock, and one where it is over."""
    return float(max(1, round(until_s - time.monotonic())))


def resolved(
    python: Path,
    requirements: Path,
    constraints: Path | None,
    programs: Programs,
    *,
    timeout_s: float,
    ignoring: bool = False,
) -> Completed:
    """What pip would install now, as its report says; nothing is installed, no package's code runs.

    ``ignoring``: whatever Python the packages require. Raises ServiceFailed for no answer in time.
    """
    words = our_pip(python, "install")
    words += ["--dry-run", "--ignore-installed", "--quiet", "--no-input"]
    words += ["--only-binary", ":all:", "--report", "-", "-r", requirements]
    words += ["--ignore-requires-python"] if ignoring else []
    reads = [Path(sys.executable), python, requirements]
    if constraints:
        words += ["-c", constraints]
        reads.append(constraints)
    # Those of a tree name others beside them; the lines of a lock name nothing.
    reads += [requirements.parent] if requirements.parent.name == "Doc" else []
    confined = programs.confined(reads=reads, network=True)
    return confined.run(words, folder=Path("/"), timeout_s=timeout_s, check=False)
