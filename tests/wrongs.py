"""Wrongs of a morning: each a thing that stands in the way of a release, and what its remedy asks.

A wrong is made in the simulated environment, in release.toml or in the release manager's clone.
``mend`` follows the remedy of its finding: the command in it where it has one, and else what the
person does whom it names.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.remotes import colleague_pushes
from plugins.rehearsal.store import ALWAYS, Store
from plugins.rehearsal.world import home_of
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["WRONGS", "Morning", "Wrong"]

_FORM: Final = "python/release-tools/.github/workflows/build-release.yml"


class Morning:
    """A release of 3.13.6 that has not begun, in its environment."""

    def __init__(self, folder: Path, declaration: Path) -> None:
        self.folder = folder
        self.declaration = declaration
        self.world = folder / "world"
        self.store = Store(self.world / "state")
        self.clone = self.world / "cpython"
        self.home = GnupgHome(home_of(folder))

    def declare(self, pattern: str, by: str) -> str:
        """A line of release.toml is another one; returns what was there."""
        text = self.declaration.read_text()
        found = re.search(pattern, text, flags=re.MULTILINE)
        assert found, pattern
        self.declaration.write_text(text.replace(found[0], by, 1))
        return found[0]

    def secret(self, name: str, value: str) -> str:
        """A credential is another one; returns what it was."""
        file = self.world / "secrets" / name
        was = file.read_text()
        file.write_text(value)
        return was

    def change(self, document: str, change: Callable[[Any], Any], default: Any = None) -> None:
        """A document of the environment's state is another one."""
        self.store.save(document, change(self.store.load(document, default)))

    def order(self, fault: str, argument: str = "") -> None:
        """A fault happens whenever it can."""
        self.store.order_fault(fault, argument=argument, times=ALWAYS)

    def end(self, *faults: str) -> None:
        """Whoever is responsible has ended these faults."""
        for fault in faults:
            self.store.order_fault(fault, times=0)

    def follow(self, command: str) -> None:
        """The command runs as a shell would run it."""
        ended = subprocess.run(
            shlex.split(command), cwd=self.folder, check=False, capture_output=True, text=True
        )
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong, and what mends it."""

    rule: str
    make: Callable[[Morning], object]
    mend: Callable[[Morning, str], object]
    """Gets the finding's line as it was shown."""
    remedy: str
    """A part of the remedy that is shown, by which ``mend`` goes."""


def _blocker(label: str, number: int) -> Callable[[Morning], None]:
    issue = {"labels": [label, "3.13"], "number": number, "state": "open", "title": "Eggs burn"}

    def make(morning: Morning) -> None:
        morning.change("github", lambda hub: {**hub, "issues": [*hub["issues"], issue]})

    return make


def _resolved(number: int) -> Callable[[Morning, str], None]:
    def closed(hub: Mapping[str, Any]) -> dict[str, Any]:
        issues = [
            {**issue, "state": "closed"} if issue["number"] == number else issue
            for issue in hub["issues"]
        ]
        return {**hub, "issues": issues}

    return lambda morning, _: morning.change("github", closed)


def _permit(*, push: bool) -> Callable[[Any], Any]:
    return lambda hub: {**hub, "permissions": {**hub["permissions"], "admin": push}}


def _form(old: str, new: str) -> Callable[[Any], Any]:
    def edit(hub: Any) -> Any:
        texts = {**hub["texts"], _FORM: hub["texts"][_FORM].replace(old, new)}
        return {**hub, "texts": texts}

    return edit


def _own(name: str) -> str:
    return f"          - {name}\n"


def _builder(number: int, **changes: Any) -> Callable[[Morning], None]:
    def edit(known: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**each, **(changes if at == number else {})} for at, each in enumerate(known)]

    return lambda morning: morning.change("buildbots", edit)


def _command(line: str, start: str) -> str:
    """The command of the remedy that begins so."""
    found = re.search(rf"({re.escape(start)}.*?)(?:, then | fetches |$)", line)
    assert found, line
    return found[1]


def _written(line: str, setting: str) -> str:
    """The line of release.toml that the remedy gives."""
    found = re.search(rf"write ({setting} = [^\s,;]+)", line)
    assert found, line
    return found[1]


def _lose_identity(morning: Morning) -> None:
    for name in ("user.name", "user.email"):
        git(morning.clone, "config", "--unset-all", name)


def _say_who(morning: Morning, line: str) -> None:
    command = _command(line, "git -C ").partition(", and ")[0]
    morning.follow(command)
    morning.follow(command.replace("user.name 'Your Name'", "user.email me@example.org"))


def _expiring_key(morning: Morning) -> None:
    key = morning.home.key("short lived", expires="10d")
    morning.declare(r"^gpg_key .*$", f'gpg_key           = "{key}"')


def _brought(morning: Morning) -> Path:
    root = morning.world / "hosts" / "downloads" / "srv" / "www.python.org" / "ftp" / "python"
    return root / "3.13.6" / "python-3.13.6-amd64.exe"


def _bring_unreadable(morning: Morning) -> None:
    file = _brought(morning)
    file.parent.mkdir(exist_ok=True)
    file.parent.chmod(0o2775)
    file.write_bytes(b"MZ")
    file.chmod(0o600)


def _make_readable(morning: Morning, line: str) -> None:
    found = re.search(r"`chmod (\d+)`", line)
    assert found, line
    _brought(morning).chmod(int(found[1], 8))


_SOON: Final = (datetime.now(UTC) + timedelta(days=40)).date()


def _kept(change: Callable[[Morning], str]) -> tuple[Callable[[Morning], None], Callable[[], str]]:
    """A change that keeps what was there before, and how to get at that."""
    was: list[str] = []
    return (lambda morning: was.append(change(morning)), lambda: was[-1])


_write_mail, _mail = _kept(lambda morning: morning.secret("mail", "rm:nonsense"))
_write_forum, _forum = _kept(lambda morning: morning.secret("forum", "nonsense"))
_write_author, _author = _kept(lambda m: m.declare(r"^author .*$", 'author = "Nobody Known"'))
_write_edges, _edges = _kept(
    lambda m: m.declare(r"^cdn_edges .*$", 'cdn_edges = ["http://127.0.0.1:9"]')
)
_write_fork, _fork = _kept(lambda m: m.declare(r"^fork .*$", 'fork     = "./world/gone.git"'))
_write_sigstore, _sigstore = _kept(lambda m: m.declare(r"^sigstore   .*$", ""))
_write_key, _key = _kept(lambda m: m.declare(r"^gpg_key .*$", 'gpg_key = "x"'))


def _extend(morning: Morning, line: str) -> None:
    command = _command(line, "gpg ")
    morning.follow(command)


def _certify(morning: Morning, line: str) -> None:
    """A colleague, who has a keyring of their own, does what they were asked for."""
    key = _command(line, "gpg --quick-sign-key ").split()[-1]
    theirs = GnupgHome(morning.home.folder / "experts")
    theirs.gpg("--import", stdin=morning.home.public(key).encode())
    colleague = morning.store.load("experts", {})["keys"]["macos"]
    theirs.gpg("--yes", "--local-user", colleague, "--quick-sign-key", key)
    morning.home.gpg("--import", stdin=theirs.public(key).encode())


WRONGS: Final = (
    Wrong("key.expiring", _expiring_key, _extend, "extend it"),
    # of the same key, which is new
    Wrong("key.uncertified", lambda _: None, _certify, "ask one of them to certify it"),
    Wrong(
        "access.github",
        lambda m: m.change("github", _permit(push=False)),
        lambda m, _: m.change("github", _permit(push=True)),
        "ask to be added to the team of release managers",
    ),
    Wrong(
        "access.push",
        _write_fork,
        lambda m, _: m.declare(r"^fork .*$", _fork()),
        "check the address",
    ),
    Wrong(
        "access.protection",
        lambda m: m.change("protection", lambda p: {k: v for k, v in p.items() if k != "3.13"}),
        lambda m, _: m.change("protection", lambda p: {**p, "3.13": p["3.12"]}),
        "ask an administrator of the repository",
    ),
    Wrong(
        "access.rulesets",
        lambda m: m.order("github.ruleset", "pull_request"),
        lambda m, _: m.end("github.ruleset"),
        "ask an administrator to add release managers to those who may bypass it",
    ),
    Wrong(
        "forms.owner",
        lambda m: m.change("github", _form(_own("world"), "")),
        lambda m, _: m.change("github", _form(_own("rm"), _own("rm") + _own("world"))),
        "add world to git_remote there",
    ),
    Wrong(
        "hosts.clock",
        lambda m: m.order("ssh.clock_skew", "3600"),
        lambda m, _: m.end("ssh.clock_skew"),
        "inform the host's administrators",
    ),
    Wrong("hosts.other_owner", _bring_unreadable, _make_readable, "`chmod 644`"),
    Wrong(
        "site.admin",
        lambda m: m.order("site.password_refused"),
        lambda m, _: m.end("site.password_refused"),
        "[credentials]",
    ),
    Wrong(
        "site.systems",
        lambda m: m.order("site.no_system", "macos"),
        lambda m, _: m.end("site.no_system"),
        "ask the site's administrators to add it",
    ),
    Wrong(
        "cdn.unreachable",
        _write_edges,
        lambda m, _: m.declare(r"^cdn_edges .*$", _edges()),
        "correct [hosts] cdn_edges",
    ),
    Wrong("access.mail", _write_mail, lambda m, _: m.secret("mail", _mail()), "[credentials]"),
    Wrong("access.forum", _write_forum, lambda m, _: m.secret("forum", _forum()), "[credentials]"),
    Wrong(
        "access.blog",
        _write_author,
        lambda m, _: m.declare(r"^author .*$", _author()),
        "write [announce] author = and your name as the blog has it",
    ),
    Wrong(
        "access.sigstore",
        _write_sigstore,
        lambda m, _: m.declare(r"^\[credentials\]$", f"[credentials]\n{_sigstore()}"),
        "write sigstore = ",
    ),
    Wrong("blockers.release", _blocker("release-blocker", 901), _resolved(901), "resolve it"),
    Wrong("blockers.deferred", _blocker("deferred-blocker", 902), _resolved(902), "resolve it"),
    Wrong(
        "ci.base_commit",
        lambda m: m.order("ci.base_red", "failure"),
        lambda m, _: m.end("ci.base_red"),
        "have the run done again",
    ),
    Wrong(
        "builders.red",
        _builder(0, results=[2]),
        lambda m, _: _builder(0, results=[0])(m),
        "have it repaired",
    ),
    Wrong(
        "builders.tier",
        _builder(1, tags=["3.13", "stable", "tier-9"]),
        lambda m, _: _builder(1, tags=["3.13", "stable", "tier-1"])(m),
        "ask the buildbots' administrators",
    ),
    Wrong(
        "builders.offline",
        _builder(2, online=False),
        lambda m, _: _builder(2, online=True)(m),
        "inform its owner",
    ),
    Wrong(
        "release.phase",
        lambda m: m.order("peps.other_phase", "security"),
        lambda m, line: m.declare(r"^phase = .*$", _written(line, "phase")),
        'write phase = "security" under [series]',
    ),
    Wrong(
        "schedule.day",
        lambda m: m.declare(r"^version = .*$", f'version = "3.13.6"\ndate = {_SOON}'),
        lambda m, line: m.declare(r"^date = .*$", _written(line, "date")),
        "write date = ",
    ),
    Wrong("clone.identity", _lose_identity, _say_who, "config user.name"),
    Wrong(
        "tag.exists",
        lambda m: git(m.clone, "tag", "-a", "-m", "not this", "v3.13.6", "v3.13.5"),
        lambda m, _: git(m.clone, "tag", "-d", "v3.13.6"),
        "if that tag was never pushed, delete it there",
    ),
    Wrong(
        "base.is_upstreams_head",
        lambda m: colleague_pushes(m.world / "upstream.git", "3.13"),
        lambda m, line: m.follow(_command(line, "git -C ")),
        "fetch upstream",
    ),
)
