"""Rebuild: the archives of a release made from its tag by somebody else, and what they got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.ledger import SIGNATURE, SUMS, entry_folder, sums_of
from plugins.steps import tarball

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.public import History
    from plugins.ports.signing import Signer

__all__ = ["make_again", "rebuild"]

_FETCHED: Final = "refs/tags/{}"


def make_again(
    release: Release, history: History, programs: Programs, progress: Progress
) -> dict[str, str]:
    """Both archives were made from the tag alone, below ``release.layout.work``.

    The facts are those of ``tarball.build``. Raises StepFailed if there is no such tag.
    """
    ref = _FETCHED.format(release.version.tag)
    if not history.refs(ref)[ref]:
        raise StepFailed(
            where=repr(history),
            problem=f"has no tag {release.version.tag}",
            remedy="name the repository that has it: --repository ADDRESS",
        )
    progress.say(f"fetching {release.version.tag}")
    return tarball.build(release, history.bring({ref: ref}), programs, progress)


def rebuild(
    release: Release,
    history: History,
    programs: Programs,
    progress: Progress,
    *,
    ledger: Path,
    who: str,
    signer: Signer,
) -> dict[str, str]:
    """The ledger has what this person got from the tag, signed: the two archives' sha256.

    Everything is made below ``release.layout.work``, from what was fetched. An entry that says the
    same is signed again only if its signature is not good. Raises StepFailed if there is no such
    tag, or if this person has said something else of it before: nothing is written then.
    """
    folder = entry_folder(ledger, str(release.version), who)
    facts = make_again(release, history, programs, progress)
    content = sums_of({path.name: sha256_of(path) for path in release.layout.tarballs})
    sums, signature = folder / SUMS, folder / SIGNATURE
    if sums.exists() and sums.read_bytes() != content:
        raise StepFailed(
            where=str(sums),
            problem="says other digests than this rebuild gave",
            remedy="find out which program changed (xz, gzip, git, blurb), then move SHA256SUMS "
            "away and rebuild",
            details=tuple(content.decode().splitlines()),
        )
    write_whole(sums, content)
    if signer.verify(sums, signature).problem:
        signer.sign(sums, signature)
    versions = {name: facts[name] for name in ("git", "blurb", "gzip", "xz")}
    return {"commit": facts["commit"], "sums": str(sums), **versions}
