"""Day: a toy release and its world in one folder, put to any moment that was saved, and published.

Addresses, keys and the clock stay the same from the first moment on: ports are the world's own
and kept in it, and nothing else runs in its folder. So two days end alike to the byte.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from plugins.model.settings import read_settings
from plugins.rehearsal.machine import run
from plugins.rehearsal.serving import read_addresses
from plugins.rehearsal.store import Store
from tests.ended import Ended
from tests.export.toy import PROJECT, TOOLS, VERSION, Toy, copy
from tests.moments import at_once, certain
from tests.publish.starter import Asked
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.model.release import ReleaseType

__all__ = ["ASKING", "DONE", "FAILED", "POSTS", "WAITING", "Day", "remove"]

DONE: Final = 0
FAILED: Final = 1
WAITING: Final = 4
_MOST_ROUNDS: Final = 30
ASKING: Final = "if it was done: doit adopt "
POSTS: Final = ("post_forum", "post_words")
"""What is posted to the forum, whose queue nobody can look into."""
_EXPERTS: Final = 2


class Day:
    """One release from its export to its announcement."""

    def __init__(
        self, folder: Path, tools: Path, version: str = VERSION, habit: str = "manifests",
        kind: ReleaseType | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.version = version
        self.toy = Toy(folder, tools, '"html"', version, habit, kind)
        self.work = self.toy.work
        self.declaration = self.toy.declaration
        told = self.declaration.read_text().replace('source = "quick"', 'source = "none"')
        self.declaration.write_text(told)
        self.world = folder / "world"
        self.store = Store(self.world / "state")
        self._freeze_experts()
        self._saved = folder / "saved"
        self._report = folder / "writes"
        self._saved.mkdir()
        self._starter = subprocess.Popen(
            [sys.executable, PROJECT / "tests" / "publish" / "starter.py"],
            cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._pid = 0
        self._now = self.toy.now

    def _freeze_experts(self) -> None:
        """Their signatures are the same whenever they are made."""
        with (self.toy.home / "experts" / "gpg.conf").open("a") as stream:
            stream.write(f"faked-system-time {self.toy.now:%Y%m%dT%H%M%S}!\n")

    def close(self) -> None:
        """Nothing of it is left outside its folder."""
        self.stop_world()
        self._starter.communicate()
        run(self.toy.home, "gpgconf", "--homedir", self.toy.home / "experts", "--kill", "all")
        self.toy.close()

    # ── moments ────────────────────────────────────────────────────────────────────────────

    def save(self, name: str) -> None:
        """Keep world and release as they are now, under a name."""
        target = self._saved / name
        target.mkdir()
        _put(self.world, target / "world")
        _put(self.work, target / "work")
        copy(self.declaration, target)

    def restore(self, name: str) -> None:
        """World and release are as they were when they were saved; the world answers."""
        self.stop_world()
        source = self._saved / name
        _put(source / "world", self.world)
        self.take_work(name)
        copy(source / "release.toml", self.folder)
        self.start_world()

    def take_work(self, name: str) -> None:
        """The release on this machine is as it was then, whatever the world has seen since."""
        _put(self._saved / name / "work", self.work)

    def save_work(self, name: str) -> None:
        """Keep the release on this machine as it is now, under a name, in place of another."""
        _put(self.work, self._saved / name / "work")

    def start_world(self) -> None:
        """The world answers."""
        self._pid = self._told(f'["world", "{self.world}"]\n')
        assert self._pid, (
            f"the world did not start: {self.folder.joinpath('world.err').read_text()}"
        )

    def stop_world(self) -> None:
        """The world answers no more."""
        if self._pid:
            assert self._told(f'["end", {self._pid}]\n') == 0
            self._pid = 0

    def address(self, part: str) -> str:
        """Where a part of the world answers."""
        return read_addresses(self.world)[part]

    # ── acting ─────────────────────────────────────────────────────────────────────────────

    def doit(
        self, *words: str, records: int = 0, at: str = "", full: str = "", kind: str = "doit",
        seen: bool = False,
    ) -> Ended:  # fmt: skip
        """Run a doit command to its end, or until so many things were recorded by the world, or
        until its own write ``at``; from its write ``full`` on, the disk has no room. What it
        wrote is told by ``writes`` if it is ``seen``.
        """
        out, err = self.folder / "out", self.folder / "err"
        asked = Asked(
            [*at_once(words), f"--release={self.declaration}"], self._now.isoformat(),
            str(self.store.folder), str(out), str(err), records,
            at, full, str(self._report) if seen else "", f"{self.work}/",
        )  # fmt: skip
        status = self._told(asked.line(kind))
        return Ended(status, out.read_text(), err.read_text())

    @property
    def writes(self) -> list[str]:
        """What the last command that was seen wrote on this machine, each instant by its name."""
        return certain(self._report.read_text().splitlines())

    def publish(self, *, later: timedelta = timedelta()) -> Ended:
        """Run ``doit publish`` once, perhaps on a later day."""
        self._now = self.toy.now + later
        try:
            return self.doit("run", "publish")
        finally:
            self._now = self.toy.now

    def go_on(self, until: Callable[[Ended], bool] = lambda _: False) -> Ended:
        """Publish, and let people do what is asked of them, until all is done or it fails."""
        ended = self.publish()
        for _ in range(_MOST_ROUNDS):
            if ended.status != WAITING or until(ended):
                return ended
            self.wait_for_experts()
            self._let_people_act_and_answer(ended)
            ended = self.publish()
        return ended

    def done(self, *tasks: str) -> Ended:
        """The tasks are done; people do what is asked of them."""
        ended = self.doit("run", *tasks)
        for _ in range(_MOST_ROUNDS):
            if ended.status != WAITING:
                break
            self._let_people_act_and_answer(ended)
            ended = self.doit("run", *tasks)
        return ended

    def _let_people_act_and_answer(self, ended: Ended) -> None:
        """They are asked about the forum too, which was told while another task was killed."""
        for task in POSTS:
            if f"{ASKING}{task}" in ended.said:
                self.answer_mail(task, ended)
        self.let_people_act()

    def let_people_act(self) -> Ended:
        """Everybody gives the green lights that are asked of them."""
        return self.doit(kind="people")

    def wait_for_experts(self) -> None:
        """Experts who were told have brought their files, unless they are of another manner."""
        wait_until(lambda: not self._busy(), "experts who were told bring their files")

    def _busy(self) -> bool:
        told = [each for each in self.store.load("mail", []) if "please build" in each["subject"]]
        experts = self.store.load("experts", {})
        ordered = self.store.load("faults", {}).get("experts.never", {"times": 0})["times"]
        slow = [each for each in experts["manner"].values() if each.get("how") == "never"]
        # Where experts put their files before users, the pipeline does it for Windows.
        coming = 1 if experts["habit"] == "uploads" else _EXPERTS - len(slow)
        came = [
            each
            for each in self.store.happened("experts")
            if each["event"] in ("delivered", "uploaded")
        ]
        return bool(told) and not ordered and len(came) < coming

    def answer_mail(self, task: str, ended: Ended) -> str:
        """A person who was asked looks into the mailbox or the queue, and says what is there."""
        assert ended.status == WAITING, ended
        assert f"doit adopt {task}" in ended.said, ended
        if task in POSTS:
            assert not self.store.load("forum-queue", [])
            told = self.doit("retry", task)
            assert told.status == DONE, told
            return "retry"
        found = re.search(r"<v\S+>", ended.said)
        assert found, ended
        there = [each["message_id"] for each in self.store.load("mail", [])]
        word = "adopt" if found[0] in there else "retry"
        told = self.doit(word, task)
        assert told.status == DONE, told
        return word

    def _told(self, line: str) -> int:
        assert self._starter.stdin
        assert self._starter.stdout
        self._starter.stdin.write(line)
        self._starter.stdin.flush()
        return int(self._starter.stdout.readline())

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The runs of steps that GitHub was asked for."""
        found: list[dict[str, Any]] = self.store.load("steps", {})["runs"]
        return found

    def order(self, fault: str, argument: str = "", times: int = 1) -> None:
        """Let a fault happen."""
        self.store.order_fault(fault, argument=argument, times=times)

    def declare(self, old: str, new: str) -> None:
        """Edit release.toml as a person would."""
        text = self.declaration.read_text()
        assert old in text, old
        self.declaration.write_text(text.replace(old, new))
        read_settings(self.declaration)

    @property
    def upstream(self) -> Path:
        """The repository that users see."""
        return self.world / "upstream.git"

    @property
    def downloads(self) -> Path:
        """What users reach as /ftp/python/."""
        return self.world / "hosts" / "downloads" / "srv" / "www.python.org" / "ftp" / "python"

    @property
    def lease(self) -> Path:
        """The file that tells that protection is lifted."""
        return self.work / "lease" / "protection.json"


def _put(source: Path, target: Path) -> None:
    """The target has what the source has and nothing else, but for the docs tools."""
    target.mkdir(parents=True, exist_ok=True)
    remove(*(path for path in target.iterdir() if path.name != TOOLS))
    came = [path for path in source.iterdir() if path.name != TOOLS]
    if came:
        subprocess.run(["cp", "-a", "-t", target, *came], check=True)


def remove(*gone: Path) -> None:
    """Files and folders are gone, though what a run at the simulated GitHub began may write there.

    Such a run ends a moment after its world, or when it finds its folder gone.
    """
    wait_until(
        lambda: subprocess.run(["rm", "-rf", *gone], check=False).returncode == 0,
        f"{', '.join(map(str, gone))} gone",
    )
