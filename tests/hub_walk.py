"""Hub walk: every step at the hub in order, as a client that can be killed and started again.

``python -m tests.hub_walk FOLDER`` does what is not done yet, with the engine's own rule: look,
act if nothing is there, look again, and leave a receipt. Where nobody can look (an email) it
asks a person, who in this walk reads the simulated mailbox.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from doit_receipts.errors import Waiting
from doit_receipts.probe import RemoteState
from plugins.model.awaited import awaited_of
from plugins.model.contract import contract_of
from plugins.model.remote_layout import RemoteLayout
from plugins.model.secret import Secret
from plugins.rehearsal import places
from plugins.rehearsal.serving import read_addresses
from plugins.services.discourse import Discourse
from plugins.services.folder_host import FolderHost
from plugins.services.git_clone import GitClone
from plugins.services.git_remote import GitRemote
from plugins.services.github import GitHub, GitHubProposals
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.services.mail_server import MailServer
from plugins.services.templates import PackagedTemplates
from plugins.steps import (
    announcement_draft,
    announcing,
    blog,
    ci,
    emails,
    experts,
    fork,
    forum_post,
    handover,
    merge_back,
    protection,
    schedule,
    tracker,
    upstream_push,
)
from tests.progress import Quiet
from tests.source_world import DAY, FixedClock, World, a_release
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.probe import Probe
    from plugins.ports.email import Email

    Facts = dict[str, str]

__all__ = ["Walk"]

SENDER = "rm@example.org"
ROLES = ("windows", "macos")
QUIET = Quiet()


class Walk:
    """A release at the hub, from its tag to its announcement."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World(folder, a_release(folder / "build"))
        self.release = self.world.release
        at = read_addresses(folder / "hub")
        self.store = at.store
        token = Secret(f"file:{folder / 'secrets/github'}")
        self.cpython = GitHub(at["github"], "python/cpython", token)
        self.tools = GitHub(at["github"], "python/release-tools", token)
        self.blog = GitHubProposals(
            at["github"], "python/python-insider-blog", token, "rm/python-insider-blog"
        )
        self.peps = GitHubProposals(at["github"], "python/peps", token, "rm/peps")
        self.mail = MailServer(at["mail"], Secret(f"file:{folder / 'secrets/mail'}"))
        self.forum = Discourse(at["forum"], Secret(f"file:{folder / 'secrets/forum'}"))
        self.host = FolderHost(places.downloads(self.store))
        self.keys = GnupgKeyring(Path((folder / "keys").read_text()))
        self.fork = GitRemote(str(folder / "fork.git"), self.world.programs)
        self.upstream = GitRemote(str(folder / "upstream.git"), self.world.programs)
        self.merge = GitClone(self.release.layout.merge_clone, self.world.programs)

    def go(self) -> None:
        """Everything is done, whatever an earlier run did."""
        release, clone = self.release, self.world.clone
        commit = clone.resolve("refs/release/commit")
        self.change(
            "fork",
            lambda: fork.look_pushed(release, clone, self.fork),
            lambda: fork.push(release, clone, self.fork, QUIET),
        )
        self.change(
            "inboxes",
            lambda: experts.look_inboxes(release, self.host, ROLES),
            lambda: experts.open_inboxes(release, self.host, ROLES),
        )
        self.post("experts", self.experts_email(commit))
        self.change(
            "ci",
            lambda: ci.look_started(release, self.tools, commit),
            lambda: ci.start(release, self.tools, owner="rm", commit=commit, progress=QUIET),
        )
        run = self.told("ci")["run"]
        self.local("waited", lambda: ci.wait(self.tools, run, FixedClock()))
        self.local("fetched", lambda: ci.fetch(release, self.tools, run, QUIET))
        self.take(commit)
        self.local("merged", self.merged, self.merge_is_there)
        self.change(
            "upstream",
            lambda: upstream_push.look_pushed(release, self.merge, self.upstream),
            lambda: upstream_push.push(release, self.merge, self.upstream, self.cpython, QUIET),
        )
        self.change(
            "restored",
            lambda: protection.look_restored(self.cpython, release.layout),
            lambda: protection.restore(self.cpython, release.layout),
        )
        self.announce(commit)
        self.change(
            "flipped",
            lambda: tracker.look_flipped(release, self.cpython),
            lambda: tracker.flip_deferred(release, self.cpython, QUIET),
        )
        self.change(
            "deleted",
            lambda: fork.look_deleted(release, self.fork),
            lambda: fork.delete(release, clone, self.fork),
        )

    def take(self, commit: str) -> None:
        """The experts' files are in the staging folder."""
        release, contract = self.release, contract_of(self.release)
        area = RemoteLayout(release.version).downloads
        self.host.make_folders([area.staging], 0o2770)
        keys = self.store.load("experts", {})["keys"]
        for role in ROLES:
            awaited = awaited_of(contract, role, role, [keys[role]])
            self.local(
                f"arrived-{role}",
                lambda awaited=awaited: experts.signed_for(  # type: ignore[misc]
                    release, self.host, self.keys, contract, awaited, commit
                ),
            )
            self.change(
                f"taken-{role}",
                lambda role=role: experts.look_taken(release, self.host, role, area),  # type: ignore[misc]
                lambda role=role: experts.take(release, self.host, role, area),  # type: ignore[misc]
            )

    def announce(self, commit: str) -> None:
        """Lists, forum, blog and release PEP know."""
        release = self.release
        due = schedule.recorded_of(release, DAY)
        announcement_draft.draft(
            release, contract_of(release), PackagedTemplates(), self.world.clone, commit=commit,
            changes="4", digests={}, author="Rita Manager",
        )  # fmt: skip
        self.local("settled", lambda: announcement_draft.settle(release))
        for to in ("dev@lists.example", "announce@lists.example"):
            self.post(f"mail-{to}", announcing.announcement_email(release, SENDER, to))
        self.change(
            "forum",
            lambda: forum_post.look_posted(release, self.forum, 23),
            lambda: forum_post.post(release, self.forum, 23, QUIET),
        )
        self.change(
            "blog",
            lambda: blog.look_blog(release, self.blog, "Rita Manager", DAY),
            lambda: blog.propose_blog(release, self.blog, "Rita Manager", DAY, QUIET),
        )
        self.change(
            "pep",
            lambda: schedule.look_proposed(release, self.peps, due),
            lambda: schedule.propose(release, self.peps, due, self.world.programs, QUIET),
        )

    def experts_email(self, commit: str) -> Email:
        """The mail of the hand-over."""
        contract = contract_of(self.release)
        briefs = [
            handover.Brief(
                role, role, self.host.shown(RemoteLayout(self.release.version).inbox(role)),
                awaited_of(contract, role, role, ()).files,
            )
            for role in ROLES
        ]  # fmt: skip
        return handover.experts_email(
            self.release, PackagedTemplates(), SENDER, ["experts@example.org"], briefs,
            fork="git@github.com:rm/cpython.git", commit=commit,
        )  # fmt: skip

    def merged(self) -> Facts:
        """The merge back, made anew."""
        return merge_back.make(
            self.release, self.world.clone, self.merge, self.world.base, self.upstream, QUIET
        )

    def merge_is_there(self) -> bool:
        """Whether the result of the merge is still there."""
        at = self.release.layout
        return all(at.merged_ref(each).exists() for each in self.release.merge_branches)

    # ── the engine's rule ──────────────────────────────────────────────────────────────────

    def change(self, name: str, look: Callable[[], Probe], act: Callable[[], Facts]) -> None:
        """Look, act, look again."""
        if self.done(name):
            return
        found = look()
        if found.state is RemoteState.ABSENT:
            act()
            found = look()
        assert found.state is RemoteState.IDENTICAL, (name, found)
        self.receipt(name, dict(found.facts))

    def local(self, name: str, do: Callable[[], Facts], whole: Callable[[], bool] = bool) -> None:
        """Do it until nobody is waited for."""
        if self.done(name) and (whole is bool or whole()):
            return

        def is_done() -> bool:
            try:
                self.receipt(name, do())
            except Waiting:
                return False
            return True

        wait_until(is_done, f"{name} waits for nobody", look_s=0.05)

    def post(self, name: str, email: Email) -> None:
        """Send at most once; a person looks into the mailbox if an earlier run may have."""
        if self.done(name):
            return
        intent = self.folder / "receipts" / f"{name}.intent"
        known = [each["message_id"] for each in self.store.load("mail", [])]
        if not intent.exists() or email.message_id not in known:
            write_whole(intent, b"")
            emails.send(email, self.mail, QUIET)
        self.receipt(name, dict(emails.look_sent(email).facts))

    def done(self, name: str) -> bool:
        """Whether a receipt is there."""
        return (self.folder / "receipts" / f"{name}.json").exists()

    def told(self, name: str) -> Facts:
        """The facts of a receipt."""
        facts: Facts = json.loads((self.folder / "receipts" / f"{name}.json").read_bytes())
        return facts

    def receipt(self, name: str, facts: Facts) -> None:
        """Leave the receipt, last."""
        file = self.folder / "receipts" / f"{name}.json"
        write_whole(file, json.dumps(facts, sort_keys=True).encode())


if __name__ == "__main__":
    Walk(Path(sys.argv[1])).go()
