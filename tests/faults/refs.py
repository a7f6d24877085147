"""Faults of the tag and of the branch that it stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.rehearsal.gnupg_home import GnupgHome
from tests.faults.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["ref_faults", "tagged"]


def _ref(*words: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.git("update-ref", *words)

    return do


def tagged(change: Callable[[str], str], who: str = "manager") -> Callable[[Released], None]:
    """The tag's object says something else, signed by the manager, an expert or nobody."""

    def do(world: Released) -> None:
        payload = change(world.tag_payload.rstrip("\n") + "\n")
        homes = {
            "manager": (world.manager, world.key),
            "expert": (
                GnupgHome(world.manager.folder / "experts"),
                dict(world.signers.experts)["windows"][0],
            ),
            "nobody": (None, ""),
        }
        world.put_tag(payload, *homes[who])

    return do


def _moved(to: str) -> Callable[[Released], None]:
    """The manager signs a tag of the same name for another commit."""

    def do(world: Released) -> None:
        old, new = world.git("rev-parse", "v3.13.6^{commit}"), world.git("rev-parse", to)
        tagged(lambda payload: payload.replace(old, new))(world)

    return do


def _edited_tag(world: Released) -> None:
    """The object is changed after it was signed."""
    raw = world.git("cat-file", "tag", "v3.13.6") + "\n"
    changed = raw.replace("tagger ", "tagger Not ", 1)
    made = world.git("hash-object", "-w", "-t", "tag", "--literally", "--stdin",
                     stdin=changed.encode())  # fmt: skip
    world.git("update-ref", "refs/tags/v3.13.6", made)


def _new_commit(world: Released) -> None:
    """The tag names a commit of the same tree that stands on no branch."""
    tree = world.git("rev-parse", "v3.13.6^{tree}")
    made = world.git(
        "-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", tree, "-m", "x"
    )
    _moved(made)(world)


def ref_faults() -> Iterator[Fault]:
    yield Fault("no tag", "tag.missing", _ref("-d", "refs/tags/v3.13.6"))
    yield Fault("no branch", "tag.missing", _ref("-d", "refs/heads/3.13"))
    yield Fault("a light tag", "tag.light", _ref("refs/tags/v3.13.6", "v3.13.6^{commit}"))
    yield Fault("another release's tag object", "tag.name", tagged(
        lambda payload: payload.replace("tag v3.13.6", "tag v3.13.7")))  # fmt: skip
    yield Fault("another release's message", "tag.name", tagged(
        lambda payload: payload.replace("Python 3.13.6", "Python 3.13.60")))  # fmt: skip
    same = tagged(lambda payload: payload, "expert")
    yield Fault("a tag signed by an expert", "tag.signature", same)
    unsigned = tagged(lambda payload: payload, "nobody")
    yield Fault("a tag signed by nobody", "tag.signature", unsigned)
    yield Fault("a tag changed after it was signed", "tag.signature", _edited_tag)
    yield Fault("a tag on the commit before", "tag.version", _moved("v3.13.6^{commit}^"))
    yield Fault("a tag on the release before", "tag.version", _moved("v3.13.5^{commit}"))
    yield Fault("a tag on the commit before, by its tree", "archive.tree",
                _moved("v3.13.6^{commit}^"))  # fmt: skip
    yield Fault("a folder that the release before had", "archive.previous", _lost_folder)
    yield Fault("a tenth of the files of the release before", "archive.previous", _lost_files)
    yield Fault("a tag on no branch", "tag.branch", _new_commit)
    for told, ref in (
        ("a branch called like the tag", "refs/heads/v3.13.6"),
        ("a branch called like the release", "refs/heads/3.13.6"),
        ("a tag called like the branch", "refs/tags/3.13"),
        ("a tag without a v", "refs/tags/3.13.6"),
        ("a tag more", "refs/tags/v3.13.6-1"),
        ("a tag of a folder", "refs/tags/python/v3.13.6"),
        ("a ref elsewhere", "refs/releases/v3.13.6"),
    ):
        yield Fault(told, "tag.shadowed", _ref(ref, "v3.13.5^{commit}"))
    yield Fault("a branch set back", "tag.branch", _ref("refs/heads/3.13", "v3.13.6^{commit}^"))


def _before(world: Released, lines: list[str]) -> None:
    """The release before held these as well, each as ``git mktree`` reads it."""
    listed = world.git("ls-tree", "v3.13.6^{commit}").splitlines()
    tree = world.git("mktree", stdin="\n".join([*listed, *lines, ""]).encode())
    made = world.git(
        "-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", tree, "-m", "before"
    )
    world.git("update-ref", "refs/tags/v3.13.5", made)


def _lost_folder(world: Released) -> None:
    listed = world.git("rev-parse", "v3.13.6^{commit}:Lib")
    _before(world, [f"040000 tree {listed}\tDemo"])


def _lost_files(world: Released) -> None:
    blob = world.git("hash-object", "-w", "--stdin", stdin=b"x")
    _before(world, [f"100644 blob {blob}\tnotes-{number}.txt" for number in range(400)])
