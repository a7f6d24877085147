"""A downloads host with several people on it, and what the pipeline of Windows puts there."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from plugins.model.awaited import awaited_of
from plugins.model.content import Content, NamedFile
from plugins.model.manifest import Manifest
from plugins.model.promise import contract_of
from plugins.model.remote_layout import RemoteLayout
from plugins.rehearsal import windows_files
from plugins.steps import adoption, experts, staging_folders
from tests.host_world import ROOT, Rehearsed, a_rehearsed_host
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.ports.signing import Signature, Verifier
    from plugins.services.ssh_host import SshHost

__all__ = ["COMMIT", "GIVEN", "NoKeys", "Scene", "a_program", "a_scene"]

COMMIT = "5" * 40
GIVEN = {"SourceCommit": COMMIT, "DoMSI": "True"}


class NoKeys:
    """A keyring that nobody should ask: there is no manifest."""

    def verify_by(self, file: Path, signature: Path, fingerprints: object) -> Signature:
        raise AssertionError(file, signature, fingerprints)


@dataclass
class Scene:
    """A release, its host, and what stands in the public folder there."""

    release: Release
    world: Rehearsed
    host: SshHost
    contract: Contract

    @property
    def folder(self) -> Path:
        return self.world.files / self.release.version.folder

    def put(self, path: str, content: bytes, owner: str = "steve", mode: int = 0o644) -> None:
        """Somebody put this file into the release's public folder."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(mode)
        inner = f"{ROOT}/{self.release.version.folder}"
        self.world.server.disk.own(f"{inner}/{path}", owner, "downloads")
        if "/" in path:
            self.world.server.disk.own(f"{inner}/{path.partition('/')[0]}", owner, "downloads")

    def upload(self, given: dict[str, str] | None = None) -> dict[str, bytes]:
        """The pipeline has put all of its files there, and its digests are known."""
        files = windows_files.made(self.release.version, given or GIVEN)
        for path, content in files.items():
            self.put(path, content)
        self.tell(files)
        return files

    def tell(self, files: dict[str, bytes]) -> None:
        """The pipeline reported the digests of these files, as far as it reports any."""
        reported = [
            NamedFile(f"{self.release.version.folder}/{name}", Content.of(content))
            for table in windows_files.tables(self.release.version, files).values()
            for name, content in table.items()
        ]
        unique = {file.name: file for file in reported}.values()
        made = Manifest.of(str(self.release.version), "windows", COMMIT, unique)
        file = self.release.layout.reported_by_pipeline
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made.to_bytes())

    def arrived(
        self,
        role: str = "windows",
        days_late: int = 0,
        *,
        verifier: Verifier | None = None,
        roster: Sequence[str] = (),
    ) -> dict[str, str]:
        """What arrived, which is on the list then, as it is by the task behind."""
        reported = self.release.layout.reported_by_pipeline if role == "windows" else None
        facts = adoption.arrived(
            self.release, self.host, verifier or NoKeys(), self.contract,
            awaited_of(self.contract, role, f"The {role} expert", roster, reported),
            FixedClock(), commit=COMMIT,
            until=NOON - timedelta(days=days_late) if days_late else None,
        )  # fmt: skip
        experts.keep_adopted(self.release, role, facts, commit=COMMIT)
        return facts

    def modes(self) -> dict[str, int]:
        return {
            str(path.relative_to(self.folder)): path.stat().st_mode & 0o7777
            for path in self.folder.rglob("*")
        }


@contextmanager
def a_scene(folder: Path, release: Release) -> Iterator[Scene]:
    """A host of its own, with the release's folders, until the block ends."""
    with a_rehearsed_host(folder / "world") as world:
        host = world.host()
        area = RemoteLayout(release.version).downloads
        staging_folders.reserve(area, host, shared=True)
        yield Scene(release, world, host, contract_of(release))


def a_program(content: bytes, *, signed: bool = True, magic: int = 0x20B) -> bytes:
    """A program of Windows, as far as its form goes, with its signature at the end."""
    head = bytearray(512)
    head[:2] = b"MZ"
    struct.pack_into("<I", head, 0x3C, 128)
    head[128:132] = b"PE\0\0"
    struct.pack_into("<H", head, 152, magic)
    tables = 152 + (112 if magic == 0x20B else 96)
    if signed:
        struct.pack_into("<II", head, tables + 32, 512 + len(content), 64)
    return bytes(head) + content + b"s" * 64
