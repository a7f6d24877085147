"""Descriptions: what a published file says of other files, compared with those files (F1).

The install manager's manifest and SBOMs name files with address, version and digest; nobody
else reads them before users do (python/cpython#142200: an installer's SBOM with another sha256).
Sources: python/release-tools a25ec43, merge-and-upload.py and ``create_cpython_sbom`` of sbom.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.printable import printable
from plugins.model.published_file import SITE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.model.content import NamedFile
    from plugins.model.release import Release

__all__ = ["faults_of_manifest", "faults_of_sbom"]

_ROOT: Final = f"{SITE}/ftp/python/"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NAMED: Final = re.compile(r"(?<![\d.])3\.\d{1,2}(?:\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?)?(?![\d.]*\d)")
_CPE: Final = "cpe:2.3:a:python:python:"


def faults_of_manifest(
    content: Any, files: Mapping[str, NamedFile], release: Release
) -> Iterator[str]:
    """What is wrong with the packages that the install manager would fetch by this manifest.

    Each has to be among the files, with the version and the digest that are listed; and each
    package of the files has to be listed.
    """
    listed = content.get("versions") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not listed:
        yield "lists no version"
        return
    paths = set()
    for each in listed:
        entry = each if isinstance(each, dict) else {}
        url, digests = entry.get("url"), entry.get("hash")
        digest = digests.get("sha256") if isinstance(digests, dict) else None
        if not isinstance(url, str) or not url.startswith(f"{_ROOT}{release.version.folder}/"):
            yield f"leads to {_shown(url)}, which is not of this release"
            continue
        path = url.removeprefix(_ROOT)
        paths.add(path)
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest.lower()):
            yield f"gives no sha256 of {_shown(url)}"
        elif path not in files:
            yield f"leads to {_shown(url)}, which does not exist"
        elif files[path].content.sha256 != digest.lower():
            yield f"gives another sha256 of {_shown(url)}"
        if entry.get("sort-version") != str(release.version):
            version = _shown(entry.get("sort-version"))
            yield f"gives {_shown(url)} the version {version}, wanted {release.version}"
        yield from (f"{problem} of {_shown(url)}" for problem in _other_versions(entry, release))
    for path in sorted(files.keys() - paths):
        # The embeddable packages come from another job where there is an installer.
        if _is_package(path, release) and "-embed-" not in path:
            yield f"does not list {printable(path)}"


def faults_of_sbom(content: Any, described: NamedFile, release: Release) -> Iterator[str]:
    """What an SBOM of this installer or package says of it that is not so.

    The digest has to be given; name, version and addresses where they are.
    """
    packages = content.get("packages") if isinstance(content, dict) else None
    own = [
        each for each in _list(packages) if isinstance(each, dict) and each.get("name") == "CPython"
    ]
    digests = {
        str(checksum.get("checksumValue", "")).lower()
        for package in own
        for checksum in _list(package.get("checksums"))
        if isinstance(checksum, dict) and checksum.get("algorithm") == "SHA256"
    }
    if digests != {described.content.sha256}:
        yield "gives another sha256 of its file" if digests else "gives no sha256 of it"
    address = f"{_ROOT}{described.name}"
    version = str(release.version)
    for package in own:
        for key, wanted in (
            ("packageFileName", described.name.rpartition("/")[2]),
            ("versionInfo", version),
            ("downloadLocation", address),
        ):
            if package.get(key, wanted) != wanted:
                yield f"{key} is {_shown(package[key])}, wanted {wanted}"
        for each in _list(package.get("externalRefs")):
            name = each.get("referenceLocator") if isinstance(each, dict) else None
            if isinstance(name, str) and name.startswith(_CPE):
                stated = name.removeprefix(_CPE).partition(":")[0]
                if stated != version:
                    yield f"its CPE is of {_shown(stated)}, wanted {version}"
    namespace = content.get("documentNamespace") if isinstance(content, dict) else None
    if namespace is not None and namespace != f"{address}.spdx.json":
        yield f"documentNamespace is {_shown(namespace)}, wanted {address}.spdx.json"


def _is_package(path: str, release: Release) -> bool:
    version = re.escape(str(release.version))
    return re.fullmatch(rf"[^/]+/python-{version}t?-[^/]+\.zip", path) is not None


def _other_versions(entry: Mapping[str, Any], release: Release) -> Iterator[str]:
    """What in an entry names another version: the install manager's lists and menus show these.

    Source: PC/layout/support/pymanager.py of python/cpython 39c59502.
    """
    right = (str(release.version), release.version.series)
    for key, text in _texts({**entry, "url": "", "sort-version": ""}):
        other = next((name for name in _NAMED.findall(text) if name not in right), "")
        if other:
            yield f"names Python {other} as {_shown(key)}"


def _texts(value: object) -> Iterator[tuple[str, str]]:
    """Each text in a value of JSON, however deep, and the key that it is the value of."""
    waiting = [("", value)]
    while waiting:
        key, each = waiting.pop()
        if isinstance(each, str):
            yield key, each
        elif isinstance(each, dict):
            waiting += [(str(name), inner) for name, inner in each.items()]
        elif isinstance(each, list):
            waiting += [(key, inner) for inner in each]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(value: object) -> str:
    return printable(value[:120]) if isinstance(value, str) else f"a {type(value).__name__}"
