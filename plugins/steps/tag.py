"""Tag: the signed name of the release commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.steps.news import day_of
from plugins.steps.published_tag import published, refuse_other, way_out
from plugins.steps.release_clone import COMMIT, input_commit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.git import Base, Clone, Identity, Remote, Tag
    from plugins.ports.signing import Signer

__all__ = ["Named", "make"]


@frozen
class Named:
    """What a tag is called, and its message in one line."""

    name: str
    message: str


def make(
    release: Release,
    clone: Clone,
    base: Base,
    signer: Signer | None,
    clock: Clock,
    *,
    after: str = COMMIT,
    remotes: Mapping[str, Remote] | None = None,
    named: Named | None = None,
) -> dict[str, str]:
    """The tag ``vX.Y.ZaN`` names the release commit, signed with the archives' key (T01, T02).

    A tag that says the same already is kept, also one in the RM's clone. An earlier one of
    our own, on a commit that is no longer the release, is replaced: nobody has seen it. A tag
    of that name in the RM's clone on another commit is not ours to move: StepFailed, with
    both. So is one that ``remotes``, the fork and upstream, have: theirs is taken over if it is
    of this commit, since it may be all that is left of ours. Series that are not signed with
    OpenPGP (PEP 761) get an annotated tag without a signature. ``named`` gives another name and
    message.
    """
    named = named or Named(release.version.tag, f"Python {release.version}")
    commit = input_commit(clone, after)
    name = named.name
    wanted_by = base.identity()
    before = clone.tag(name)
    theirs = _theirs(name, commit, base)
    if theirs is not None and (before is None or before.id != theirs.id):
        clone.prepare(base.folder, (theirs.id,))
        clone.point(f"refs/tags/{name}", theirs.id)
        before = clone.tag(name)
    public, remedy = _public(release, name, commit, clone, base, remotes or {})
    if public is not None:
        before = public
    if before is not None and _holds(release, before, commit, wanted_by, signer, named):
        return _facts(release, before, signer)
    if public is not None:
        raise StepFailed(
            where=name,
            problem="this tag was pushed, on the right commit, but it is not a valid release tag",
            remedy=remedy,
        )
    if theirs is not None:
        raise StepFailed(
            where=name,
            problem=f"{base.folder} has this tag, on the right commit, but it is not a valid "
            "release tag",
            remedy="if it was never pushed, delete it there; look at it with git tag -v",
        )
    head = (
        f"object {commit}\ntype commit\ntag {name}\n"
        f"tagger {wanted_by.name} <{wanted_by.email}> {int(clock.now().timestamp())} +0000\n\n"
        f"{named.message}\n"
    )
    signature = ""
    if release.signs_with_gpg:
        signature = _signed(head, _file(release, name), _needed(signer))
    clone.put_tag(name, head + signature)
    made = clone.tag(name)
    if made is None or not _holds(release, made, commit, wanted_by, signer, named):
        raise StepFailed(
            where=name,
            problem="git returned a different tag from the one that was made",
            remedy="see which program PATH names as git, then run the same command again",
        )
    return _facts(release, made, signer)


def _theirs(name: str, commit: str, base: Base) -> Tag | None:
    """The tag of this name in the RM's clone. Raises StepFailed if it is on another commit."""
    for tag in base.tags():
        if tag.name == name and tag.commit != commit:
            raise StepFailed(
                where=name,
                problem=f"{base.folder} has this tag on {tag.commit[:12]},"
                f" but the release commit is {commit[:12]}",
                remedy="if that tag was never pushed, delete it there; "
                "if it was, this version is taken",
                details=(f"found  {tag.commit}", f"wanted {commit}"),
            )
        if tag.name == name:
            return tag
    return None


def _public(
    release: Release,
    name: str,
    commit: str,
    clone: Clone,
    base: Base,
    remotes: Mapping[str, Remote],
) -> tuple[Tag | None, str]:
    """The tag that others can see, taken over, and what is left to do if it is none.

    Raises StepFailed if it is of another commit.
    """
    found, remedy = None, ""
    for role, remote, there in published(name, clone, remotes):
        tagged = clone.resolve(f"{there}^{{commit}}")
        if tagged != commit:
            start = _start_of(tagged, commit, clone)
            day = day_of(release, clone, tagged) if tagged else ""
            raise refuse_other(
                name,
                role,
                remote,
                tagged or there,
                commit,
                base=start if start != base.commit() else "",
                day=day if day != day_of(release, clone, commit) else "",
                chosen=base.is_pinned(),
            )
        clone.point(f"refs/tags/{name}", there)
        found, remedy = clone.tag(name), way_out(name, role, remote)
    return found, remedy


def _start_of(other: str, commit: str, clone: Clone) -> str:
    """The last commit before the two went apart; "" if there is none, or one is unknown."""
    apart = clone.beyond(other, commit) if other else ()
    return clone.resolve(f"{apart[-1].split()[0]}^") if apart else ""


def _holds(
    release: Release, tag: Tag, commit: str, by: Identity, signer: Signer | None, named: Named
) -> bool:
    """Whether the tag is what would be made, its time and signature's bytes aside."""
    if tag.commit != commit or not tag.payload:
        return False
    head, _, message = tag.payload.partition("\n\n")
    tagger = f"tagger {by.name} <{by.email}> "
    if message != f"{named.message}\n" or tagger not in head:
        return False
    if not release.signs_with_gpg:
        return not tag.signature
    return _problem(tag, _file(release, tag.name), _needed(signer)) == ""


def _facts(release: Release, tag: Tag, signer: Signer | None) -> dict[str, str]:
    facts = {"tag": tag.id, "commit": tag.commit, "epoch": str(int(tag.made.timestamp()))}
    if release.signs_with_gpg:
        payload, signature = _written(tag.payload, tag.signature, _file(release, tag.name))
        facts["signed by"] = _needed(signer).verify(payload, signature).fingerprint
    return facts


def _needed(signer: Signer | None) -> Signer:
    if signer is None:
        raise StepFailed(
            where="tag",
            problem="this series is signed with OpenPGP, and no signer is given",
            remedy='write gpg_key = "FULL FINGERPRINT" below [signing], '
            "then run the same command again",
        )
    return signer


def _file(release: Release, name: str) -> Path:
    """What is signed, as a file: gpg --verify can be asked about it by hand later."""
    return release.layout.made / "tag" / name


def _signed(payload: str, file: Path, signer: Signer) -> str:
    write_whole(file, payload.encode())
    signature = file.with_name(f"{file.name}.asc")
    signer.sign(file, signature)
    return signature.read_text(encoding="ascii")


def _written(payload: str, signature: str, file: Path) -> tuple[Path, Path]:
    beside = file.with_name(f"{file.name}.asc")
    write_whole(file, payload.encode())
    write_whole(beside, signature.encode())
    return file, beside


def _problem(tag: Tag, file: Path, signer: Signer) -> str:
    """Why the tag's signature is not good; "" if it is."""
    if not tag.signature:
        return "no signature"
    payload, signature = _written(tag.payload, tag.signature, file)
    return signer.verify(payload, signature).problem
