"""Closing: a release that is over leaves one signed archive of what is known of it (V07)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted
from doit_receipts.task import Kind
from plugins.model.closing_archive import ClosingArchive, closing_files, fits, report_file
from plugins.model.promise import record_files
from plugins.steps import record_signatures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from doit_receipts.artifact import Artifact
    from doit_receipts.on_record import OnRecord
    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Keyring, Signer
    from plugins.ports.sigstore import BundleSigner

__all__ = ["look_signed", "sign", "write"]

_TEXTS: Final = (".md", ".txt")
"""What people read or wrote; what is put into the clone is public as source."""
_NO_KEY: Final = "the keyring does not have the key {} of {}, who may approve"


def write(
    release: Release,
    record: Sequence[OnRecord],
    report: str,
    people: Mapping[str, Sequence[str]],
    keyring: Keyring,
    progress: Progress,
) -> dict[str, str]:
    """The report, and the archive of receipts, approvals, journal and texts, are here (V07).

    ``record`` names the tasks whose receipts are kept, ``people`` who may approve, with their keys;
    the public ones are kept as well. Raises StepFailed for a key that the keyring lacks: without
    it nobody could judge an approval later.
    """
    layout = release.layout
    page = report.encode(errors="backslashreplace")
    members = {"report.html": page}
    members |= _read(layout.work, [layout.receipt(each.name) for each in record])
    statements = [layout.approval(each.name) for each in record if each.kind is Kind.APPROVAL]
    signatures = [path.with_name(f"{path.name}.asc") for path in statements]
    members |= _read(layout.work, [*statements, *signatures, layout.journal])
    made = [path for path in (*record_files(release), layout.evidence) if path.is_file()]
    texts = list(_texts(layout.made, layout.drafts, layout.texts))
    named = {path: fits(path.relative_to(layout.work).as_posix()) for path in (*made, *texts)}
    members |= _read(layout.work, [path for path, is_fit in named.items() if is_fit])
    members |= _keys(people, keyring)
    archive = ClosingArchive(
        release.name,
        release.type.words,
        release.rehearsal,
        {who: tuple(keys) for who, keys in people.items()},
        members,
    )
    progress.say(f"archiving {counted(len(members), 'file')}")
    (file, *_) = closing_files(release)
    write_whole(report_file(release), page)
    write_whole(file, archive.to_bytes())
    left_out = [path.name for path, is_fit in named.items() if not is_fit]
    return {
        "receipts": str(len(record)),
        "approvals": str(len(statements)),
        "members": str(len(members)),
        **({"left out": ", ".join(left_out)} if left_out else {}),
    }


def look_signed(
    release: Release, archive: Artifact, signer: Signer | None, sigstore: BundleSigner
) -> Probe:
    """Whether the archive has good signatures on this machine."""
    (_, *beside) = closing_files(release)
    return record_signatures.look(beside, release, archive, signer, sigstore)


def sign(
    release: Release,
    archive: Artifact,
    signer: Signer | None,
    sigstore: BundleSigner,
    progress: Progress,
) -> dict[str, str]:
    """The archive is signed as the files of its series are: Sigstore, and OpenPGP up to 3.13.

    Raises Waiting for the release manager where a token of Sigstore is missing.
    """
    (_, *beside) = closing_files(release)
    record_signatures.sign(beside, release, archive, signer, sigstore, progress)
    return {}


def _read(work: Path, paths: Sequence[Path]) -> dict[str, bytes]:
    """The files by their names below the work folder."""
    return {path.relative_to(work).as_posix(): path.read_bytes() for path in paths}


def _texts(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.name.endswith(_TEXTS):
                yield path


def _keys(people: Mapping[str, Sequence[str]], keyring: Keyring) -> dict[str, bytes]:
    """The public keys of all who may approve, each in a file named by its fingerprint."""
    found = {}
    for who, keys in people.items():
        for fingerprint in keys:
            key = keyring.exported(fingerprint)
            if not key:
                raise StepFailed(
                    where="closing archive",
                    problem=_NO_KEY.format(fingerprint, who),
                    remedy="import it: gpg --import FILE, then run the same command again",
                )
            found[f"keys/{fingerprint}.asc"] = key
    return found
