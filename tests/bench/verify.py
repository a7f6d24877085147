"""Verifying a release: ``doit verify`` against the same by hand, one after another, in one run.

    python tests/bench/verify.py FOLDER [ROUNDS]

FOLDER is that of a rehearsed release (``doit rehearse --folder F`` makes F/3.13.6); one of the
real CPython source is what the ratio is meant for. Its world is started, and only read. By hand
is what a careful person types: curl from each endpoint and sha256sum, gpg --verify, sigstore
verify for all files at once, git verify-tag, tar of both archives and diff against git archive of
the tag, sha1sum and sha256sum of every file for the SBOMs, unzip -t and tar of the documentation.
Both begin with nothing fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from plugins.model.promise import contract_of, record_paths  # noqa: E402
from plugins.model.published_file import DOCS, SITE, Kind, PublishedFile  # noqa: E402
from plugins.model.settings import Settings, read_settings, release_of  # noqa: E402
from plugins.model.site_pages import Listing, pages_of  # noqa: E402
from plugins.rehearsal.serving import running_world  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.contract import Contract

_BAR: Final = 0.5


def main(made: Path, rounds: int) -> int:
    """Print the seconds of each round and the ratio of the medians; 1 if the bar was missed."""
    settings = read_settings(made / "release.toml")
    release = release_of(settings)
    contract = contract_of(release, settings.docs.formats).with_extras(record_paths(release))
    size = sum(each.stat().st_size for each in _published(made, str(release.version)))
    told = f"Python {release.version}: {len(contract.files)} files, {size / 1e6:,.0f} MB served"
    print(f"{told}, {os.cpu_count()} processors")
    ours, theirs = [], []
    with running_world(made / "world"), TemporaryDirectory() as room:
        for number in range(1, rounds + 1):
            theirs.append(_by_hand(settings, contract, Path(room) / f"hand-{number}", made))
            ours.append(_verified(made, Path(room) / f"verify-{number}"))
            print(f"round {number}: by hand {theirs[-1]:6.1f} s, doit verify {ours[-1]:6.1f} s")
    ratio = median(ours) / median(theirs)
    print(f"ratio {ratio:.2f} (bar {_BAR})")
    return int(ratio > _BAR)


def _published(made: Path, version: str) -> Iterator[Path]:
    root = made / "world" / "hosts"
    for path in root.rglob("*"):
        if path.is_file() and version in str(path):
            yield path


def _verified(made: Path, room: Path) -> float:
    """``doit verify`` of a declaration in an empty folder, as a stranger would."""
    text = (made / "release.toml").read_text()
    text = text.replace('"world/', f'"{made}/world/').replace('"./world/', f'"{made}/world/')
    text = text.replace('"file:world/', f'"file:{made}/world/')
    room.mkdir()
    declaration = room / "release.toml"
    declaration.write_text(text)
    words = [sys.executable, "-m", "doit", "verify", f"--release={declaration}", "--as=published"]
    began = time.perf_counter()
    ended = subprocess.run(words, cwd=_TOP, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if ended.returncode:
        raise SystemExit(ended.stdout + ended.stderr)
    shutil.rmtree(room)
    return seconds


def _by_hand(settings: Settings, contract: Contract, room: Path, made: Path) -> float:
    """The same looks, one after another."""
    room.mkdir()
    script = room / "by-hand.sh"
    script.write_text("\n".join(_script(settings, contract, made)) + "\n")
    began = time.perf_counter()
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", script], cwd=room, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if ended.returncode:
        message = f"by hand: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"
        raise SystemExit(message)
    shutil.rmtree(room)
    return seconds


def _script(settings: Settings, contract: Contract, made: Path) -> Iterator[str]:
    yield 'get() { curl --silent --show-error --fail --header "Host: $2" "$1"; }'
    yield f"export GNUPGHOME={settings.signing.gnupg_home}"
    yield from _files(settings, contract)
    yield from _pages(settings, contract)
    archive = next((_name(f) for f in contract.files if f.name.endswith("-docs-html.zip")), "")
    if archive:
        base = settings.hosts.docs_cdn
        yield f"mkdir pages; unzip -qq {archive} -d pages"
        yield (
            "(cd pages/*; find . -type f -not -name '.*' | while read -r page; do"
            f" get {base}/release/{contract.version}/$page {urlsplit(base).netloc}"
            " | cmp - $page; done)"
        )
    yield f"git clone --quiet --bare {made}/world/upstream.git upstream"
    yield f"git -C upstream verify-tag v{contract.version}"
    yield from _archives(contract.version)
    for file in contract.files:
        name = _name(file)
        if file.kind is Kind.DOCS and name.endswith(".zip"):
            yield f"unzip -qq -t {name}"
        elif file.kind is Kind.DOCS and name.endswith(".tar.bz2"):
            yield f"tar -tf {name} > /dev/null"
        elif file.kind is Kind.SBOM:
            yield f"{sys.executable} -m json.tool {name} > /dev/null"


def _name(file: PublishedFile) -> str:
    return file.remote.replace("/", "_")


def _files(settings: Settings, contract: Contract) -> Iterator[str]:
    """Every file from each endpoint, its digest, and its signature."""
    hosts = settings.hosts
    host = urlsplit(hosts.cdn).netloc
    for file in contract.files:
        path, name = file.url.removeprefix(SITE), _name(file)
        yield f"get '{hosts.cdn}{path}?fresh={os.urandom(4).hex()}' {host} > {name}"
        yield f"sha256sum {name} > /dev/null"
        for edge in hosts.cdn_edges:
            yield f"get '{edge}{path}' {host} | sha256sum > {name}.edge"
        if file.kind is Kind.DOCS:
            current = path.replace(f"/{file.folder}/", "/doc/current/")
            yield f"get '{hosts.cdn}{current}?fresh=1' {host} | cmp - {name}"
    for file in contract.files:
        if file.kind is Kind.SIGNATURE:
            yield f"gpg --batch --quiet --verify {_name(file)} {file.beside.replace('/', '_')}"
    signed = [file.beside.replace("/", "_") for file in contract.files if file.kind is Kind.BUNDLE]
    if signed:
        signing = settings.signing
        yield (
            f"{sys.executable} -m sigstore --trust-config {signing.sigstore_trust} verify identity"
            f" --cert-identity {signing.sigstore_identity}"
            f" --cert-oidc-issuer {signing.sigstore_issuer} {' '.join(signed)}"
        )


def _pages(settings: Settings, contract: Contract) -> Iterator[str]:
    hosts = settings.hosts
    for purge in (*contract.file_purges, *pages_of(contract, Listing())):
        if purge.file is None:
            base = hosts.docs_cdn if purge.url.startswith(DOCS) else hosts.cdn
            path = purge.url.removeprefix(DOCS).removeprefix(SITE) or "/"
            endpoints = (base,) if base == hosts.docs_cdn else (base, *hosts.cdn_edges)
            for endpoint in endpoints:
                host = urlsplit(base).netloc
                # A box that nobody asks for alone is purged as well, and answers 404.
                yield f"(get '{endpoint}{path}' {host} || true) | sha256sum > page"
    yield f"get '{hosts.site}/api/v2/downloads/release/' {urlsplit(hosts.site).netloc} > releases"


def _archives(version: str) -> Iterator[str]:
    """Both archives, each against the other and the tag; sums of all files for the SBOMs."""
    for suffix in (".tgz", ".tar.xz"):
        archive = f"{version}_Python-{version}{suffix}"
        yield f"mkdir in{suffix}; tar -xf {archive} -C in{suffix}"
        yield f"tar -tvf {archive} > members{suffix}"
    yield "mkdir tree"
    yield f"git -C upstream archive --prefix=Python-{version}/ v{version} | tar -x -C tree"
    yield "diff -r in.tgz in.tar.xz"
    yield "diff -r in.tgz tree > differences || true"
    for unpacked in ("in.tgz", "in.tar.xz"):
        for tool in ("sha1sum", "sha256sum"):
            yield f"find {unpacked} -type f -print0 | xargs -0 {tool} > sums"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if sys.argv[2:] else 3))
