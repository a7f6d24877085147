"""Release manifest: one signed list of all that is public of a release, made when all of it is.

Digests come from the receipts of the tasks that made each file; what is at python.org, on both
hosts and upstream is looked at in the same moment and has to agree.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import Artifact
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.printable import printable
from plugins.model.content import Content
from plugins.model.contract import Contract
from plugins.model.promise import record_files, record_paths
from plugins.model.published_file import Origin
from plugins.model.release_manifest import EntryKind, ReleaseManifest
from plugins.model.remote_layout import RemoteLayout
from plugins.ports.host import Kind
from plugins.steps import record_signatures
from plugins.steps.public_entries import entries, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit_receipts.probe import Probe
    from plugins.model.content import NamedFile
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.ports.host import Host
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signer
    from plugins.ports.sigstore import BundleSigner
    from plugins.steps.public_entries import Pushed, Sources

__all__ = [
    "contract_of_record",
    "digests_of_record",
    "look_signed",
    "sign",
    "write",
]

_MOST_BYTES: Final = 32 << 20


def contract_of_record(release: Release, contract: Contract) -> Contract:
    """The manifest and its signatures as what is published, and nothing else."""
    whole = contract.with_extras(record_paths(release))
    files = tuple(each for each in whole.files if each.origin is Origin.RECORD)
    return Contract(whole.version, whole.page, files)


def digests_of_record(files: Iterable[NamedFile], area: StagingArea) -> dict[str, str]:
    """The sha256 that users have to get of the manifest and its signatures, by path."""
    return {f"{area.final}/{file.name}": file.content.sha256 for file in files}


def write(
    release: Release,
    contract: Contract,
    known: Mapping[str, str],
    html: Artifact | None,
    pushed: Pushed,
    sources: Sources,
    progress: Progress,
) -> dict[str, str]:
    """The manifest is on this machine. One that is public is brought back, and never made anew.

    ``known`` gives the sha256 of each file by its path, from receipts; ``html`` is the archive
    whose pages are on the docs host. Raises StepFailed for the first thing that is public and not
    as it was judged, for what no reader of a manifest would read as it is, and for a public
    manifest that the release manager did not sign: then no manifest is written.
    """
    (record, *_) = record_files(release)
    place, *_ = record_paths(release)
    (there,) = sources.downloads.look([place])
    if there is not None and there.kind is Kind.FILE:
        made = _brought_back(release, sources)
        _agree(made, known, sources.downloads.shown(place))
    else:
        progress.say("looking at all that is public")
        every = entries(release, contract, known, html, pushed, sources)
        made = ReleaseManifest.of(str(release.version), every)
    write_whole(record, made.readable_bytes(record.name))
    counts = {kind.value: len(made.by_name(kind)) for kind in EntryKind}
    return {kind: str(count) for kind, count in counts.items() if count}


def look_signed(
    release: Release, record: Artifact, signer: Signer | None, sigstore: BundleSigner
) -> Probe:
    """Whether the manifest has good signatures on this machine."""
    (_, *beside) = record_files(release)
    return record_signatures.look(beside, release, record, signer, sigstore)


def sign(
    release: Release,
    record: Artifact,
    signer: Signer | None,
    sigstore: BundleSigner,
    host: Host,
    progress: Progress,
) -> dict[str, str]:
    """The manifest is signed as every file of its series is: Sigstore, and OpenPGP up to 3.13.

    Signatures that are public already are brought back, and good ones are kept. Raises Waiting for
    the release manager where a token of Sigstore is missing.
    """
    area = RemoteLayout(release.version).record
    (_, *beside) = record_files(release)
    for path in record_signatures.unsigned(beside, release, record, signer, sigstore):
        for place in (f"{area.final}/{path.name}", f"{area.staging}/{path.name}"):
            (there,) = host.look([place])
            if there is not None and there.kind is Kind.FILE:
                write_whole(path, host.read(place, _MOST_BYTES))
                break
    record_signatures.sign(beside, release, record, signer, sigstore, progress)
    return {}


def _brought_back(release: Release, sources: Sources) -> ReleaseManifest:
    """The public manifest, if it is ours: anybody may have put a file in its place.

    Its signatures are shown before it is, so that one of ours has them after a kill as well.
    """
    place, *beside = record_paths(release)
    host = sources.downloads
    where, wanted = host.shown(place), str(release.version)
    with TemporaryDirectory() as folder:
        raw = host.read(place, _MOST_BYTES)
        path = Path(folder, place.rpartition("/")[2])
        path.write_bytes(raw)
        record = Artifact(path, len(raw), Content.of(raw).sha256)
        for remote, there in zip(beside, host.look(beside), strict=True):
            signature = Path(folder, remote.rpartition("/")[2])
            if there is not None and there.kind is Kind.FILE:
                signature.write_bytes(host.read(remote, _MOST_BYTES))
            if not record_signatures.is_good(
                signature, release, record, sources.signer, sources.sigstore
            ):
                problem = f"is public, and its signature {signature.name} is not a good one of "
                raise _planted(where, f"{problem}{release.series.manager}")
    made = ReleaseManifest.from_bytes(raw, where)
    if made.release != wanted:
        raise _planted(where, f"is that of {printable(made.release[:40])}, wanted {wanted}")
    return made


def _agree(made: ReleaseManifest, known: Mapping[str, str], where: str) -> None:
    """A manifest that is public lists each file as it was judged here."""
    listed = made.contents(EntryKind.FILE)
    for path, sha256 in known.items():
        if listed.get(path, Content(0, "")).sha256 != sha256:
            raise refused(where, f"is public and lists {path} with another sha256, or not at all")


def _planted(where: str, problem: str) -> StepFailed:
    remedy = (
        "find out who put it there, take it and its signatures away on the host, then run the same"
        " command again"
    )
    return StepFailed(where=where, problem=problem, remedy=remedy)
