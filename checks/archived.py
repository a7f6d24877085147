"""Archived: what a closing archive proves of its release, years later and from any machine.

Nothing of the release's folder is needed: signatures, approvals and receipts are judged against
each other, and what they say of files and refs against what is public at this moment.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from doit_receipts.approval import Approval
from doit_receipts.errors import ReleaseError
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted
from doit_receipts.receipt import Receipt
from doit_receipts.runner import subject_of
from plugins.model.closing_archive import MOST_BYTES, BrokenArchive, ClosingArchive
from plugins.model.published_file import BUNDLE_SUFFIX, SITE, SizeClass
from plugins.model.record_signatures import is_plain_signature
from plugins.model.release_manifest import EntryKind, ReleaseManifest
from plugins.model.report import Judgement, Report, Situation
from plugins.model.rules import breach
from plugins.model.series import series_of
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from checks.verify_context import Clients
    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.model.series import SigstoreIdentity
    from plugins.ports.signing import Verifier
    from plugins.ports.sigstore import BundleVerifier

__all__ = ["judge"]

_AT_ONCE: Final = 8
_MOST_FILE_BYTES: Final = max(each.value[1] for each in SizeClass)
_FOLDERS: Final = ("src", "docs", "bundles", "evidence", "record")
"""Whose files are published under the names that they have in these folders."""
_OWN: Final = ("src/SHA256SUMS",)
"""Made for the release manager; users get the same sums in the manifest."""
_OK: Final = 200
_APPROVED: Final = frozenset({"by", "key", "subject"})
"""Facts that the receipt of every approval has, and no other."""
_NOT_KNOWN: Final = (
    "who sat at the keyboard: a key or a login stands for its person",
    "when anything happened: the times of the journal are those of the release manager's machine",
    "what gates saw beyond their lines in the receipts: what they looked at has changed since",
    "whether the journal is complete: it is a plain list, covered by the archive's signature only",
    "what was sent and posted: emails, the forum and the blog are not read again",
    "files of experts that no receipt or manifest here names",
)


@frozen
class _Looked:
    """An archive that could be read, with the receipts that are as they were written."""

    archive: ClosingArchive
    receipts: Mapping[str, Receipt]


def judge(release: Release, clients: Clients, file: Path) -> Report:
    """All that can be found against the closing archive in the file.

    ``release`` is the one that is declared here: if the archive is of that one, its release
    manager is who is declared, else who is known for the series.
    """
    raw = _bytes_of(file)
    if isinstance(raw, BrokenArchive):
        return _unreadable(file, raw)
    try:
        archive = ClosingArchive.from_bytes(raw, file.name)
    except BrokenArchive as error:
        return _unreadable(file, error)
    by = series_of(archive.version).manager
    if archive.release == release.name:
        by = release.series.manager
    receipts, broken = _receipts(archive)
    looked = _Looked(archive, receipts)
    signed = tuple(_signatures(file, raw, archive, by, clients.bundles, clients.verifier))
    judgements = [
        Judgement("signatures", f"those beside {file.name}, by {by}", signed),
        Judgement(
            "receipts",
            f"{len(receipts)}: seals, what each was made from, files that they name",
            (*broken, *_chain(looked), *_products(looked)),
        ),
        Judgement(
            "approvals",
            f"{len(archive.below('approvals', '.json'))}: keys, and what was approved",
            tuple(_approvals(looked, clients.verifier)),
        ),
        # Who is not the release manager would only learn what is public.
        *([] if _is_strangers(signed) else [_published(looked, clients)]),
    ]
    return Report(
        archive.release, archive.kind, Situation.ARCHIVED, tuple(judgements), not_known=_NOT_KNOWN
    )


def _is_strangers(signed: tuple[Finding, ...]) -> bool:
    return any(finding.rule == "archived.signature" for finding in signed)


def _unreadable(file: Path, error: BrokenArchive) -> Report:
    found = (replace(breach("archived.unreadable", file.name, error.problem), remedy=error.remedy),)
    return Report("?", "", Situation.ARCHIVED, (Judgement("archive", "its form", found),))


def _bytes_of(file: Path) -> bytes | BrokenArchive:
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read: {str(error.strerror).lower()}"
        return BrokenArchive(
            where=file.name,
            problem=problem,
            remedy="name a closing archive that exists and can be read",
        )


# ── signatures ─────────────────────────────────────────────────────────────────────────────


def _signatures(
    file: Path,
    raw: bytes,
    archive: ClosingArchive,
    by: SigstoreIdentity,
    bundles: BundleVerifier,
    keyring: Verifier,
) -> Iterator[Finding]:
    """Sigstore of all, OpenPGP up to 3.13; the key is that which the archive names as the RM's.

    Only Sigstore says who signed: the archive itself names the key.
    """
    bundle = file.with_name(f"{file.name}{BUNDLE_SUFFIX}")
    try:
        found = bundles.verify_bundle(bundle, hashlib.sha256(raw).hexdigest(), by)
    except ReleaseError as error:
        yield breach("archived.unseen", bundle.name, str(error))
    else:
        if problem := found.problem or _not_plain(bundle):
            yield breach("archived.signature", bundle.name, problem)
    signature = file.with_name(f"{file.name}.asc")
    if series_of(archive.version).signs_with_gpg:
        openpgp = keyring.verify_by(file, signature, archive.people.get("RM", ()))
        if problem := openpgp.problem or _not_plain(signature):
            yield breach("archived.signature", signature.name, problem)


def _not_plain(signature: Path) -> str:
    """A signature that is good may have more in it than was signed with, or otherwise."""
    is_plain = is_plain_signature(signature.name, signature.read_bytes())
    return "" if is_plain else "contains more than a signature"


# ── receipts ───────────────────────────────────────────────────────────────────────────────


def _receipts(archive: ClosingArchive) -> tuple[dict[str, Receipt], tuple[Finding, ...]]:
    """Those that are as they were written, and what is wrong with the others."""
    found, broken = {}, []
    for name, raw in archive.below("receipts", ".json").items():
        where = f"receipts/{name}.json"
        try:
            receipt = Receipt.from_bytes(raw, where)
        except ReleaseError as error:
            broken.append(breach("archived.receipt", where, error.problem))
            continue
        own = (receipt.step, receipt.version, receipt.rehearsal, receipt.to_bytes())
        if own != (name, archive.release, archive.rehearsal, raw):
            broken.append(breach("archived.receipt", where, "is of another task or release"))
        found[name] = receipt
    if not found:
        broken.append(breach("archived.missing", "receipts", "the archive holds no receipt"))
    return found, tuple(broken)


def _chain(looked: _Looked) -> Iterator[Finding]:
    """Each was made from what the receipts of the tasks before it say."""
    for name, receipt in looked.receipts.items():
        for what, result in receipt.inputs.items():
            kind, _, before = what.partition(" ")
            where = f"receipts/{before}.json"
            if kind != "after":
                continue
            if before not in looked.receipts:
                if where not in looked.archive.members:
                    yield breach(
                        "archived.missing", where, f"is missing, and {name} was made from it"
                    )
            elif looked.receipts[before].result != result:
                problem = f"differs from the result that {name} was made from"
                yield breach("archived.receipt", where, problem)


def _products(looked: _Looked) -> Iterator[Finding]:
    """Archived files have the digests that receipts name."""
    members = looked.archive.members
    for name, receipt in looked.receipts.items():
        for path, digest in receipt.outputs.items():
            content = members.get(path)
            if content is not None and hashlib.sha256(content).hexdigest() != digest:
                yield breach("archived.receipt", path, f"differs from what {name} made")
            if content is None and path.startswith(("record/", "evidence/")):
                yield breach("archived.missing", path, f"is missing, and {name} made it")


# ── approvals ──────────────────────────────────────────────────────────────────────────────


def _approvals(looked: _Looked, keyring: Verifier) -> Iterator[Finding]:
    """Each is a good signature over what the receipt of its task was made from."""
    archive = looked.archive
    for name, raw in archive.below("approvals", ".json").items():
        where = f"approvals/{name}.json"
        receipt = looked.receipts.get(name)
        if receipt is None:
            yield breach(
                "archived.missing", f"receipts/{name}.json", "is missing, and its approval is here"
            )
            continue
        try:
            approval = Approval.from_bytes(raw, where)
        except ReleaseError as error:
            yield breach("archived.approval", where, error.problem)
            continue
        given = (approval.task, approval.version, approval.subject, approval.by)
        subject, by = subject_of(receipt.inputs), receipt.facts.get("by", "")
        if given != (name, archive.release, subject, by) or receipt.facts.get("subject") != subject:
            yield breach("archived.approval", where, "was not given for what its receipt names")
        keys = archive.people.get(approval.by, ())
        signature = archive.members.get(f"{where}.asc", b"")
        if problem := _signed(keyring, raw, signature, keys):
            yield breach("archived.approval", where, f"{approval.by}: {problem}")
    for name, receipt in looked.receipts.items():
        if receipt.facts.keys() >= _APPROVED and f"approvals/{name}.json" not in archive.members:
            yield breach(
                "archived.missing", f"approvals/{name}.json", "is missing, and its receipt is here"
            )


def _signed(keyring: Verifier, raw: bytes, signature: bytes, keys: tuple[str, ...]) -> str:
    with TemporaryDirectory() as room:
        file, beside = Path(room, "statement"), Path(room, "signature")
        file.write_bytes(raw)
        beside.write_bytes(signature)
        return keyring.verify_by(file, beside, keys).problem


# ── what is public ─────────────────────────────────────────────────────────────────────────


def _published(looked: _Looked, clients: Clients) -> Judgement:
    """Files and tag are as manifest and receipts of the archive say."""
    wanted, found = _wanted(looked)
    clients.progress.say(f"fetching {counted(len(wanted), 'file')}")

    def compare(item: tuple[str, str]) -> Finding | None:
        path, digest = item
        url = f"{SITE}/ftp/python/{path}"
        try:
            there = clients.public.fetch(url, AROUND, _MOST_FILE_BYTES)
        except ReleaseError as error:
            return breach("archived.unseen", path, str(error))
        if there.status != _OK:
            return breach(
                "archived.published",
                path,
                f"answers {there.status}, wanted the file that was published",
            )
        if there.content.sha256 != digest:
            problem = f"has sha256 {there.content.sha256}, wanted {digest} as archived"
            return breach("archived.published", path, problem)
        return None

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="archived") as pool:
        found += [each for each in pool.map(compare, sorted(wanted.items())) if each]
    names, others = _refs(looked, clients)
    about = ", ".join((counted(len(wanted), "file"), *names)) if wanted or names else "nothing"
    return Judgement("published files", about, (*found, *others))


def _wanted(looked: _Looked) -> tuple[dict[str, str], list[Finding]]:
    """What users have to get, by path: what receipts say was made, and all of the manifest."""
    version = looked.archive.version
    wanted: dict[str, str] = {}
    found: list[Finding] = []
    for receipt in looked.receipts.values():
        for path, digest in receipt.outputs.items():
            folder, _, name = path.partition("/")
            if folder in _FOLDERS and path not in _OWN:
                place = f"doc/{version}" if folder == "docs" else version.folder
                wanted[f"{place}/{name}"] = digest
    for path, entry in _manifest(looked, found).items():
        if wanted.setdefault(path, entry) != entry:
            problem = "manifest and receipt name different digests"
            found.append(breach("archived.receipt", path, problem))
    return wanted, found


def _manifest(looked: _Looked, found: list[Finding]) -> dict[str, str]:
    for name, raw in looked.archive.members.items():
        if name.startswith("record/") and name.endswith(".json"):
            try:
                made = ReleaseManifest.from_bytes(raw, name)
            except ReleaseError as error:
                found.append(breach("archived.receipt", name, error.problem))
                continue
            contents = made.contents(EntryKind.FILE)
            return {path: content.sha256 for path, content in contents.items()}
    return {}


def _refs(looked: _Looked, clients: Clients) -> tuple[list[str], list[Finding]]:
    """Names of the refs that receipts are about, and which of them are other ones there."""
    facts = {task: receipt.facts for task, receipt in looked.receipts.items()}
    version = looked.archive.version
    wanted: dict[str, str] = {}
    for task, tag in (("merge_back", version.tag), ("push_end_tag", version.series)):
        if pushed := facts.get(task, {}).get("tag", ""):
            wanted[f"refs/tags/{tag}"] = pushed
    if "delete_series_branch" in facts:
        wanted[f"refs/heads/{version.series}"] = ""
    found = []
    for name, commit in wanted.items():
        try:
            there = clients.history.refs(name)[name]
        except ReleaseError as error:
            found.append(breach("archived.unseen", name, str(error)))
            continue
        if there != commit:
            has, meant = (each[:12] or "nothing of that name" for each in (there, commit))
            problem = f"upstream has {has}, wanted {meant} as archived"
            found.append(breach("archived.published", name, problem))
    return [name.removeprefix("refs/") for name in wanted], found
