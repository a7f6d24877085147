"""The init command: a first release.toml, from what a clone and a keyring say of themselves."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from doit.exceptions import InvalidCommand

from doit_receipts.clock import SystemClock
from doit_receipts.command.command_line import WordsInAnyOrder
from doit_receipts.command.option import option
from doit_receipts.errors import BadVersion, ServiceFailed, SettingsError, StepFailed
from doit_receipts.printable import printable
from doit_receipts.typed import DODO, started_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugins.model.patchlevel import Patchlevel
    from plugins.model.version import Version
    from plugins.ports.programs import Programs
    from plugins.ports.signing import Key

__all__ = ["Init"]

_OPT_VERSION: Final = option(
    "version", "the version to release [default: the next one of the clone's branch]", default=""
)
_OPT_FILE: Final = option(
    "file",
    "the file to write, which must not exist"
    " [default: release.toml, or VERSION.toml where that exists]",
    default="",
)
_SCHEMA: Final = Path(__file__).parents[2] / "docs" / "reference" / "release.schema.json"
_USUAL: Final = "../cpython"
_RELEASE: Final = "release.toml"
_GITHUB: Final = re.compile(
    r"(?:https://github\.com/|(?:ssh://)?git@github\.com[:/])([\w-]+)/cpython(?:\.git)?/?"
)


class _Found(NamedTuple):
    """What the clone and the keyring say."""

    clone: Path
    at: str
    """The version that the branch has now, such as ``3.13.5+``."""
    version: Version
    forks: Mapping[str, str]
    """Remotes of people's own copies on GitHub: names to addresses."""
    keys: Sequence[Key]
    """Those with a secret part that can sign; first those of the person whom git knows."""
    expired: Sequence[Key]
    """Those that could, in the same order."""
    of_others: bool
    """Whether the person has keys, and none of those that can sign is theirs."""


class _Clone(NamedTuple):
    """What a clone says of itself."""

    folder: Path
    """Its uppermost folder, whichever of those in it was named."""
    at: str
    version: Version
    remotes: Mapping[str, str]
    address: str
    """The email address of whoever works in it; "" if nobody gave one."""
    out: str
    """What is wrong with a version that is out already, and what to write; "" for any other."""


class Init(WordsInAnyOrder):
    """Write a first release.toml; what could not be found out stands there as a comment."""

    name = "init"
    example = "doit init ../cpython"
    doc_purpose = "write a first release.toml from a clone of CPython and your keyring"
    doc_usage = "[CLONE]"
    doc_description = None
    cmd_options = (_OPT_VERSION, _OPT_FILE)

    def execute(self, opt_values: Any, pos_args: Any) -> int:
        """Write the file, and say what is left to do; nothing that exists is changed."""
        from plugins.services.gnupg_signer import GnupgKeyring
        from plugins.services.programs import MachinePrograms

        if len(pos_args) > 1:
            message = f"doit init takes one clone of CPython, and not {len(pos_args)}"
            raise InvalidCommand(message)
        typed = started_in() / Path(pos_args[0]).expanduser() if pos_args else Path(_USUAL)
        clone = typed.resolve()
        programs = MachinePrograms()
        told = _of_clone(clone, opt_values["version"], programs)
        try:
            keys = GnupgKeyring(Path("~/.gnupg").expanduser()).keys()
        except ServiceFailed:
            keys = ()  # the file says how to name one
        mine = [key for key in keys if told.address and f"<{told.address}>" in key.user_id]
        able = [key for key in keys if key.secret and not key.revoked]
        able.sort(key=lambda key: key not in mine)
        now = SystemClock().now()
        expired = [key for key in able if key.expires is not None and key.expires <= now]
        valid = [key for key in able if key not in expired]
        of_others = bool(mine) and not any(key in mine for key in valid)
        forks = _forks(told.remotes)
        found = _Found(told.folder, told.at, told.version, forks, valid, expired, of_others)
        file = _new_file(opt_values["file"], told.version)
        _write_new(file, "\n".join([_directive(file), *_lines(found)]) + "\n")
        self._tell(file, told.out, _no_key(told.address, expired, mine) if of_others else "")
        return 0

    @staticmethod
    def _tell(file: Path, *to_do: str) -> None:
        from plugins.model.settings import read_settings

        sys.stdout.write(f"wrote {file}\n")
        for line in filter(None, to_do):
            sys.stdout.write(f"still to do: {file.name}: {line}\n")
        try:
            read_settings(file)
        except SettingsError as error:
            for line in (str(error), *error.details):
                sys.stdout.write(f"still to do: {line}\n")
        option = "" if str(file) == _RELEASE else f" --release {shlex.quote(str(file))}"
        sys.stdout.write(f"next: read it, then doit check{option}\n")


def _of_clone(clone: Path, wanted: str, programs: Programs) -> _Clone:
    """What the clone says that this folder is, or is in.

    Raises StepFailed for what is no clone of CPython, BadVersion for a wanted version that is none.
    """
    from plugins.model.patchlevel import PATH, read_patchlevel
    from plugins.model.version import Version
    from plugins.services.git_person import configured, trusting

    git, header = ["git"], ""
    unreadable = "cannot be read, and git fsck tells what is missing"
    why = "it is no folder" if clone.exists() else "there is no such folder"
    if clone.is_dir():
        git += trusting(clone, programs)
        # in this order: what is missing first is why the rest is missing as well
        for words, missing in (
            (["rev-parse", "--git-dir"], "it is no repository of git"),
            (["rev-parse", "--quiet", "--verify", "HEAD"], "it has no commit"),
            (["cat-file", "commit", "HEAD"], f"its last commit {unreadable}"),
            (["ls-tree", "--full-tree", "HEAD", "--", PATH], f"its last commit has no {PATH}"),
            (["show", f"HEAD:{PATH}"], f"{PATH} {unreadable}"),
        ):
            header = programs.run([*git, *words], folder=clone, check=False).stdout
            if not header:
                why = missing
                break
    if not header:
        raise StepFailed(
            where=str(clone),
            problem=f"is not a clone of CPython: {why}",
            remedy="name yours: doit init PATH",
        )
    upwards = programs.run([*git, "rev-parse", "--show-cdup"], folder=clone, check=False).stdout
    found = read_patchlevel(header)
    version = Version.parse(wanted) if wanted else found.version.successors()[0]
    settings = configured(clone, r"^remote\..*\.url$|^user\.email$", programs)
    remotes = {
        name.removeprefix("remote.").removesuffix(".url"): address
        for name, address in settings.items()
        if name.startswith("remote.")
    }
    return _Clone(
        folder=(clone / upwards.strip()).resolve(),
        at=f"{found.version}{found.suffix}",
        version=version,
        remotes=remotes,
        address=settings.get("user.email", ""),
        out=_out(version, found, programs.run([*git, "tag"], folder=clone, check=False).stdout),
    )


def _out(version: Version, branch: Patchlevel, tags: str) -> str:
    from plugins.model.version import Version

    tagged = []
    for tag in tags.split():
        with suppress(BadVersion):
            tagged.append(Version.parse(tag.removeprefix("v")))
    # Without a suffix it may be the commit of a release that is about to be made.
    known = [*tagged, branch.version] if branch.suffix else tagged
    newest = max((each for each in known if each.series == version.series), default=None)
    if newest is None or version > newest:
        return ""
    shown = version if version in tagged else newest
    said = f"the branch says {branch.version}{branch.suffix}"
    why = f"the clone has the tag {shown.tag}" if shown in tagged else said
    following = " or ".join(f'version = "{each}"' for each in newest.successors())
    return (
        f'version = "{version}" is out already, as {why}; '
        f"to release the next one, write {following}"
    )


def _no_key(address: str, expired: Sequence[Key], mine: Sequence[Key]) -> str:
    """What to do where none of the person's own keys can sign."""
    key = next((key for key in expired if key in mine), None)
    if key is None:
        return f"no key of {address} can sign here; name the one that does as [signing] gpg_key"
    return (
        f"your key {key.fingerprint} expired on {key.expires:%Y-%m-%d}; name another one as"
        f" [signing] gpg_key, or this one once it is extended: {key.extending}"
    )


def _forks(remotes: Mapping[str, str]) -> dict[str, str]:
    found = {name: _GITHUB.fullmatch(address) for name, address in remotes.items()}
    return {
        name: remotes[name]
        for name, match in found.items()
        if match is not None and match[1].lower() != "python"
    }


def _new_file(wanted: str, version: Version) -> Path:
    usual = Path(_RELEASE)
    if wanted:
        path = Path(wanted).expanduser()
        return path if DODO.get() is None else started_in() / path
    return Path(f"{version}.toml") if usual.exists() else usual


def _write_new(file: Path, text: str) -> None:
    """The file is new and holds the text. Raises StepFailed where that cannot be."""
    remedy = "name another: doit init --file FILE"
    try:
        content = text.encode()
        with file.open("xb") as stream:
            stream.write(content)
    except UnicodeEncodeError as error:
        raise StepFailed(
            where=printable(error.object[max(0, error.start - 40) : error.end + 40]),
            problem="is part of a name that is not in UTF-8, as release.toml has to be",
            remedy="rename it, then run the same command again",
        ) from error
    except FileExistsError as error:
        problem = "exists already, and is not changed"
        raise StepFailed(where=str(file), problem=problem, remedy=remedy) from error
    except OSError as error:
        problem = f"cannot be written: {(error.strerror or str(error)).lower()}"
        raise StepFailed(where=str(file), problem=problem, remedy=remedy) from error


def _directive(file: Path) -> str:
    """The line by which taplo, and the editors that use it, check the file while it is written."""
    return f"#:schema {os.path.relpath(_SCHEMA, file.absolute().parent)}"


def _lines(found: _Found) -> list[str]:
    """The file: settings that are certain, and comments for those that somebody has to choose."""
    head = "# What is released. docs/reference/settings.md has every setting; others have defaults."
    return [
        head,
        f"version = {_quoted(str(found.version))}  # the branch says {found.at}",
        "",
        "[repository]",
        f"clone = {_quoted(str(found.clone))}  # read, and never changed",
        *_choice(
            "fork",
            [(address, f"remote {name}") for name, address in found.forks.items()],
            "git@github.com:YOU/cpython.git",
        ),
        "",
        "[signing]",
        *_choice(
            "gpg_key",
            [(key.fingerprint, key.user_id) for key in found.keys],
            "FULL FINGERPRINT, as gpg --list-secret-keys prints it",
            is_certain=not found.of_others,
        ),
        *(
            f"# gpg_key = {_quoted(key.fingerprint)}"
            f"  # {key.user_id}, expired on {key.expires:%Y-%m-%d}"
            for key in found.expired
        ),
        "",
        "[docs]",
        f"lock = {_quoted(f'docs-tools-{found.version.series}.lock')}  # you sign it once a series",
    ]


def _choice(
    name: str, found: Sequence[tuple[str, str]], example: str, *, is_certain: bool = True
) -> list[str]:
    """The first of what was found, and the others as comments; an example where nothing was.

    All are comments where it is not certain that the first is meant.
    """
    if not found:
        return [f"# {name} = {_quoted(example)}"]
    first, *others = [f"{name} = {_quoted(each)}  # {whose}" for each, whose in found]
    return [first if is_certain else f"# {first}", *(f"# {each}" for each in others)]


def _quoted(text: str) -> str:
    # Of a basic string TOML wants what JSON wants.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
