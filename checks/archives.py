"""Archives: both source archives looked at as their users will unpack them (B08, B09).

Each is read once, in a stream, the two at the same time, and compared with the stream that the
tag's own objects give. A rule that finds the same fault many times tells it once, with the number
and the first place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.git_objects import AlteredObject
from checks.looking import judges
from checks.tag_stream import first_difference, tag_of
from checks.tag_tree import Seen
from doit_receipts.cores import some_cores
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from plugins.model.archive_links import leads_out
from plugins.model.archive_rules import LEFT_OUT_NAMES, LEFT_OUT_SUFFIXES, MADE, is_left_out
from plugins.model.compressed import odd_field
from plugins.model.file_names import is_odd, twice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from checks.tag_stream import MergeNews
    from plugins.model.archive import Archive, Member
    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs

__all__ = ["archives_are_sound"]


@judges(
    "archive.differ",
    "archive.tree",
    "archive.stream",
    "archive.compressor",
    "archive.unreadable",
    "archive.root",
    "archive.type",
    "archive.pyc",
    "archive.owner",
    "archive.mode",
    "archive.time",
    "archive.name",
    "archive.link",
    "clone.objects",
)
def archives_are_sound(
    release: Release,
    clone: Clone,
    programs: Programs,
    commit: str,
    epoch_s: int,
    merge_news: MergeNews,
    *,
    read: Callable[[Path], Archive] | None = None,
) -> tuple[Finding, ...]:
    """Both archives are the tag's tree to the last bit, as root's, readable by all, of one time.

    ``commit`` is what the tag names and ``epoch_s`` its time; ``merge_news`` makes Misc/NEWS of
    its entries; ``read`` reads an archive, where somebody else reads it too. Source: B08 and B09;
    3.6.0 went out with permissions that kept others from reading it (python/cpython#73760).
    """
    # threading is late: listing tasks reads no archive
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    findings: list[Finding] = []
    paths = release.layout.tarballs
    about_tag = (release, clone, programs, commit, epoch_s, merge_news)
    with some_cores(len(paths) + 1) as cores, ThreadPoolExecutor(cores) as pool:
        first = pool.submit(_read, paths[0], read)
        reading = (first, pool.submit(_read_unless, paths[1], first))
        tag = pool.submit(tag_of, *about_tag)
        archives: dict[str, Archive] = {}
        for path, judged in zip(paths, reading, strict=True):
            try:
                archives[path.name] = judged.result()
            except ReleaseError as error:
                findings.append(_block("archive.unreadable", path.name, error.problem))
            else:
                findings += _packed(path)
        try:
            wanted = tag.result()
        except AlteredObject as error:
            wanted = None
            findings.append(error.finding())
        except ReleaseError as error:
            wanted = None
            message = "; ".join((f"{error.where}: {error.problem}", *error.details[-1:]))
            findings.append(_block("archive.tree", commit, f"cannot read the tag: {message}"))
    for name, archive in _distinct(archives).items():
        findings += _lint(name, archive, release.layout.folder_in_archive, epoch_s)
        if wanted is None:
            continue
        findings += _tree_is_the_tags(name, archive, wanted.tree)
        if archive.stream_sha256 != wanted.stream_sha256:
            from plugins.model.archive import unpacked  # noqa: PLC0415 - see _read

            with unpacked(release.layout.src / name) as stream:
                place = first_difference(*about_tag, stream)
            problem = f"is not the tag's own tar stream: it differs first {_shown(place)}"
            findings.append(_block("archive.stream", name, problem))
    if len({archive.stream_sha256 for archive in archives.values()}) > 1:
        both = " and ".join(archives)
        findings.append(_block("archive.differ", both, "do not contain the same tar stream"))
    return tuple(findings)


def _packed(path: Path) -> Iterator[Finding]:
    """What the compressor wrote around the stream is as ours writes it."""
    if odd := odd_field(path):
        problem = f"{odd} is not as {'xz -6' if path.suffix == '.xz' else 'gzip -9 -n'} writes it"
        yield _block("archive.compressor", path.name, problem)


def _distinct(archives: dict[str, Archive]) -> dict[str, Archive]:
    """The archives, without one that holds the very stream of an earlier one."""
    streams = {archive.stream_sha256: name for name, archive in reversed(archives.items())}
    return {name: archives[name] for name in reversed(streams.values())}


def _read(path: Path, read: Callable[[Path], Archive] | None) -> Archive:
    # Late: tarfile and what it needs cost 15 ms that listing tasks does not have to pay.
    from plugins.model.archive import UnreadableArchive, read_archive  # noqa: PLC0415

    try:
        return (read or read_archive)(path)
    except OSError as error:
        raise UnreadableArchive(where=path.name, problem=f"cannot be read: {error}") from error


def _read_unless(path: Path, first: Future[Archive]) -> Archive:
    """The archive; that which was read first, if it holds the very same stream."""
    from plugins.model.archive import UnreadableArchive, stream_of  # noqa: PLC0415 - see _read

    try:
        stream = stream_of(path)
    except OSError as error:
        raise UnreadableArchive(where=path.name, problem=f"cannot be read: {error}") from error
    if first.exception() is None and first.result().stream_sha256 == stream:
        return first.result()
    return _read(path, None)


def _seen(member: Member) -> Seen:
    kind = member.kind.value
    content = member.sha256 or member.target
    return Seen(kind, kind == "file" and bool(member.mode & 0o100), content)


def _lint(name: str, archive: Archive, root: str, epoch_s: int) -> Iterator[Finding]:
    """What is wrong with single members."""
    members = archive.members
    if not members:
        yield _block("archive.root", name, "is empty")
    linked = [each for each in members if each.kind.value == "symbolic link"]
    links = {each.name: each.target for each in linked}
    out = {
        each.name
        for each in linked
        if leads_out(each.name, {**links, each.name: each.target}, root)
    }
    faults: tuple[tuple[str, str, Callable[[Member], bool]], ...] = (
        ("archive.root", f"outside of {root}/", lambda member: _root_of(member) != root),
        (
            "archive.type",
            "neither file, folder nor link",
            lambda member: member.kind.name == "OTHER",
        ),
        ("archive.pyc", "compiled", lambda member: _is_compiled(member.name)),
        ("archive.owner", "not root's", _has_owner),
        ("archive.mode", "with a mode other than 0644 or 0755", _has_odd_mode),
        ("archive.time", "of another time than the tag's", lambda member: member.time_s != epoch_s),
        (
            "archive.name",
            "with a name that some systems do not allow",
            lambda member: is_odd(member.name),
        ),
        ("archive.link", "pointing out of the archive", lambda member: member.name in out),
    )
    for rule, what, is_wrong in faults:
        yield from _members_at_fault(
            rule, name, what, [member.name for member in members if is_wrong(member)]
        )
    yield from _members_at_fault(
        "archive.name", name, "that come twice", twice([member.name for member in members])
    )
    yield from _members_at_fault(
        "archive.link", name, "below a link or a file", _below_no_folder(members)
    )


def _root_of(member: Member) -> str:
    return member.name.partition("/")[0]


def _is_compiled(name: str) -> bool:
    parts = name.split("/")
    return name.endswith(LEFT_OUT_SUFFIXES) or any(each in LEFT_OUT_NAMES for each in parts)


def _has_owner(member: Member) -> bool:
    numbers = member.user_id or member.group_id
    return bool(numbers) or member.user not in ("", "root") or member.group not in ("", "root")


def _has_odd_mode(member: Member) -> bool:
    if member.kind.value == "file":
        return member.mode not in (0o644, 0o755)
    # A link's own mode means nothing anywhere.
    return member.kind.value == "folder" and member.mode != 0o755


def _below_no_folder(members: Sequence[Member]) -> list[str]:
    """Names below a link or a file: unpacking would follow the one and fail at the other."""
    others = {member.name for member in members if member.kind.value != "folder"}
    return [
        member.name
        for member in members
        if any(parent in others for parent in _parents(member.name))
    ]


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _tree_is_the_tags(name: str, archive: Archive, tag: dict[str, Seen]) -> Iterator[Finding]:
    """The archive holds what the tag holds, without what is left out, and what is made."""
    found = {
        member.name.partition("/")[2]: _seen(member)
        for member in archive.members
        if "/" in member.name
    }
    wanted = {path: each for path, each in tag.items() if not is_left_out(path)}
    # git tells of folders as well; one that held only what is left out may go or stay.
    shipped = {path for path in wanted if wanted[path].kind != "folder"} | set(MADE)
    folders = {parent for path in shipped for parent in _parents(path)}
    both = [path for path in found if path in wanted and path not in MADE]
    differing = [path for path in both if found[path].content != wanted[path].content]
    other_kind = [path for path in both if found[path][:2] != wanted[path][:2]]
    extra = [path for path in found if path not in shipped | folders]
    missing = sorted((shipped | folders) - found.keys())
    yield from _members_at_fault("archive.tree", name, "of the tag", missing, verb="lacks")
    yield from _members_at_fault("archive.tree", name, "that the tag does not have", extra)
    yield from _members_at_fault(
        "archive.tree", name, "with other content than the tag's", differing
    )
    yield from _members_at_fault(
        "archive.tree", name, "with another type or mode than the tag's", other_kind
    )


def _members_at_fault(
    rule: str, name: str, what: str, places: Sequence[str], verb: str = "holds"
) -> Iterator[Finding]:
    if places:
        count = "1 member" if len(places) == 1 else f"{len(places):,} members"
        yield _block(rule, name, f"{verb} {count} {what}, first {_shown(places[0])}")


def _shown(name: str) -> str:
    return name if name.isprintable() and name else ascii(name)


def _block(rule: str, where: str, problem: str) -> Finding:
    return Finding(rule, Severity.BLOCK, problem, where=where)
