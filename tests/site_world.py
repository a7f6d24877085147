"""A rehearsed python.org with a release that is staged on its downloads host, for tests."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from plugins.model.layout import Layout
from plugins.model.promise import contract_of
from plugins.model.release import Phase, Release, type_of
from plugins.model.secret import Secret
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.rehearsal import places
from plugins.rehearsal.serving import running_world
from plugins.rehearsal.site_people import people
from plugins.services.cdn import Caches
from plugins.services.folder_host import FolderHost
from plugins.services.site import PythonOrg
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.rehearsal.serving import Addresses
    from plugins.rehearsal.store import Store

DAY = "2026-12-01"
TOKEN = "canary-token-77d1"
PASSWORD = "canary-password-31fe"
CANARIES = (TOKEN, PASSWORD)


QUIET = Quiet()


def a_release(work: Path, version: str = "3.13.6", phase: Phase | None = None) -> Release:
    parsed = Version.parse(version)
    layout = Layout(work / version, parsed)
    return Release(parsed, type_of(parsed, phase), series_of(parsed), layout, rehearsal=True)


@dataclass
class SiteWorld:
    """One running environment and its clients."""

    folder: Path
    addresses: Addresses
    secrets: Path
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder / "ftp"

    @property
    def store(self) -> Store:
        return self.addresses.store

    def forget(self) -> None:
        """Everything is as on the first day; the people stay."""
        store = self.store
        for name in ("site", "faults", "aim"):
            (store.folder / f"{name}.json").unlink(missing_ok=True)
        (store.folder / "happened.jsonl").unlink(missing_ok=True)
        self.forget_caches()
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()

    def forget_caches(self) -> None:
        """No edge keeps anything."""
        shutil.rmtree(self.store.folder / "cdn", ignore_errors=True)

    def secret(self, name: str, text: str) -> Secret:
        file = self.secrets / name
        file.touch(mode=0o600)
        file.write_text(text)
        return Secret(f"file:{file}")

    def site(self, *, token: str = TOKEN, admin: str = "") -> PythonOrg:
        return PythonOrg(
            self.addresses["site"],
            self.secret("token", token),
            self.secret("admin", admin) if admin else None,
        )

    def cdn(self, *, timeout_s: float = 30.0) -> Caches:
        edges = (self.addresses["cdn_a"], self.addresses["cdn_b"])
        docs = self.addresses["docs_cdn"]
        return Caches(self.addresses["cdn"], docs, edges, timeout_s=timeout_s)

    @property
    def host(self) -> FolderHost:
        return FolderHost(self.root)

    def stage(self, contract: Contract) -> None:
        """Every file of the contract is on the host, and the documentation is."""
        for file in contract.files:
            path = self.root / file.remote
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(f"bytes of {file.remote}\n".encode() * 9)
        docs = self.folder / "docs" / "release" / contract.version
        docs.mkdir(parents=True, exist_ok=True)
        (docs / "index.html").write_text("<html><title>docs</title></html>")

    def rows(self, kind: str) -> dict[str, dict[str, Any]]:
        """The site's own table."""
        found: dict[str, dict[str, Any]] = self.store.load("site", {}).get(kind, {})
        return found

    def events(self, part: str = "site") -> list[str]:
        return [each["event"] for each in self.store.happened(part)]

    def v2(self, token: str = TOKEN) -> httpx.Client:
        headers = {"Authorization": f"Token {token}"} if token else {}
        return httpx.Client(base_url=self.addresses["site"], headers=headers)


def a_contract(work: Path, version: str = "3.13.6", phase: Phase | None = None) -> Contract:
    return contract_of(a_release(work, version, phase))


@contextmanager
def site_world(folder: Path) -> Iterator[SiteWorld]:
    """An environment that runs until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    with running_world(folder / "world") as addresses:
        made = SiteWorld(folder, addresses, secrets)
        made.root.mkdir(exist_ok=True)
        places.put(made.store, downloads=made.root, docs=folder / "docs")
        known = people(made.store)
        own = {"token": TOKEN, "password": PASSWORD}
        known["rm"] = {**own, "staff": True, "active": True}
        known["guest"] = {
            **{name: f"guest-{name}" for name in own}, "staff": False, "active": True,
        }  # fmt: skip
        known["gone"] = {**{name: f"gone-{name}" for name in own}, "staff": True, "active": False}
        made.store.save("site_people", known)
        yield made
