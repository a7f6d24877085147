"""Record signatures: those of the release manager beside a record, in the form of its series.

Sigstore for all, OpenPGP up to 3.13. A record is what says something of the release, and no file
that users install: the manifest, the closing archive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from doit_receipts.probe import absent, identical
from plugins.model.published_file import BUNDLE_SUFFIX
from plugins.model.record_signatures import is_plain_signature, plain_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doit_receipts.artifact import Artifact
    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signer
    from plugins.ports.sigstore import BundleSigner, BundleVerifier

__all__ = ["is_good", "look", "sign", "unsigned"]


def look(
    beside: Sequence[Path],
    release: Release,
    record: Artifact,
    signer: Signer | None,
    sigstore: BundleVerifier,
) -> Probe:
    """Whether the record has good signatures on this machine."""
    missing = unsigned(beside, release, record, signer, sigstore)
    if missing:
        return absent(f"{' and '.join(path.name for path in missing)} is still to be made")
    return identical({"identity": str(release.series.manager), "sha256": record.sha256})


def unsigned(
    beside: Sequence[Path],
    release: Release,
    record: Artifact,
    signer: Signer | None,
    sigstore: BundleVerifier,
) -> list[Path]:
    """The signatures that are not here, or are not good."""
    return [path for path in beside if not is_good(path, release, record, signer, sigstore)]


def is_good(
    path: Path, release: Release, record: Artifact, signer: Signer | None, sigstore: BundleVerifier
) -> bool:
    """Whether the file is a good signature of the record, in the one form that is written."""
    if not path.is_file() or not is_plain_signature(path.name, path.read_bytes()):
        return False
    if path.name.endswith(BUNDLE_SUFFIX):
        by = release.series.manager
        return not sigstore.verify_bundle(path, record.sha256, by).problem
    return signer is not None and not signer.verify(record.path, path).problem


def sign(
    beside: Sequence[Path],
    release: Release,
    record: Artifact,
    signer: Signer | None,
    sigstore: BundleSigner,
    progress: Progress,
) -> None:
    """Each of the signatures is good; those that are, are kept.

    Raises Waiting for the release manager where a token of Sigstore is missing.
    """
    # Sigstore first: it is what may have to wait, and all that a plan of this has to tell.
    for path in reversed(unsigned(beside, release, record, signer, sigstore)):
        progress.say(f"signing {record.path.name}: {path.name}")
        if path.name.endswith(BUNDLE_SUFFIX):
            for _, bundle in sigstore.sign((record.sha256,), release.series.manager):
                write_whole(path, plain_bundle(bundle))
        elif signer is not None:
            signer.sign(record.path, path)
