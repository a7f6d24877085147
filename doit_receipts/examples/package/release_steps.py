"""Steps and checks of a small package's release: plain functions that know nothing of doit."""

import hashlib
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.probe import Probe, absent, different, identical, unseen


def changelog_begins_with(changelog: Path, version: str) -> list[Finding]:
    """Judge whether the newest entry is that of this version."""
    lines = changelog.read_text(encoding="utf-8").splitlines()
    newest = next((line.removeprefix("## ") for line in lines if line.startswith("## ")), "none")
    if newest == version:
        return []
    message = f"the newest entry is {newest}, and this is {version}"
    return [
        Finding("changelog.version", Severity.BLOCK, message, changelog.name, "write the entry")
    ]


def build(pyproject: Path, archives: Sequence[Path]) -> dict[str, str]:
    """The sdist and the wheel are at these paths, as the project's own backend builds them."""
    system = tomllib.loads(pyproject.read_text(encoding="utf-8"))["build-system"]
    where = system.get("backend-path", [])
    for hook, archive in zip(("build_sdist", "build_wheel"), archives, strict=True):
        with TemporaryDirectory() as room:
            code = (
                f"import sys; sys.path[:0] = {where!r}\n"
                f"import {system['build-backend']} as backend; backend.{hook}({room!r})"
            )
            _run([sys.executable, "-c", code], "pyproject.toml: the backend")
            write_whole(archive, (Path(room) / archive.name).read_bytes())
    return {}


def archives_hold(archives: Sequence[Path], sources: Sequence[Path]) -> list[Finding]:
    """Judge whether each archive holds each source, byte for byte."""
    sdist, wheel = archives
    root = sdist.name.removesuffix(".tar.gz")
    found = {}
    with tarfile.open(sdist) as packed, zipfile.ZipFile(wheel) as zipped:
        for source in sources:
            entry = packed.extractfile(f"{root}/{source}")
            found[sdist.name, source] = entry.read() if entry else b""
            found[wheel.name, source] = zipped.read(str(source))
    return [
        Finding("archives.differ", Severity.BLOCK, f"{source} is not as it is here", archive)
        for (archive, source), content in found.items()
        if content != source.read_bytes()
    ]


def sign(archives: Sequence[Path], key: str) -> dict[str, str]:
    """A detached signature by the key is beside each archive."""
    for archive in archives:
        words = ["gpg", "--batch", "--local-user", key, "--armor", "--detach-sign", "--output", "-"]
        write_whole(archive.with_name(f"{archive.name}.asc"), _run([*words, str(archive)], "gpg"))
    return {"key": key}


def look_uploaded(files: Sequence[Path], index: Path) -> Probe:
    """Whether the index has these files with these bytes."""
    there = [file for file in files if (index / file.name).is_file()]
    other = [each.name for each in there if sha256_of(index / each.name) != sha256_of(each)]
    if other:
        problem = f"{index} has {', '.join(other)} with other bytes"
        return different(problem, "release the next version: what users have stays", ())
    if len(there) < len(files):
        return absent(f"{len(there)} of {len(files)} files are there")
    return identical({file.name: sha256_of(file) for file in files})


def upload(files: Sequence[Path], index: Path) -> dict[str, str]:
    """Every file that the index lacked is there; those that it had were not touched."""
    for file in files:
        if not (index / file.name).exists():
            write_whole(index / file.name, file.read_bytes())
    return {}


def news(changelog: Path, name: str, version: str) -> str:
    """The text of the mail: the version and what changed in it."""
    entry = changelog.read_text(encoding="utf-8").split("\n## ")[1].partition("\n")[2].strip()
    return f"Subject: {name} {version} is available\n\n{name} {version}\n\n{entry}\n"


def look_mailed(news: str) -> Probe:
    """Nobody can look whether a mail arrived: it is sent at most once."""
    facts = {"sha256": hashlib.sha256(news.encode()).hexdigest()}
    return unseen(facts, "look into the mailbox whether it arrived")


def mail(mailbox: Path, news: str) -> dict[str, str]:
    """One more mail is in the mailbox."""
    number = sum(1 for _ in (mailbox / "new").glob("*.news")) + 1
    write_whole(mailbox / "new" / f"{number}.news", news.encode())
    return {}


def _run(words: list[str], where: str) -> bytes:
    """What the program wrote. Raises StepFailed with its last words."""
    ended = subprocess.run(words, capture_output=True, check=False)
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["nothing was said"]
        raise StepFailed(
            where=where, problem=said[-1], remedy="mend it", details=tuple(said[-9:-1])
        )
    return ended.stdout
