"""GitHub side for tests: a tagged release, remotes with rules, and a GitHub without HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from doit_receipts.errors import ServiceFailed
from plugins.rehearsal import remotes
from plugins.rehearsal.store import Store
from plugins.services.git_clone import GitClone
from plugins.services.git_remote import GitRemote
from plugins.services.gnupg_signer import GnupgSigner
from plugins.steps import news, release_clone, tag, version_files
from tests.progress import Quiet
from tests.source_world import (
    DAY,
    World,
    a_release,
    a_world,
    copy_repositories,
    lasting_folder,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from plugins.rehearsal.gnupg_home import GnupgHome

__all__ = ["RULES", "HubWorld", "StoredProtection", "a_hub_world"]

RULES: dict[str, Any] = {
    "enforce_admins": True,
    "required_status_checks": {"strict": False, "contexts": ["Docs", "Tests"]},
    "required_pull_request_reviews": {"required_approving_review_count": 1},
    "restrictions": None,
}


@dataclass
class StoredProtection:
    """The Protection port over the environment's own document, for tests of steps alone."""

    store: Store
    broken: bool = False
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def rules(self, branch: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.store.load("protection", {}).get(branch)
        return found

    def enforce_admins(self, branch: str, *, on: bool) -> None:
        if self.broken:
            raise ServiceFailed(service="github", action="protect", problem="500")
        self.asked.append((branch, on))
        found = self.store.load("protection", {})
        found[branch]["enforce_admins"] = on
        self.store.save("protection", found)

    def protect(self, branch: str, rules: Mapping[str, Any]) -> None:
        self.store.save("protection", {**self.store.load("protection", {}), branch: dict(rules)})


@dataclass
class HubWorld:
    """A tagged release, and everything at the hub that it may be pushed to."""

    world: World
    store: Store
    protection: StoredProtection

    @property
    def release(self) -> Any:
        return self.world.release

    @property
    def upstream(self) -> GitRemote:
        return GitRemote(str(self.world.folder / "upstream.git"), self.world.programs)

    @property
    def fork(self) -> GitRemote:
        return GitRemote(str(self.world.folder / "fork.git"), self.world.programs)

    @property
    def merge_clone(self) -> GitClone:
        return GitClone(self.release.layout.merge_clone, self.world.programs)

    def pushes(self, name: str) -> list[dict[str, str]]:
        return [each["refs"] for each in self.store.happened(name) if each["event"] == "push"]


def a_hub_world(
    folder: Path,
    keyring: GnupgHome,
    key: str,
    version: str = "3.13.6",
    last: str = "3.13.5",
    before: Callable[[World], tuple[str, ...]] | None = None,
) -> HubWorld:
    """A release that is committed and tagged; ``before`` may choose cherry-picks."""
    if before is not None:
        return _made(folder, keyring.folder, key, version, last, before)
    copy_repositories(_as_it_is(keyring.folder, key, version, last), folder)
    store = Store(folder / "store")
    world = World(folder, a_release(folder / "build", version))
    return HubWorld(world, store, StoredProtection(store))


@cache
def _as_it_is(home: Path, key: str, version: str, last: str) -> Path:
    """Made once and copied by all: the copy takes a quarter as long."""
    folder = lasting_folder("hub-")
    _made(folder, home, key, version, last)
    return folder


def _made(
    folder: Path,
    home: Path,
    key: str,
    version: str,
    last: str,
    before: Callable[[World], tuple[str, ...]] | None = None,
) -> HubWorld:
    world = a_world(folder, version, last)
    store = Store(folder / "store")
    picks = before(world) if before else ()
    for name in ("upstream", "fork"):
        remotes.guard(folder / f"{name}.git", store, name)
    new = world.release.version
    branches = {"main", new.series if world.release.branch != "main" else "3.13"}
    store.save("protection", {branch: dict(RULES) for branch in sorted(branches)})
    world.make(cherry_picks=picks)
    clone, release = world.clone, world.release
    news.merge(release, clone, world.programs, date=DAY, after="base", step="news")
    version_files.bump(release, clone, after="news", step="bump")
    version_files.readme(release, clone, after="bump", step="readme")
    release_clone.commit(release, clone, world.base, world.clock, after="readme")
    signer = GnupgSigner(home, key)
    tag.make(release, clone, world.base, signer, world.clock)
    return HubWorld(world, store, StoredProtection(store))


QUIET = Quiet()
