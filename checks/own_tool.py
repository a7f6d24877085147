"""Own tool: whether what runs is a version that the maintainers released, file by file (P03)."""

from __future__ import annotations

import hashlib
import re
import shlex
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.compiled import CACHE, foreign_code
from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plugins.model.release import Release
    from plugins.ports.programs import Programs
    from plugins.ports.signing import Verifier

__all__ = ["read_list", "tool_is_released"]

_HOME: Final = Path(__file__).resolve().parents[1]
# Beside the folder of an unpacked version, with its signature: what the version holds.
_LIST: Final = ".sha256"
_CODE: Final = ("chapters", "checks", "doit_receipts", "plugins")
_FLOORS: Final = tuple(f"{each}/" for each in _CODE)
_IMPORTED: Final = (".py", ".pyc", ".so", ".pth")
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f\x7f]+)")
_TAG: Final = re.compile(r"v\d[\w.]*")
_SIGNATURE: Final = "-----BEGIN PGP SIGNATURE-----\n"
_NOBODY: Final = "0" * 40
_SHOWN: Final = 5
_ANEW: Final = "unpack the archive of the version again, or use a clone of its tag"
_NO_KEY: Final = "docs/release/pyproject.toml names no key of a maintainer"
_ASK: Final = "ask the maintainers for a version that names their key"


@judges("tools.altered", "tools.changed", "tools.unreleased", blind="tools.altered")
def tool_is_released(
    release: Release, programs: Programs, verifier: Verifier, home: Path = _HOME
) -> tuple[Finding, ...]:
    """What runs is as a released version has it, and nothing else could be imported in its place.

    In a checkout a signed tag says so, beside an archive the signed list of its files. Whoever can
    change the tool can change this check: a stranger verifies the list by sha256sum and gpg. What
    Python compiled of the files (``__pycache__``) is not looked into.
    Of a rehearsal nothing is asked.
    """
    if release.rehearsal:
        return ()
    key = _maintainer(home)
    if (home / ".git").exists():
        return tuple(_of_checkout(home, programs, verifier, key))
    return tuple(_of_archive(home, verifier, key))


def _maintainer(home: Path) -> str:
    """The full fingerprint of who releases the tool; of nobody, where none is named."""
    try:
        declared = tomllib.loads((home / "docs/release/pyproject.toml").read_text("utf-8"))
        return str(declared["tool"]["release"]["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return _NOBODY


# ── a checkout ─────────────────────────────────────────────────────────────────────────────


def _of_checkout(home: Path, programs: Programs, verifier: Verifier, key: str) -> Iterator[Finding]:
    git = ["git", "-c", f"safe.directory={home}"]
    listed = programs.run([*git, "ls-files", "-z"], folder=home).stdout.split("\0")
    if odd := _importable(home, set(listed)):
        problem = f"holds {_some(odd)}, which Python could import and no commit has"
        yield Finding(
            "tools.changed", Severity.WARN, problem, f"the tool in {home}",
            "move it away, or commit it",
        )  # fmt: skip
    if foreign := _foreign(home, listed):
        problem = f"holds {_some(foreign)}, which Python would run and whose source is other code"
        yield Finding(
            "tools.changed", Severity.WARN, problem, f"the tool in {home}", _compile_again(home)
        )
    head = programs.run([*git, "rev-parse", "HEAD"], folder=home).stdout.strip()
    tags = programs.run([*git, "tag", "--points-at", "HEAD"], folder=home).stdout.split()
    versions = [tag for tag in tags if _TAG.fullmatch(tag)]
    if not versions:
        yield _unreleased(f"commit {head[:12]}", "is not a released version: no tag v… names it")
        return
    if key == _NOBODY:
        yield _unreleased(
            f"commit {head[:12]}", f"tag {versions[0]} proves nothing: {_NO_KEY}", _ASK
        )
        return
    problems = [_tag_problem(git, home, tag, programs, verifier, key) for tag in versions]
    if all(problems):
        yield _unreleased(f"commit {head[:12]}", f"tag {versions[0]} {problems[0]}")


def _tag_problem(
    git: list[str], home: Path, tag: str, programs: Programs, verifier: Verifier, key: str
) -> str:
    ended = programs.run([*git, "cat-file", "tag", tag], folder=home, check=False)
    content, mark, signature = ended.stdout.partition(_SIGNATURE)
    with tempfile.TemporaryDirectory(prefix="pep101-") as room:
        file = Path(room) / "tag"
        file.write_text(content, encoding="utf-8")
        file.with_suffix(".asc").write_text(mark + signature, encoding="utf-8")
        problem = verifier.verify_by(file, file.with_suffix(".asc"), (key,)).problem
    return problem and f"has no good signature of a maintainer: {problem}"


# ── an unpacked archive ────────────────────────────────────────────────────────────────────


def _of_archive(home: Path, verifier: Verifier, key: str) -> Iterator[Finding]:
    listing = home.with_name(f"{home.name}{_LIST}")
    get = f"download {listing.name} and {listing.name}.asc of that version into {home.parent}"
    if not listing.is_file():
        yield _unreleased(home.name, f"cannot be compared: {listing.name} is not beside it", get)
        return
    if key == _NOBODY:
        yield _unreleased(home.name, f"{listing.name} proves nothing: {_NO_KEY}", _ASK)
    else:
        signature = listing.with_name(f"{listing.name}.asc")
        if problem := verifier.verify_by(listing, signature, (key,)).problem:
            problem = f"{listing.name} has no good signature of a maintainer: {problem}"
            yield _unreleased(home.name, problem, get)
    wanted = read_list(listing.read_bytes(), home.name)
    if wanted is None:
        yield _altered(home, f"{listing.name} is not a list of its files", get)
        return
    wrong = [name for name, sha256 in wanted.items() if _sha256(home / name) != sha256]
    wrong += [f"{name} (not in it)" for name in _importable(home, wanted)]
    if wrong:
        yield _altered(home, f"differs from {listing.name}: {_some(wrong)}", _ANEW)
    if foreign := _foreign(home, wanted):
        problem = f"{_some(foreign)}: Python would run it, and its source is other code"
        yield _altered(home, problem, _compile_again(home))


def read_list(raw: bytes, top: str) -> Mapping[str, str] | None:
    """Digests by the names of files below the folder; None for anything but one line a file."""
    found = {}
    for line in raw.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        name = match[2].removeprefix(f"{top}/") if match else ""
        if match is None or name == match[2] or name in found or ".." in name.split("/"):
            return None
        found[name] = match[1]
    # What somebody who releases has to write is no change of the tool.
    found.pop("release.toml", None)
    return found or None


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


# ── both ───────────────────────────────────────────────────────────────────────────────────


def _importable(home: Path, known: Iterable[str]) -> list[str]:
    """What Python could import from the tool's folder that is none of its files.

    A module beside dodo.py is found before a package of its name that is installed.
    """
    names = set(known)
    tops = {name.partition("/")[0] for name in names}
    odd = [
        each.name
        for each in home.iterdir()
        if each.name not in tops
        and (each.suffix in _IMPORTED or (each.is_dir() and (each / "__init__.py").exists()))
    ]
    for top in _CODE:
        for each in (home / top).rglob("*"):
            name = each.relative_to(home).as_posix()
            if each.suffix in _IMPORTED and CACHE not in each.parts and name not in names:
                odd.append(name)
    return sorted(odd)


def _foreign(home: Path, names: Iterable[str]) -> list[str]:
    """Compiled files beside the tool's own sources that hold anything but those."""
    own = [
        home / name
        for name in names
        if name.endswith(".py") and ("/" not in name or name.startswith(_FLOORS))
    ]
    found = foreign_code(each for each in own if each.is_file())
    return sorted(each.relative_to(home).as_posix() for each in found)


def _compile_again(home: Path) -> str:
    return f"run find {shlex.quote(str(home))} -name {CACHE} -prune -exec rm -rf {{}} +"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return printable(", ".join(names[:_SHOWN]) + more)


def _altered(home: Path, problem: str, remedy: str) -> Finding:
    return Finding("tools.altered", Severity.BLOCK, problem, f"the tool in {home}", remedy)


def _unreleased(where: str, problem: str, remedy: str = "") -> Finding:
    remedy = remedy or "for a release, check out a signed tag of a version"
    return Finding("tools.unreleased", Severity.NOTE, problem, f"the tool, {where}", remedy)
