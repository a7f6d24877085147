"""Bundles: the release manager's Sigstore signature of every file that the site lists (PEP 761).

They are made once everything is there, for the experts' files as well: those are known by the
digests of their signed manifests, and need not come here. Nothing is uploaded to users by this;
what the public log holds is a digest and who signed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import PARTIAL, write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted, share
from doit_receipts.probe import absent, identical
from plugins.model.promise import bundle_paths
from plugins.model.published_file import Kind, SizeClass
from plugins.ports.host import Kind as Entered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from doit_receipts.probe import Probe
    from plugins.model.content import NamedFile
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.model.series import SigstoreIdentity
    from plugins.ports.host import HostReader
    from plugins.ports.progress import Progress
    from plugins.ports.sigstore import BundleSigner, BundleVerifier

__all__ = ["bundles", "look_signed", "sign", "verify_downloaded"]

_MOST_BYTES: Final = SizeClass.NOTE.value[1] + 1
"""One more than a bundle may have, so that one which has more is seen to."""


def bundles(contract: Contract, release: Release) -> tuple[Path, ...]:
    """Every bundle that this release has on this machine, sorted."""
    return tuple(sorted(bundle_paths(contract, release).values()))


def look_signed(
    release: Release,
    contract: Contract,
    files: Iterable[NamedFile],
    by: SigstoreIdentity,
    signer: BundleVerifier,
) -> Probe:
    """Whether a good bundle of every file is here; what is missing can be made."""
    wanted = _wanted(release, contract, files)
    missing = _unsigned(wanted, by, signer)
    if missing:
        return absent(f"{share(len(missing), len(wanted), 'file', 'has', 'have')} no bundle yet")
    return identical(_facts(wanted, by))


def sign(
    release: Release,
    contract: Contract,
    files: Iterable[NamedFile],
    by: SigstoreIdentity,
    signer: BundleSigner,
    host: HostReader,
    area: StagingArea,
    progress: Progress,
) -> dict[str, str]:
    """A good bundle ``by`` this identity of each listed file is in the folder of bundles.

    ``files`` holds the digests. A good bundle that is here, or on the host already, is kept; each
    new one is written as soon as it is made (Z18, Z19). Raises Waiting for the release manager
    where a token is missing.
    """
    wanted = _wanted(release, contract, files)
    if missing := _unsigned(wanted, by, signer):
        _bring(missing, wanted, by, signer, host, area)
        missing = _unsigned(wanted, by, signer)
    if missing:
        progress.say(f"signing {counted(len(missing), 'file')} by Sigstore as {by}")
    paths: dict[str, list[Path]] = {}
    for path in missing:
        paths.setdefault(wanted[path], []).append(path)
    count = 0
    for digest, bundle in signer.sign(tuple(paths), by) if paths else ():
        for path in paths[digest]:
            write_whole(path, bundle)
            count += 1
            progress.say(f"{path.name}, {count} of {len(missing)}")
    return _facts(wanted, by)


def _facts(wanted: Mapping[Path, str], by: SigstoreIdentity) -> dict[str, str]:
    return {"identity": by.address, "issuer": by.issuer, "files": str(len(wanted))}


def _wanted(release: Release, contract: Contract, files: Iterable[NamedFile]) -> dict[Path, str]:
    """The sha256 of what each bundle is of. Raises StepFailed for a file that nobody made."""
    digests = {file.name: file.content.sha256 for file in files}
    found = {}
    for file, path in bundle_paths(contract, release).items():
        if file.name not in digests:
            raise StepFailed(
                where=file.name,
                problem="is part of this release, but nobody has supplied it for signing",
                remedy="see which task makes it with doit list --status",
            )
        found[path] = digests[file.name]
    return found


def _unsigned(
    wanted: Mapping[Path, str], by: SigstoreIdentity, verifier: BundleVerifier
) -> list[Path]:
    return [
        path
        for path, digest in wanted.items()
        if not path.is_file() or verifier.verify_bundle(path, digest, by).problem
    ]


def _bring(
    missing: Iterable[Path],
    wanted: Mapping[Path, str],
    by: SigstoreIdentity,
    verifier: BundleVerifier,
    host: HostReader,
    area: StagingArea,
) -> None:
    """Good bundles that are on the host but were lost here are here again.

    Another one of the same file would be as good, but what users see is never replaced.
    """
    places = [(path, f"{at}/{path.name}") for path in missing for at in (area.final, area.staging)]
    there = host.look([place for _, place in places])
    brought: set[Path] = set()
    for (path, place), entry in zip(places, there, strict=True):
        if entry is None or entry.kind is not Entered.FILE or path in brought:
            continue
        # Under a name of its own until it is judged.
        partial = path.with_name(f"{path.name}{PARTIAL}")
        write_whole(partial, host.read(place, _MOST_BYTES))
        if verifier.verify_bundle(partial, wanted[path], by).problem:
            partial.unlink()
        else:
            partial.replace(path)
            brought.add(path)


def verify_downloaded(
    release: Release, contract: Contract, room: Path, verifier: BundleVerifier
) -> None:
    """Every bundle below ``room`` is good for the file beside it. Raises StepFailed if one is not.

    Both are there under the names that they have below the root of the downloads.
    """
    for file in contract.files:
        if file.kind is not Kind.BUNDLE or not file.beside:
            continue
        digest = sha256_of(room / file.beside)
        found = verifier.verify_bundle(room / file.remote, digest, release.series.manager)
        if found.problem:
            raise StepFailed(
                where=file.url,
                problem=f"is not a valid bundle as downloaded: {found.problem}",
                remedy="do not announce the release; find out where the file was changed",
            )
