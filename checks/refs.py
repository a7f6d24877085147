"""Refs: upstream's tag and branch, and whether the tag is what its name promises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from doit_receipts.errors import BadVersion, ReleaseError
from doit_receipts.printable import printable
from plugins.model.patchlevel import PATH, read_patchlevel
from plugins.model.rules import breach
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from checks.verify_context import Signers
    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.ports.git import Clone, Tag
    from plugins.ports.public import History
    from plugins.ports.signing import Verifier

__all__ = ["branch_ref", "names_are_taken_once", "tag_is_ours", "tag_is_right"]


def branch_ref(branch: str) -> str:
    """Where upstream's branch is in a clone that was brought here."""
    return f"refs/upstream/{branch}"


def tag_is_right(
    release: Release,
    clone: Clone,
    signers: Signers,
    verifier: Verifier,
    room: Path,
    branch: str = "",
) -> tuple[Finding, ...]:
    """The tag is annotated, names this version, is signed by who may, and is on ``branch``.

    ``branch`` is a ref of the clone, "" if that is not asked; ``room`` takes what is verified,
    so that it can be looked at by hand.
    """
    name = release.version.tag
    try:
        tag = clone.tag(name)
        if tag is None:
            return (breach("tag.missing", name, "is not there"),)
        return tuple(_judged(release, clone, tag, signers, verifier, room, branch))
    except (ReleaseError, UnicodeDecodeError, StopIteration, ValueError) as error:
        return (breach("tag.unseen", name, str(error) or "the tag object cannot be read"),)


def tag_is_ours(release: Release, here: Clone, there: Clone) -> tuple[Finding, ...]:
    """The tag that was made on this machine, if one was, is the one that upstream has."""
    name = release.version.tag
    ours, theirs = here.resolve(f"refs/tags/{name}"), there.resolve(f"refs/tags/{name}")
    if not ours or not theirs or ours == theirs:
        return ()
    return (breach("tag.other_here", name, f"upstream has {theirs[:12]}, here is {ours[:12]}"),)


def names_are_taken_once(release: Release, history: History) -> tuple[Finding, ...]:
    """Upstream has no other ref that somebody who asks for this release or branch could get.

    git takes ``v3.13.6`` for a branch as well as for a tag; and a tag whose name begins like that
    of the release, and is that of no release, looks like a corrected one.
    """
    version, branch = release.version, f"refs/tags/{release.branch}"
    tag = f"refs/tags/{version.tag}"
    # A name without a place matches the ends of longer ones.
    found = history.matching(version.tag, str(version), f"{tag}*", f"refs/tags/{version}*", branch)
    return tuple(
        breach("tag.shadowed", printable(name), f"can be taken for {version.tag}")
        for name in sorted(found)
        if name == branch or (name != tag and not _is_a_releases(name))
    )


def _is_a_releases(ref: str) -> bool:
    """Whether the ref is the tag of some release."""
    name = ref.removeprefix("refs/tags/")
    try:
        return name != ref and Version.parse(name.removeprefix("v")).tag == name
    except BadVersion:
        return False


def _judged(
    release: Release,
    clone: Clone,
    tag: Tag,
    signers: Signers,
    verifier: Verifier,
    room: Path,
    branch: str,
) -> Iterator[Finding]:
    if not tag.payload:
        yield breach("tag.light", tag.name, "is a lightweight tag: it names a commit directly")
    else:
        yield from _payload(release, tag)
        if release.signs_with_gpg:
            yield from _signature(tag, signers, verifier, room)
    if branch and not clone.resolve(branch):
        yield breach("tag.missing", branch.removeprefix("refs/upstream/"), "is no branch there")
    elif branch and not clone.follows(branch, tag.commit):
        shown = branch.removeprefix("refs/upstream/")
        yield breach("tag.branch", tag.name, f"its commit {tag.commit[:12]} is not on {shown}")
    patchlevel = read_patchlevel((clone.read(tag.commit, PATH) or b"").decode(errors="replace"))
    if (patchlevel.version, patchlevel.suffix) != (release.version, ""):
        said = f"{patchlevel.version}{patchlevel.suffix}"
        yield breach("tag.version", tag.name, f"{PATH} says {said}, not {release.version}")


def _payload(release: Release, tag: Tag) -> Iterator[Finding]:
    head, _, message = tag.payload.partition("\n\n")
    said = dict(line.partition(" ")[::2] for line in head.split("\n"))
    wanted = {"object": tag.commit, "type": "commit", "tag": release.version.tag}
    for key, value in wanted.items():
        if said.get(key, "") != value:
            yield breach("tag.name", tag.name, f"its {key} is {said.get(key, '')!a}, not {value}")
    if not re.search(rf"(?<![0-9.]){re.escape(str(release.version))}(?![0-9a-z])", message):
        yield breach("tag.name", tag.name, f"its message does not name {release.version}")


def _signature(tag: Tag, signers: Signers, verifier: Verifier, room: Path) -> Iterator[Finding]:
    if not tag.signature:
        yield breach("tag.signature", tag.name, "is not signed")
        return
    payload, signature = room / tag.name, room / f"{tag.name}.asc"
    write_whole(payload, tag.payload.encode())
    write_whole(signature, tag.signature.encode())
    result = verifier.verify_by(payload, signature, signers.manager)
    if result.problem:
        yield breach("tag.signature", tag.name, result.problem)
