"""Earlier rows: what python.org says of releases that this tool did not make, by their day.

Source: add_to_pydotorg.py of python/release-tools, which fills a field if the file is beside:
3851c2b (.sig and .crt, 2022-08), 0fa6577 (bundles, 2023-02), 9d60cc9 (SHA-256, 2025-12-16) and
dfb81dc (no more MD5, 2026-02); releases and their days as in python/peps ba4deeb.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from plugins.model.published_file import DETACHED_SUFFIXES, Origin
from plugins.model.version import Version

if TYPE_CHECKING:
    from plugins.model.contract import Contract

__all__ = ["has_sha256", "with_detached"]

# The first of each series whose rows were written after that day.
_SHA256_SINCE: Final = {
    8: "", 9: "", 10: "3.10.20", 11: "3.11.15", 12: "3.12.13", 13: "3.13.12", 14: "3.14.3",
    15: "3.15.0a4",
}  # fmt: skip


def has_sha256(version: Version) -> bool:
    """Whether a row of this release has to give the SHA-256 digest; an earlier one has MD5."""
    since = _SHA256_SINCE.get(version.minor)
    return since is None or (since != "" and version >= Version.parse(since))


def with_detached(contract: Contract) -> Contract:
    """The contract, beside whose listed files may be signature and certificate in two files."""
    suffixes = "|".join(map(re.escape, DETACHED_SUFFIXES))
    patterns = tuple(
        (Origin.SIGSTORE, rf"{re.escape(file.remote)}(?:{suffixes})") for file in contract.listed
    )
    return replace(contract, extras=(*contract.extras, *patterns))
