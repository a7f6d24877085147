"""SPDX names: the ids and addresses that an SBOM of ours gives to what it lists.

What writes the documents and what judges them both take them from here.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = [
    "CPYTHON_ID",
    "CREATORS",
    "DOCUMENT_ID",
    "ORGANIZATION",
    "file_id",
    "namespace_of",
    "package_id",
]

DOCUMENT_ID: Final = "SPDXRef-DOCUMENT"
CPYTHON_ID: Final = "SPDXRef-PACKAGE-cpython"
ORGANIZATION: Final = "Python Software Foundation"
CREATORS: Final = (("Organization", ORGANIZATION), ("Tool", "pep101"))
"""Who made a document, as kind and name."""


def file_id(path: str) -> str:
    """An id in the tree's own manner; a path that has to be bent for it gets a mark of its own."""
    plain = path.replace("/", "-")
    bent = re.sub(r"[^A-Za-z0-9.-]", "-", plain)
    # Two paths may bend to one id, such as a-b and a/b; ids have to be unique.
    mark = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return f"SPDXRef-FILE-{bent}-{mark}"


def package_id(name: str) -> str:
    """The id of a project that is inside of CPython's own files."""
    return "SPDXRef-PACKAGE-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name)


def namespace_of(location: str, sha256: str) -> str:
    """The document's own address: the same archive gets the same again, any other another one."""
    from uuid import NAMESPACE_URL, uuid5  # noqa: PLC0415 - 5 ms that a list of tasks need not pay

    return f"{location}.spdx.json/{uuid5(NAMESPACE_URL, f'{location}#{sha256}')}"
