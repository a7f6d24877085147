"""Published remedies: what to do about a finding of `doit verify` where users have the file.

To make it again helps nobody then: what they have is put back as it was released, or left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PUBLISHED"]

_PUT_BACK: Final = (
    "if it is not what was released, find out who changed it and have that put back, then purge"
    " it; if it is, leave it: only another release corrects it"
)
_REMOVED: Final = "find out who removed it, and have what was released put back, then purge it"
_TAG: Final = (
    "find out who pushed it, and have the tag that was released pushed again; do not use this one"
)

PUBLISHED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "archive.compressor",
            "archive.differ",
            "archive.link",
            "archive.mode",
            "archive.name",
            "archive.owner",
            "archive.pyc",
            "archive.root",
            "archive.stream",
            "archive.time",
            "archive.tree",
            "archive.type",
            "archive.unreadable",
            "bundle.bytes",
            "bundle.identity",
            "bundle.unreadable",
            "bundle.untrusted",
            "docs.different",
            "docs.link",
            "docs.missing",
            "docs.unreadable",
            "docs.unreleased",
            "file.described",
            "file.manifest",
            "file.size",
            "sbom.archive",
            "sbom.changed_file",
            "sbom.content",
            "sbom.lacks",
            "sbom.missing_file",
            "sbom.statement",
            "sbom.unreadable",
            "signature.bytes",
            "signature.unreadable",
        ),
        _PUT_BACK,
    ),
    **dict.fromkeys(("bundle.missing", "signature.missing"), _REMOVED),
    **dict.fromkeys(("tag.light", "tag.name", "tag.signature", "tag.version"), _TAG),
    "file.missing": (
        "find out who removed it, and have what was released put back, then purge it; waive "
        "experts.NAME if an expert's file comes later"
    ),
    "signature.identity": (
        "find out whose key it is: if its owner may sign this, import it; if another signature "
        "was released, have that put back, then purge it"
    ),
    "signature.expired": (
        "extend the key and publish it; if another signature was released, have that put back"
    ),
    "signature.revoked": (
        "if another signature was released, have that put back; if not, sign again with another"
        " key, and inform users"
    ),
    "tag.missing": (
        "find out who deleted it, and have the tag or branch that was released pushed again"
    ),
}
"""By rule; of all others the remedy is the same as before."""
