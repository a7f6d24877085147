"""Clean room: the release as a user gets it, downloaded, compared, built and tested (V01 to V06).

It comes before the announcement, not after it (appendix 3, row 17): the caches and the bytes
are verified before anybody was asked to download them.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted, share
from plugins.model.layout import Layout
from plugins.model.promise import local_path
from plugins.model.published_file import Kind
from plugins.steps import source_test
from plugins.steps.bundles import verify_downloaded
from plugins.steps.served import published_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.content import Content
    from plugins.model.contract import Contract
    from plugins.model.local_settings import SourceTest
    from plugins.model.published_file import PublishedFile
    from plugins.model.release import Release
    from plugins.ports.caches import Cdn
    from plugins.ports.host import HostReader
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signer
    from plugins.ports.sigstore import BundleVerifier

__all__ = ["visit"]

_AT_ONCE: Final = 4


def visit(  # noqa: PLR0913 - everything that a user's machine has, and what ours knows
    release: Release,
    contract: Contract,
    host: HostReader,
    cdn: Cdn,
    programs: Programs,
    signer: Signer | None,
    level: SourceTest,
    progress: Progress,
    *,
    bundles: BundleVerifier | None = None,
    known: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Every published file came through the caches complete and unchanged, and the source works.

    Sizes and digests are those of the host, which has to have the bytes of ``known``, and
    of the files here for what was exported here.
    OpenPGP signatures are verified as downloaded, where a ``signer`` knows the key, and Sigstore's
    ``bundles`` where the series has them. What was downloaded is thrown away, or left under
    ``scratch`` if something is wrong.
    """
    room = release.layout.scratch / "clean_room"
    if room.exists():
        shutil.rmtree(room)
    wanted = published_bytes(contract, host, known)
    inside = replace(release, layout=Layout(room, release.version))
    _download(contract, wanted, release, room, cdn, progress)
    if signer is not None:
        _verify(contract, room, signer)
    if bundles is not None:
        verify_downloaded(release, contract, room, bundles)
    for file in contract.files:
        if file.kind is Kind.SOURCE:
            target = inside.layout.src / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            (room / file.remote).replace(target)
    tested = source_test.run(inside, programs, level, progress)
    shutil.rmtree(room)
    listing = "".join(f"{wanted[path].sha256}  {path}\n" for path in sorted(wanted))
    return {
        **tested,
        "files": str(len(wanted)),
        "size_bytes": str(sum(content.size_bytes for content in wanted.values())),
        "files_sha256": hashlib.sha256(listing.encode()).hexdigest(),
    }


def _download(
    contract: Contract,
    wanted: Mapping[str, Content],
    release: Release,
    room: Path,
    cdn: Cdn,
    progress: Progress,
) -> None:
    """Each file is in the room and has the right bytes. Raises StepFailed for all that are not."""
    # threading is late: listing tasks downloads nothing
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    total = sum(content.size_bytes for content in wanted.values())
    count = len(contract.files)
    progress.say(f"downloading {counted(count, 'file')} as a user, {total / 1e6:,.1f} MB")

    def fetch(file: PublishedFile) -> str:
        seen = cdn.download(file.url, room / file.remote)
        return _problem(file, wanted[file.remote], seen.content, release)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        problems = list(pool.map(fetch, contract.files))
    wrong = [
        f"{file.url}: {problem}"
        for file, problem in zip(contract.files, problems, strict=True)
        if problem
    ]
    if wrong:
        raise StepFailed(
            where="clean room",
            problem=(
                f"{share(len(wrong), count, 'file', 'differs', 'differ')} from the "
                f"release, first {wrong[0]}"
            ),
            remedy=f"do not announce the release; look at scratch/{room.name}/, and to have "
            "caches purged again run doit forget purge_files, then doit publish",
            details=tuple(wrong),
        )


def _problem(file: PublishedFile, wanted: Content, came: Content, release: Release) -> str:
    """What is wrong with a file that was downloaded; "" if nothing is."""
    if came != wanted:
        return f"{came} were served, wanted {wanted}"
    ours = local_path(file, release)
    if ours is not None and ours.is_file() and sha256_of(ours) != came.sha256:
        return f"the file on the host is not the one that was exported, {ours.name}"
    # The files of a rehearsal are toys.
    if not release.rehearsal and not file.size.holds(came.size_bytes):
        return f"{counted(came.size_bytes, 'byte')} is not a plausible size for a {file.kind.value}"
    return ""


def _verify(contract: Contract, room: Path, signer: Signer) -> None:
    """Signatures that are downloaded beside what they sign are good."""
    for file in contract.files:
        if file.kind is not Kind.SIGNATURE or not file.beside:
            continue
        # Those of experts are by keys of their own.
        if (signed := contract.find(file.beside)) is None or signed.kind is not Kind.SOURCE:
            continue
        problem = signer.verify(room / file.beside, room / file.remote).problem
        if problem:
            raise StepFailed(
                where=file.url,
                problem=f"is not a valid signature as downloaded: {problem}",
                remedy="do not announce the release; find out where the file was changed",
            )
