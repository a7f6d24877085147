"""Brought files: what experts and the pipeline put on the host, judged before users learn of it.

Whoever made a file may describe it elsewhere: the pipeline's tables, the manifest of the
install manager, an SBOM. All of that is compared, for nobody else reads it (python/cpython#142200:
an installer's SBOM with another sha256).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from checks.described import faults_of_manifest, faults_of_sbom
from checks.looking import judges
from checks.published_set import belongs_to_another
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable
from plugins.model.evidence import evidence_path
from plugins.model.manifest import Manifest
from plugins.model.package_head import HEAD_BYTES, is_of_its_kind
from plugins.model.promise import record_paths
from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.ports.brought_files import place_of
from plugins.ports.host import Kind, closed_folders, folders_seen_by_users, letting_in, unserved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from plugins.model.content import NamedFile
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.ports.host import Entry, HostReader

__all__ = [
    "adopted",
    "brought_is_of_its_kind",
    "brought_is_proved",
    "installers_are_signed",
    "nothing_unexpected_is_public",
    "promised_is_public",
    "what_files_tell_is_true",
]

_MOST_BYTES: Final = 1 << 25
_ALL_READ: Final = 0o004
_ALL_WRITE: Final = 0o002
_GROUP_WRITES: Final = 0o020


@judges("brought.unproved", "brought.approved_only", blind="brought.unseen")
def brought_is_proved(
    release: Release, contract: Contract, roles: Collection[str]
) -> tuple[Finding, ...]:
    """Each promised file of Windows has a digest from the pipeline or a signed manifest.

    Where nothing else gives a digest there is only the expert's approval, which is said (NEW22).
    """
    found = []
    for role in roles:
        if not contract.by_origin(*(each for each in Origin if each.value == role)):
            continue
        files = adopted(release, role)
        if (release.layout.adopted(role).with_name("MANIFEST")).is_file():
            continue
        by_pipeline = release.layout.reported_by_pipeline
        reported = _listed_in(by_pipeline) if role == Origin.WINDOWS.value else {}
        bare = [path for path in files if path not in reported]
        promised = [path for path in bare if contract.find(path) is not None]
        if promised and role == Origin.WINDOWS.value:
            found.append(
                Finding(
                    "brought.unproved",
                    Severity.BLOCK,
                    f"the pipeline gives no digest of {_few(promised)}",
                    where=role,
                    remedy="have the expert put a signed manifest of them into their inbox; "
                    f"{_anew(role)}; or waive brought.unproved: their approval is all then",
                )
            )
        elif bare:
            found.append(
                Finding(
                    "brought.approved_only",
                    Severity.NOTE,
                    f"only the expert's approval vouches for {_few(bare)}",
                    where=role,
                    remedy="ask the expert for a signed manifest in their inbox, if their approval "
                    "alone is not enough for you; the release goes on without one",
                )
            )
    return tuple(found)


@judges("brought.untrue", blind="brought.unseen")
def what_files_tell_is_true(
    release: Release, host: HostReader, roles: Collection[str]
) -> tuple[Finding, ...]:
    """What the manifest of the install manager and each SBOM say of other files is so (F1)."""
    files: dict[str, NamedFile] = {}
    owners: dict[str, str] = {}
    for role in roles:
        listed = adopted(release, role)
        files |= listed
        owners |= dict.fromkeys(listed, role)
    found: list[Finding] = []
    for path, file in sorted(files.items()):
        is_manifest = path.endswith(f"/windows-{release.version}.json")
        if not is_manifest and not path.endswith(".spdx.json"):
            continue
        content = _json(host, path, file.content.size_bytes, release)
        if content is None:
            problems: Iterable[str] = ("is not JSON that can be read",)
        elif is_manifest:
            problems = faults_of_manifest(content, files, release)
        else:
            problems = _faults_of_sbom(path, content, files, release)
        found += [_untrue(path, problem, owners[path]) for problem in problems]
    return tuple(found)


@judges("brought.kind", blind="brought.unseen")
def brought_is_of_its_kind(
    release: Release, host: HostReader, roles: Collection[str]
) -> tuple[Finding, ...]:
    """Each installer and package begins as such a file does, and each installer has a signature.

    Whose signature it is ``installers_are_signed`` judges. Of a rehearsal's toys nothing is asked.
    """
    if release.rehearsal:
        return ()
    found = []
    for role in roles:
        for path in adopted(release, role):
            if not path.endswith((".exe", ".pkg", ".zip")):
                continue
            place = _place(host, path, release)
            if not is_of_its_kind(path, host.read(place, HEAD_BYTES)):
                what = "a signed installer" if path.endswith((".exe", ".pkg")) else "a zip archive"
                found.append(
                    Finding(
                        "brought.kind",
                        Severity.BLOCK,
                        f"does not begin as {what} does",
                        where=path,
                        remedy=f"ask who made it for a whole one; {_anew(role)}",
                    )
                )
    return tuple(found)


@judges("brought.signer", "brought.unverified")
def installers_are_signed(contract: Contract, wrong: str, unverified: str) -> tuple[Finding, ...]:
    """Each installer is signed by the PSF, and was not changed since, as far as was looked at.

    The last two are lines of a place and what is so, as ``verify_installers`` found it (NEW26,
    NEW52).
    """
    found = [
        Finding(
            "brought.signer",
            Severity.BLOCK,
            problem,
            where=where,
            remedy=f"ask who made it for a signed one{_anew_if_brought(where, contract)}",
        )
        for where, _, problem in (line.partition(": ") for line in wrong.splitlines())
    ]
    if unverified:
        lines = [line.partition(": ") for line in unverified.splitlines()]
        needed = " and ".join(dict.fromkeys(problem.partition(" ")[2] for *_, problem in lines))
        found.append(
            Finding(
                "brought.unverified",
                Severity.NOTE,
                f"this tool did not verify the signatures inside "
                f"{_few([where for where, *_ in lines])}",
                remedy=f"install {needed}, or look at it yourself: signtool verify /pa on Windows, "
                "pkgutil --check-signature on macOS",
            )
        )
    return tuple(found)


@judges("brought.unexpected", blind="brought.unseen")
def nothing_unexpected_is_public(
    release: Release, contract: Contract, host: HostReader, roles: Collection[str]
) -> tuple[Finding, ...]:
    """No file of this release is public that nobody promised or adopted.

    The gate looks on while others are waited for, when evidence and manifest of the release are
    there.
    """
    known = {file.remote for file in contract.files}
    known |= {evidence_path(release), *record_paths(release)}
    for role in roles:
        known |= set(adopted(release, role))
    listed = host.listing(RemoteLayout(release.version).downloads.final)
    found = [
        Finding(
            "brought.unseen",
            Severity.BLOCK,
            f"belongs to {folder.owner} and has mode {folder.mode:o}, so nobody here can tell "
            f"what is in it{unserved(folder, host)}",
            where=printable(host.shown(folder.path)),
            remedy=f"ask {folder.owner} for {letting_in(folder, host)}; "
            "then run the same command again",
        )
        for folder in closed_folders(listed, host)
        if not belongs_to_another(f"{folder.path}/part.msi", release)
    ]
    found += [_seen_by_users(folder, host) for folder in folders_seen_by_users(listed, host)]
    for entry in listed:
        if entry.kind is Kind.FOLDER or entry.path in known:
            continue
        if belongs_to_another(entry.path, release):
            continue
        found.append(
            Finding(
                "brought.unexpected",
                Severity.BLOCK,
                f"was uploaded by {entry.owner}, and is no file of the release",
                where=printable(host.shown(entry.path)),
                remedy=f"ask {entry.owner} to remove it, or what it is for"
                + _anew_if_brought(
                    entry.path, contract, "; if it came after the others of its kind: "
                ),
            )
        )
    return tuple(found)


@judges(
    "public.missing", "public.closed", "public.unjudged", "public.differs", blind="public.unseen"
)
def promised_is_public(
    contract: Contract, known: Mapping[str, str], host: HostReader
) -> tuple[Finding, ...]:
    """Every file that the release promises is where users get it, as it was judged.

    ``known`` gives the sha256 of each by its path. Checked once more right before the page is
    shown: hours may be between the two, and files of others are not ours to keep (rule 23).
    """
    paths = sorted({*known, *(file.remote for file in contract.files)})
    there = dict(zip(paths, host.look(paths), strict=True))
    host.forget()  # what is fetched is hashed here once more
    entries = {entry.path: entry for entry in _listed(host, paths)}
    # One that users cannot read may be closed to us as well.
    closed = {path for path, entry in entries.items() if not entry.mode & _ALL_READ}
    digests = host.digests([entries[path] for path in paths if path in entries.keys() - closed])
    found = list(_writable(entries[path] for path in paths if path in entries))
    for path in paths:
        entry = there[path]
        if entry is None or entry.kind is not Kind.FILE:
            found.append(_public("public.missing", path, "no longer exists", contract))
        elif path in closed or entry.mode & _ALL_WRITE:
            problem = f"has mode {entry.mode:04o}, and belongs to {entry.owner}"
            found.append(_public("public.closed", path, problem, contract))
        elif path not in known:
            found.append(
                _public("public.unjudged", path, "is public, but was never checked", contract)
            )
        elif digests.get(path) != known[path]:
            digest = digests.get(path, "")[:16] or "none"
            problem = f"has digest {digest}, wanted {known[path][:16]}"
            found.append(_public("public.differs", path, problem, contract))
    return tuple(found)


def adopted(release: Release, role: str) -> dict[str, NamedFile]:
    """The files of this expert that count, by path. Raises StepFailed before they are known."""
    file = release.layout.adopted(role)
    if not file.is_file():
        raise StepFailed(
            where=f"files of {role}",
            problem="are not known here",
            remedy=f"run doit await_{role}",
        )
    return _listed_in(file)


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _listed_in(file: Path) -> dict[str, NamedFile]:
    return Manifest.from_bytes(file.read_bytes(), file.name).by_name if file.is_file() else {}


def _place(host: HostReader, path: str, release: Release) -> str:
    found = place_of(release.version, host, path)
    if not found:
        raise StepFailed(
            where=host.shown(path), problem="no longer exists", remedy="ask who took it away"
        )
    return found


def _json(host: HostReader, path: str, size_bytes: int, release: Release) -> Any:
    if size_bytes > _MOST_BYTES:
        return None
    try:
        return json.loads(host.read(_place(host, path, release), size_bytes))
    except (ValueError, RecursionError):
        return None


def _faults_of_sbom(
    path: str, content: Any, files: Mapping[str, NamedFile], release: Release
) -> Iterator[str]:
    """What an SBOM says of a file that is not so."""
    described = files.get(path.removesuffix(".spdx.json"))
    if described is None:
        yield "is of a file that does not exist"
        return
    yield from faults_of_sbom(content, described, release)


def _listed(host: HostReader, paths: Collection[str]) -> Iterator[Entry]:
    """Entries with their stamps, so that what did not change is not read again."""
    folders: list[str] = []
    for folder in sorted({path.rpartition("/")[0] for path in paths}):
        if not any(folder.startswith(f"{above}/") for above in folders):
            folders.append(folder)
            yield from host.listing(folder)


def _untrue(path: str, problem: str, role: str) -> Finding:
    return Finding(
        "brought.untrue",
        Severity.BLOCK,
        problem,
        where=path,
        remedy=f"ask whoever made it for a corrected one; {_anew(role)}",
    )


def _anew(role: str) -> str:
    """How the files of an expert are looked at again: what was adopted stays so by itself."""
    return f"once it is there, run doit forget await_{role}, then the same command again"


def _anew_if_brought(path: str, contract: Contract, when: str = "; ") -> str:
    """The same, for a file that the contract has an expert bring; "" for any other."""
    file = contract.find(path) or contract.brought(path)
    is_brought = file is not None and file.origin in (Origin.WINDOWS, Origin.MACOS)
    return f"{when}{_anew(file.origin.value)}" if file and is_brought else ""


def _public(rule: str, path: str, problem: str, contract: Contract) -> Finding:
    remedy = {
        "public.closed": "ask its owner or the host's administrators for chmod 644",
        "public.differs": "publish no page; find out who changed it, and have the file that was "
        "judged put back",
        "public.missing": "publish no page; find out who removed it, and have it put back",
        "public.unjudged": "publish no page; find out who uploaded it"
        + _anew_if_brought(path, contract),
    }[rule]
    return Finding(rule, Severity.BLOCK, problem, where=path, remedy=remedy)


def _seen_by_users(folder: Entry, host: HostReader) -> Finding:
    """What is not known of the files in a closed folder, and what is enough in its place."""
    return Finding(
        "brought.unseen",
        Severity.NOTE,
        f"belongs to {folder.owner} and has mode {folder.mode:o}, so its files were fetched as "
        "users get them; their modes, and whether they have further names, cannot be seen, but "
        f"nobody of group {folder.group} reaches a file through it (other accounts of the host can "
        "write to one whose mode lets them), and what users get is compared again before the page "
        "is shown",
        where=printable(host.shown(folder.path)),
        remedy="nothing has to be done; to have the host itself read them, ask "
        f"{folder.owner} for {letting_in(folder, host)}",
    )


def _writable(entries: Iterable[Entry]) -> Iterator[Finding]:
    """What a whole group may write to; of colleagues alone, since we make nothing like that."""
    theirs: dict[str, list[str]] = {}
    for entry in entries:
        if entry.kind is Kind.FILE and entry.mode & (_GROUP_WRITES | _ALL_WRITE) == _GROUP_WRITES:
            theirs.setdefault(entry.owner, []).append(entry.path)
    for owner, paths in theirs.items():
        yield Finding(
            "public.closed",
            Severity.WARN,
            f"can be changed by everybody of its group, and belongs to {owner}",
            where=_few(paths),
            remedy=f"ask {owner} for chmod 644",
        )


def _few(paths: Collection[str]) -> str:
    first = list(paths)[:2]
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return ", ".join(first) + more
