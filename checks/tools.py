"""Tools: whether the programs that the release runs are here, and new enough (P03, P04, P06)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from plugins.model.local_settings import SourceTest
    from plugins.model.release import Release
    from plugins.ports.programs import Programs

__all__ = ["foreign_code_is_confined", "tool_is_as_committed", "tools_are_ready"]

_BLURB_COMMANDS: Final = ("release", "merge", "export")
_LOOK_TIMEOUT_S: Final = 60.0


@frozen
class _Need:
    """A program: the oldest version that does, for what, and how to get it."""

    name: str
    oldest: str
    use: str
    package: str = ""
    rule: str = "tools.missing"


# Versions: what the steps were written against and what they rely on. gpg 2.2.7 tells the
# fingerprint of an unknown key; xz 5.4 writes the same bytes with any number of threads.
_ALWAYS: Final = (
    _Need("git", "2.30", "the release clone, its commit and tag"),
    _Need("gzip", "1.6", "the .tgz", "GNU gzip"),
    _Need("xz", "5.4", "the .tar.xz", "XZ Utils"),
    _Need("make", "3.81", "the documentation and the test of the sources"),
)
_GPG: Final = _Need("gpg", "2.2.7", "signatures", "GnuPG")
_MAKEINFO: Final = _Need("makeinfo", "6.0", "the texinfo archives", "texinfo")
_COMPILER: Final = _Need("cc", "", "the test of the sources", "a C compiler", "tools.compiler")
_BLURB: Final = _Need("blurb", "2.0", "NEWS", "blurb with pip, in this tool's environment")


@judges("tools.old", "tools.missing", "tools.compiler")
def tools_are_ready(
    release: Release, programs: Programs, formats: Collection[str], test: SourceTest
) -> tuple[Finding, ...]:
    """Every program that this release will run is here and not too old.

    ``formats`` are those of the documentation and ``test`` is how the sources are tested. What
    is reported is a list to install from, not the first thing that is missing.
    """
    needs = [*_ALWAYS, *([_GPG] if release.signs_with_gpg else [])]
    if release.ships_docs and "texinfo" in formats:
        needs.append(_MAKEINFO)
    if test.value != "none":
        needs.append(_COMPILER)
    findings = [each for need in needs for each in _missing_or_old(need, need.name, programs)]
    findings += _blurb_faults(programs)
    findings += _autoconf_faults(release.series.autoconf, programs)
    return tuple(findings)


@judges("tools.unconfined")
def foreign_code_is_confined(release: Release, programs: Programs) -> tuple[Finding, ...]:
    """What the tree and packages bring to be run cannot read or change anything of ours.

    It is tried on this machine. The toy tree of a rehearsal is our own, and comes with this tool; a
    clone that is rehearsed with is not.
    """
    found = programs.confinement()
    if found.means:
        return ()
    message = f"{found.problem}, so the tree's own programs would run with all your rights"
    if release.is_toy:
        message = f"{found.problem}; the toy tree of a rehearsal is our own and runs unconfined"
    severity = Severity.NOTE if release.is_toy else Severity.BLOCK
    remedy = "" if release.is_toy else found.remedy
    return (_finding("tools.unconfined", "confinement", message, remedy, severity),)


@judges("tools.changed")
def tool_is_as_committed(revision: str) -> tuple[Finding, ...]:
    """This tool runs as one of its commits has it, so that others can run the very same (P03).

    ``revision`` is the commit, with ``+`` if files were changed since.
    """
    if revision.endswith("+"):
        return (
            Finding(
                "tools.changed",
                Severity.WARN,
                "this checkout of the tool has uncommitted changes, so no commit names what made "
                "the release",
                where=revision.rstrip("+")[:12],
                remedy="commit the changes",
            ),
        )
    return ()


def _missing_or_old(need: _Need, command: str, programs: Programs) -> Iterator[Finding]:
    install = f"install {need.package or need.name}"
    newer = f"install {need.oldest} or later of it: {need.package or need.name}"
    if programs.find(command) is None:
        yield _finding(
            need.rule, need.name, f"is not installed; it is needed for {need.use}", install
        )
        return
    if not need.oldest:
        return
    found = programs.version(command)
    if not found:
        problem = f"reports no version, wanted {need.oldest} or later for {need.use}"
        yield _finding("tools.old", need.name, problem, newer, Severity.WARN)
    elif _numbers(found) < _numbers(need.oldest):
        problem = f"is {found}, wanted {need.oldest} or later for {need.use}"
        yield _finding("tools.old", need.name, problem, newer)


def _blurb_faults(programs: Programs) -> Iterator[Finding]:
    """It comes with this tool, so it is beside its Python; elsewhere it may be on PATH."""
    beside = str(Path(sys.executable).with_name(_BLURB.name))
    command = beside if programs.find(beside) else _BLURB.name
    faults = list(_missing_or_old(_BLURB, command, programs))
    yield from faults
    if faults:
        return
    try:
        output = programs.run(
            [command, "--help"], folder=Path(sys.prefix), timeout_s=_LOOK_TIMEOUT_S
        ).stdout
    except ReleaseError as error:
        yield _finding("tools.missing", _BLURB.name, f"does not run: {error}", "install it again")
        return
    lacking = [
        each for each in _BLURB_COMMANDS if not re.search(rf"^ +{each}\b", output, re.MULTILINE)
    ]
    if lacking:
        problem = f"does not offer {', '.join(lacking)}"
        yield _finding("tools.old", _BLURB.name, problem, f"install {_BLURB.package}")


def _autoconf_faults(wanted: str, programs: Programs) -> Iterator[Finding]:
    """3.11.4 went out with a configure by another autoconf than its branch's (#105455)."""
    if not wanted:
        return
    for name in (f"autoconf{wanted}", f"autoconf-{wanted}", "autoconf"):
        if programs.find(name) is not None and programs.version(name) == wanted:
            return
    found = programs.version("autoconf") if programs.find("autoconf") else ""
    yield _finding(
        "tools.missing",
        "autoconf",
        f"{wanted} is not installed{f' ({found} is)' if found else ''}, "
        "so configure is released as it is on the branch, without comparing it with a new one",
        f"install autoconf {wanted}",
        Severity.WARN,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version)[:3])


def _finding(
    rule: str, name: str, problem: str, remedy: str, severity: Severity = Severity.BLOCK
) -> Finding:
    return Finding(rule, severity, problem, where=name, remedy=remedy)
