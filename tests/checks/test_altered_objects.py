"""Tests of objects of git that are not what their names say: git itself believes every one."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from doit_receipts.finding import Severity
from plugins.services.programs import MachinePrograms
from tests.source_archives import ROOT, Tarball, all_findings, make_repository, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plugins.model.release import Release
    from tests.source_archives import Repository

    Builds = Callable[..., Release]


def alter(repository: Path, name: str, kind: str, content: bytes) -> None:
    """The loose object says this from now on; its name stays."""
    path = repository / ".git" / "objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(f"{kind} {len(content)}".encode() + b"\0" + content))


def alter_packed(repository: Path, name: str, content: bytes) -> None:
    """A pack has the object of that name, and says this of it."""
    objects = repository / ".git" / "objects"
    (objects / name[:2] / name[2:]).unlink()
    size = bytes([0x80 | 0x30 | len(content) & 15, len(content) >> 4])  # a blob, in two bytes
    entry = size + zlib.compress(content)
    digest = _new(name)
    digest.update(pack := b"PACK" + struct.pack(">II", 2, 1) + entry)
    first = int(name[:2], 16)
    index = b"\377tOc" + struct.pack(">I", 2)
    index += b"".join(struct.pack(">I", int(each >= first)) for each in range(256))
    index += bytes.fromhex(name) + struct.pack(">II", zlib.crc32(entry), 12) + digest.digest()
    of_index = _new(name)
    of_index.update(index)
    stem = objects / "pack" / f"pack-{digest.hexdigest()}"
    stem.with_suffix(".pack").write_bytes(pack + digest.digest())
    stem.with_suffix(".idx").write_bytes(index + of_index.digest())


def _new(name: str) -> hashlib._Hash:
    return hashlib.new("sha1" if len(name) == 40 else "sha256", usedforsecurity=False)


@pytest.fixture(params=["sha1", "sha256"])
def clone(tmp_path: Path, request: pytest.FixtureRequest) -> Repository:
    return make_repository(tmp_path / "clone", request.param)


def alter_blob(clone: Repository) -> str:
    name = clone.git("rev-parse", "HEAD:Lib/os.py")
    alter(clone.folder, name, "blob", b"import evil\n")
    return name


def alter_blob_in_a_pack(clone: Repository) -> str:
    name = clone.git("rev-parse", "HEAD:Lib/os.py")
    alter_packed(clone.folder, name, b"import evil\n")
    return name


def _tree(clone: Repository, tree: str) -> bytes:
    """A tree like this one, in which os.py is another, true file."""
    (clone.folder / "evil").write_bytes(b"import evil\n")
    evil = clone.git("hash-object", "-w", "evil")
    inner = "HEAD:Lib/os.py" if tree == "HEAD:Lib" else "HEAD:Lib"
    name = clone.git("rev-parse", inner)
    programs = MachinePrograms()
    with programs.pipe(["git", "cat-file", "tree", tree], folder=clone.folder, stdout=-1) as git:
        assert git.stdout is not None
        content = git.stdout.read()
    other = evil if tree == "HEAD:Lib" else _put(clone, "tree", _tree(clone, "HEAD:Lib"))
    return content.replace(bytes.fromhex(name), bytes.fromhex(other))


def _put(clone: Repository, kind: str, content: bytes) -> str:
    (clone.folder / "object").write_bytes(content)
    return clone.git("hash-object", "-t", kind, "-w", "--literally", "object")


def alter_tree(clone: Repository) -> str:
    name = clone.git("rev-parse", "HEAD:Lib")
    alter(clone.folder, name, "tree", _tree(clone, "HEAD:Lib"))
    return name


def alter_commit(clone: Repository) -> str:
    """The commit names a tree of which everything is true."""
    tree = _put(clone, "tree", _tree(clone, "HEAD^{tree}"))
    said = clone.git("cat-file", "commit", clone.commit) + "\n"
    true = clone.git("rev-parse", "HEAD^{tree}")
    alter(clone.folder, clone.commit, "commit", said.replace(true, tree).encode())
    return clone.commit


@pytest.mark.parametrize("how", [alter_blob, alter_blob_in_a_pack, alter_tree, alter_commit])
def test_an_object_that_is_not_what_its_name_says_blocks(
    a_release: Builds, clone: Repository, how: Callable[[Repository], str]
) -> None:
    """Archives and tag agree, for git gives both the same altered bytes."""
    release = a_release()
    name = how(clone)
    archive = Tarball.of_the_tag()
    changed, _ = archive.members[f"{ROOT}/Lib/os.py"]
    changed.size = len(b"import evil\n")
    archive.members[f"{ROOT}/Lib/os.py"] = changed, b"import evil\n"
    write(release, archive.stream())
    (finding,) = all_findings(release, clone)
    assert (finding.rule, finding.severity) == ("clone.objects", Severity.BLOCK)
    assert name[:12] in finding.message
