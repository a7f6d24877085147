"""Archives made again by another person's machine, over a real OpenSSH server on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from checks.rebuilds import others_got_the_same
from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.errors import ReleaseError, ServiceFailed, SettingsError, StepFailed
from doit_receipts.journal import Journal
from doit_receipts.outside import Act, heard_by
from plugins.model.action import rebuild_action
from plugins.model.answer import Answer
from plugins.model.ledger import entries, read_sums, sums_of
from plugins.model.rebuild_settings import Rebuilds
from plugins.model.strict_json import canonical
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.services.gnupg_signer import GnupgKeyring, keyring_of
from plugins.services.programs import MachinePrograms
from plugins.services.ssh_workers import SshWorkers
from plugins.steps import tarball, workers
from tests.host_world import an_openssh_server
from tests.progress import Quiet
from tests.source_world import FixedClock, a_release, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugins.model.release import Release

pytestmark = pytest.mark.slow

PROJECT: Final = Path(__file__).parents[2]
VERSION: Final = "3.13.6"
RM: Final = "F" * 40
USER, NUMBER = "wanda", 47_110
WORKER: Final = "ssh://downloads.rehearsal"
_OTHERS_MAY_ENTER: Final = 0o001


@dataclass
class Place:
    """A release manager, and a machine of somebody else that answers by ssh."""

    release: Release
    commit: str
    archives: tuple[Artifact, ...]
    workers: SshWorkers
    keyring: GnupgKeyring
    key: str
    home: Path
    journal: Journal

    def ask(self, ledger: Path, others: Any = None) -> dict[str, str]:
        rebuilds = Rebuilds(ledger, (self.key,), 1)
        return workers.ask(
            self.release, rebuilds, others or self.workers, self.keyring, self.journal, Quiet(),
            FixedClock(datetime.now(UTC)), commit=self.commit,
        )  # fmt: skip


def within(folder: Path) -> tuple[str, ...]:
    """A command that starts the server where there is one more user; none if we may not.

    That user is known in a mount namespace alone, and may enter the folder of this Python there.
    """
    prefix = Path(sys.base_prefix)
    closed = [
        each for each in reversed(prefix.parents) if not each.stat().st_mode & _OTHERS_MAY_ENTER
    ]
    mine = [each for each in PROJECT.parents if not each.stat().st_mode & _OTHERS_MAY_ENTER]
    if os.geteuid() != 0 or mine or not (shutil.which("unshare") and shutil.which("setpriv")):
        return ()
    line = f"{USER}:x:{NUMBER}:{NUMBER}::{folder / 'home'}:/bin/sh\n"
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + line)
    script = f"mount --bind {folder}/passwd /etc/passwd"
    if closed:
        (folder / "python").mkdir()
        script += f" && mount --bind {prefix} {folder}/python"
        script += f" && mount -t tmpfs -o mode=755 none {closed[0]}"
        script += f" && mkdir -p {prefix} && mount --bind {folder}/python {prefix}"
    words = ("unshare", "--mount", "sh", "-c", f'{script} && exec "$@"', "sh")
    # The worker's machine has to be able to do anything at all: permissions here may forbid it.
    does = f"import pwd, plugins.worker.answer; pwd.getpwnam({USER!r}); open({str(folder)!r}"
    does += " + '/passwd').read()"
    as_user = ("setpriv", f"--reuid={NUMBER}", f"--regid={NUMBER}", "--clear-groups")
    tried = subprocess.run(
        [*words, *as_user, sys.executable, "-c", does], cwd=PROJECT, check=False,
        capture_output=True,
    )  # fmt: skip
    return words if tried.returncode == 0 else ()


@contextmanager
def a_folder_for_all() -> Iterator[Path]:
    """A folder that any user may enter; pytest's own is closed."""
    folder = Path(tempfile.mkdtemp(prefix="pep101-ssh-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    own = tmp_path_factory.mktemp("ssh-worker")
    world = a_world(own / "world", VERSION)
    git(world.cpython, "tag", "-a", f"v{VERSION}", "-m", "release", env={
        "GIT_COMMITTER_NAME": "rm", "GIT_COMMITTER_EMAIL": "rm@example.org",
    })  # fmt: skip
    release = a_release(own / "rm", VERSION)
    commit = git(world.cpython, "rev-parse", f"v{VERSION}^{{commit}}")
    tarball.build(release, world.make(), MachinePrograms(), Quiet(), commit)
    archives = tuple(
        Artifact(path, path.stat().st_size, sha256_of(path)) for path in release.layout.tarballs
    )
    with a_folder_for_all() as folder:
        elsewhere = within(folder)
        home = folder / "home"
        home.mkdir()
        # gpg-agent's socket has to have a short name.
        keys = GnupgHome(home / "keys")
        keys.folder.mkdir(mode=0o700)
        key = keys.key("Wanda")
        (own / "wanda.asc").write_text(keys.public(key))
        keys.stop()
        git(folder, "clone", "--quiet", "--bare", str(world.cpython), str(home / "repository.git"))
        if elsewhere:
            subprocess.run(["chown", "-R", f"{NUMBER}:{NUMBER}", home], check=True)
        try:
            with (
                an_openssh_server(folder / "sshd", within=elsewhere) as server,
                keyring_of([own / "wanda.asc"]) as keyring,
            ):
                server.folder.chmod(0o755)
                _allow_one_command(server.folder, home, key, USER if elsewhere else "")
                found = SshWorkers([WORKER], ssh_config=server.ssh_config)
                journal = Journal(own / "journal.jsonl", FixedClock())
                yield Place(release, commit, archives, found, keyring, key, home, journal)
        finally:
            keys.stop()


def _allow_one_command(folder: Path, home: Path, key: str, user: str) -> None:
    """What the owner of a machine writes into authorized_keys, as docs/how-to/rebuild.md has it."""
    words = f"cd {PROJECT} && id -un > {home}/ran-as && exec {sys.executable} -m"
    words += f" plugins.worker.answer --who wanda --key {key} --gnupg-home {home}/keys"
    words += f" --repository {home}/repository.git --unconfined"
    file = folder / "authorized_keys"
    file.write_text(f'command="{words}",restrict {(folder / "id_ed25519.pub").read_text()}')
    file.chmod(0o644)
    if user:
        config = folder / "ssh_config"
        text = config.read_text()
        config.write_text(text.replace("  User root\n", f"  User {user}\n"))


def test_the_word_of_another_person_comes_into_the_ledger_and_counts(
    place: Place, tmp_path: Path, observed: Callable[[str, str], None]
) -> None:
    ledger = tmp_path / "ledger"
    assert place.ask(ledger) == {"wanda": place.key}
    ran_as = (place.home / "ran-as").read_text().strip()
    observed("the ssh worker ran as", ran_as)
    (entry,) = entries(ledger, VERSION)
    wanted = {made.path.name: made.sha256 for made in place.archives}
    assert (entry.who, read_sums(entry.sums)) == ("wanda", wanted)
    rebuilds = Rebuilds(ledger, (place.key,), 1)
    found = others_got_the_same(place.release, rebuilds, place.archives, RM, place.keyring)
    assert [(each.rule, each.where) for each in found] == [("rebuild.agrees", f"{VERSION}/wanda")]
    told = [each for each in place.journal.entries() if each["event"] == "elsewhere"]
    assert (told[-1]["run"], told[-1]["platform"]) == ("wanda", WORKER)
    assert place.ask(ledger) == {"wanda": place.key}  # again: the same


def test_a_plan_shows_what_each_worker_would_be_asked_and_asks_none(
    place: Place, tmp_path: Path
) -> None:
    told: list[Act] = []

    def hold_back(act: Act) -> bool:
        told.append(act)
        return False

    with heard_by(hold_back, held=True):
        assert place.ask(tmp_path, SshWorkers([WORKER, "ssh://nobody@nowhere.example"])) == {}
    action = rebuild_action(place.release, commit=place.commit).to_bytes()
    assert [(act.kind, act.what, act.sha256) for act in told] == [
        ("host", f"run pep101-worker on {where}", sha256(action).hexdigest())
        for where in (WORKER, "ssh://nobody@nowhere.example")
    ]
    assert not list(tmp_path.iterdir())


def test_only_the_one_command_can_be_run_there(place: Place) -> None:
    with pytest.raises(ServiceFailed, match="ended with status 1") as caught:
        place.workers.answer(WORKER, b"touch /tmp/x")
    assert "action" in caught.value.details[-1]


def test_a_tag_of_another_commit_is_refused_there(place: Place, tmp_path: Path) -> None:
    other = replace(place, commit="0" * 40)
    with pytest.raises(ServiceFailed) as caught:
        other.ask(tmp_path / "ledger")
    assert "wanted 0000" in caught.value.details[-1]
    assert not (tmp_path / "ledger").exists()


def test_without_a_ledger_it_is_a_mistake_of_the_settings(place: Place) -> None:
    with pytest.raises(SettingsError, match="there is no ledger"):
        workers.ask(
            place.release, Rebuilds(None, (), 0), place.workers, place.keyring, place.journal,
            Quiet(), FixedClock(datetime.now(UTC)), commit=place.commit,
        )  # fmt: skip


class Lying:
    """A machine that answers what it was told to."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def addresses(self) -> tuple[str, ...]:
        return ("ssh://liar",)

    def answer(self, _address: str, _action: bytes) -> bytes:
        return self._raw


def test_each_wrong_answer_is_refused_in_one_line_and_nothing_of_it_is_kept(
    place: Place, tmp_path: Path
) -> None:
    good = place.workers.answer(
        WORKER, rebuild_action(place.release, commit=place.commit).to_bytes()
    )
    names = [made.path.name for made in place.archives]
    action = rebuild_action(place.release, commit=place.commit)
    sums = sums_of(dict.fromkeys(names, "0" * 64)).decode()
    signature = "-----BEGIN PGP SIGNATURE-----\n\nxxxx\n-----END PGP SIGNATURE-----\n"
    raw = Answer("wanda", sums, signature, action.digest)
    older = sums_of(dict.fromkeys(["Python-3.13.5.tgz", "Python-3.13.5.tar.xz"], "0" * 64)).decode()
    wrong = {
        "of other bytes": replace(raw).to_bytes(),
        "of another version": replace(raw, sums=older).to_bytes(),
        "of another action": replace(raw, action="0" * 64).to_bytes(),
        "a hostile name": good.replace(b'"who":"wanda"', b'"who":"../../x"'),
        "another signature": good.replace(b"=", b"A=", 1),
        "a key twice": good.replace(b'{"action":', b'{"who":"x","action":', 1),
        "huge": good + b" " * 100_000,
        "no JSON": b"Welcome to my machine\n",
        "nothing": b"",
        "a number": canonical({"action": 1, "signature": "", "sums": "", "who": ""}),
        "cut": good[:-40],
    }
    for what, answered in wrong.items():
        with pytest.raises(StepFailed) as caught:
            place.ask(tmp_path / "ledger", Lying(answered))
        assert "\n" not in str(caught.value), what
        assert not list(tmp_path.rglob("SHA256SUMS")), what
    assert place.ask(tmp_path / "ledger", Lying(good)) == {"wanda": place.key}


def test_a_person_who_is_on_no_list_does_not_count(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="does not count") as caught:
        workers.ask(
            place.release, Rebuilds(tmp_path, (RM,), 1), place.workers, place.keyring,
            place.journal, Quiet(), FixedClock(datetime.now(UTC)), commit=place.commit,
        )  # fmt: skip
    assert "[rebuilds] keys" in str(caught.value)
    assert not list(tmp_path.iterdir())
