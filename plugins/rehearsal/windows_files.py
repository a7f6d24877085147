"""Windows files of the simulated environment: what the pipeline makes, and how it reports it.

Which files there are follows from the boxes of the form, as in python/release-tools
(windows-release/): installers and their parts, embeddable packages, packages of the install
manager with their SBOMs, ``windows-X.json``, the feed, and two tables of digests.
"""

from __future__ import annotations

import hashlib
import json
import stat
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from plugins.rehearsal import expert_keys, places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.version import Version
    from plugins.rehearsal.store import Store

__all__ = ["FEED", "made", "sbom_of", "signed", "table", "tables", "upload", "write_feed"]

FEED: Final = "index-windows.json"
_ROOT: Final = "https://www.python.org/ftp/python"
_MACHINES: Final = {"amd64": "-64", "arm64": "-arm64", "win32": "-32"}
_MANAGED_SINCE: Final = 13
_FILE_MODE: Final = 0o644
_READ: Final = 0o555
_GROUP_ENTERS: Final = 0o010
_ALL_USE: Final = 0o005


def made(version: Version, given: Mapping[str, str]) -> dict[str, bytes]:
    """The files by their paths below the release's folder, without OpenPGP signatures."""
    found: dict[str, bytes] = {}
    commit = given.get("SourceCommit", "")

    def add(name: str) -> None:
        text = f"windows built {version.folder}/{name} of {commit}\n"
        found[name] = text.encode() * 50

    early = str(version).removeprefix(version.folder)
    managed = version.minor >= _MANAGED_SINCE
    for machine in _MACHINES:
        if _ticked(given, "DoMSI", default=True):
            installer = f"python-{version}{'' if machine == 'win32' else f'-{machine}'}.exe"
            add(installer)
            found[f"{installer}.spdx.json"] = sbom_of(version, installer, found[installer])
            add(f"{machine}{early}/core.msi")
        packages = []
        if managed:
            packages += [f"python-{version}-{machine}.zip", f"python-{version}-test-{machine}.zip"]
        if managed and _ticked(given, "DoFreethreaded", default=True):
            packages.append(f"python-{version}t-{machine}.zip")
        packages.append(f"python-{version}-embed-{machine}.zip")
        for name in packages:
            add(name)
            found[f"{name}.spdx.json"] = sbom_of(version, name, found[name])
    if managed:
        entries = _entries(version, found)
        found[f"windows-{version}.json"] = json.dumps({"versions": entries}, indent=2).encode()
    return found


def signed(store: Store, files: Mapping[str, bytes], given: Mapping[str, str]) -> dict[str, bytes]:
    """The files, with a signature for each of those that the box for GPG is about.

    Source: stage-publish-pythonorg.yml signs installers, their parts and embeddable packages.
    """
    if not _ticked(given, "DoGPG", default=False):
        return dict(files)
    signatures = {
        f"{path}.asc": expert_keys.signature(store, "windows", content)
        for path, content in files.items()
        if path.endswith((".exe", ".msi")) or ("-embed-" in path and path.endswith(".zip"))
    }
    return {**signatures, **files}


def upload(store: Store, version: Version, files: Mapping[str, bytes]) -> None:
    """The files are where users see them.

    Like the pipeline, it makes the folder if there is none, which is its own then, and takes from
    its group the right to enter any folder of its own in that one.
    Source: uploadrelease.ps1, ``chmod "a+rx"`` of each folder, at the end ``chmod "g-x,o+r" $d*``.
    """
    root = places.downloads(store)
    folder = root / version.folder
    made = []
    for path, content in files.items():
        place = folder / path
        for each in (folder, place.parent):
            if not each.is_dir():
                each.mkdir(parents=True)
                made.append(each)
                each.chmod(stat.S_IMODE(each.stat().st_mode) | _READ)
        write_whole(place, content, mode=_FILE_MODE)
    shut = store.fault("azure.shuts_folders") is not None
    for each in made:
        if each != folder:
            taken = _GROUP_ENTERS | (_ALL_USE if shut else 0)
            each.chmod(stat.S_IMODE(each.stat().st_mode) & ~taken)


def write_feed(
    store: Store, version: Version, files: Mapping[str, bytes], *, wrong: bool = False
) -> None:
    """The feed of the install manager begins with the entries of these files."""
    root = places.downloads(store)
    feed = root / FEED
    entries = _entries(version, files) if version.minor >= _MANAGED_SINCE else []
    if wrong and entries:
        entries[0]["hash"] = {"sha256": "0" * 64}
    known = json.loads(feed.read_bytes())["versions"] if feed.exists() else []
    new = {(each["id"], each["sort-version"]) for each in entries}
    kept = [each for each in known if (each["id"], each["sort-version"]) not in new]
    write_whole(feed, json.dumps({"versions": [*entries, *kept]}).encode(), mode=_FILE_MODE)
    signed = hashlib.sha256(feed.read_bytes()).hexdigest()
    write_whole(feed.with_name(f"{FEED}.cat"), f"catalog of {signed}\n".encode(), mode=_FILE_MODE)


def tables(version: Version, files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """The artifacts of digests by name, each with the files that it lists."""
    installers = {
        name: content
        for name, content in files.items()
        if "/" not in name and name.endswith((".exe", ".zip"))
        and (name.endswith(".exe") or "-embed-" in name)
    }  # fmt: skip
    packages = {name: content for name, content in files.items() if name.endswith(".zip")}
    manifest = f"windows-{version}.json"
    found: dict[str, dict[str, bytes]] = {}
    if manifest in files:
        found["pymanager_hashes"] = {**packages, manifest: files[manifest]}
    # The job that leaves the other table runs where an installer is made.
    if any(name.endswith(".exe") for name in installers):
        found["hashes"] = installers
    return found


def table(files: Mapping[str, bytes]) -> str:
    """The text of hashes.txt, as PowerShell prints it: SHA256 first, then MD5."""
    text = ""
    for title, digest in (("SHA256", hashlib.sha256), ("MD5", hashlib.md5)):
        rows = [(name, digest(files[name]).hexdigest().upper(), str(len(files[name])))
                for name in sorted(files)]  # fmt: skip
        rows = [("Name", title, "Length"), ("----", "-" * len(title), "------"), *rows]
        wide = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            f"{name:<{wide[0]}} {value:<{wide[1]}} {size:>{wide[2]}}" for name, value, size in rows
        ]
        text += "\r\n" + "\r\n".join(lines) + "\r\n\r\n\r\n"
    return text


def _ticked(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    return given.get(name, str(default)).lower() == "true"


def _entries(version: Version, files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    found = []
    for name, content in sorted(files.items()):
        if not name.endswith(".zip"):
            continue
        machine = name.removesuffix(".zip").rpartition("-")[2]
        company = (
            "PythonTest"
            if "-test-" in name
            else "PythonEmbed"
            if "-embed-" in name
            else "PythonCore"
        )
        free = "t" if name.startswith(f"python-{version}t-") else ""
        tag = f"{version.series}{free}{'' if machine == 'amd64' else _MACHINES[machine]}"
        found.append(
            {"schema": 1, "id": f"{company.lower()}-{tag}", "sort-version": str(version),
             "company": company,
             "tag": tag, "display-name": f"Python {version}", "executable": ".\\python.exe",
             "url": f"{_ROOT}/{version.folder}/{name}",
             "hash": {"sha256": hashlib.sha256(content).hexdigest()}}
        )  # fmt: skip
    return found


def sbom_of(version: Version, name: str, content: bytes) -> bytes:
    """An SBOM of the file, as far as what it says of it matters here.

    Source: ``create_cpython_sbom`` of python/release-tools, sbom.py.
    """
    address = f"{_ROOT}/{version.folder}/{name}"
    cpe = f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"
    document = {
        "spdxVersion": "SPDX-2.3",
        "name": "CPython SBOM",
        "documentNamespace": f"{address}.spdx.json",
        "packages": [
            {
                "name": "CPython",
                "versionInfo": str(version),
                "packageFileName": name,
                "downloadLocation": address,
                "externalRefs": [{"referenceType": "cpe23Type", "referenceLocator": cpe}],
                "checksums": [
                    {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}
                ],
            }
        ],
    }
    return json.dumps(document, indent=2).encode()
