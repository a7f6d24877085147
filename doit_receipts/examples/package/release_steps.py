"""Steps and checks of a small package's release: plain functions that know nothing of doit."""

import hashlib
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.probe import Probe, absent, different, identical, unseen


def archive_names(name: str, version: str) -> tuple[str, str]:
    """What the sdist and the wheel of pure Python are called (PEP 625, PEP 427)."""
    stem = f"{re.sub(r'[-_.]+', '_', name).lower()}-{version}"
    return f"{stem}.tar.gz", f"{stem}-py3-none-any.whl"


def index_folder(index: Path, name: str) -> Path:
    """Where an index has the files of the project (PEP 503)."""
    return index / re.sub(r"[-_.]+", "-", name).lower()


def sources_of(name: str) -> tuple[Path, list[Path]]:
    """The folder that packages are imported from, src or this one, and the files of this one."""
    root = Path("src" if Path("src").is_dir() else "")
    package = root / re.sub(r"[-.]+", "_", name)
    files = (file for file in package.rglob("*") if "__pycache__" not in file.parts)
    return root, sorted(file for file in files if file.is_file())


def changelog_begins_with(changelog: Path, version: str) -> list[Finding]:
    """Judge whether the newest entry is that of this version."""
    found, _ = newest(changelog)
    if found == version:
        return []
    message = f"the newest entry is {found or 'none'}, and this is {version}"
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
            run([sys.executable, "-c", code], "pyproject.toml: the backend", pyproject.parent)
            made = [file.name for file in Path(room).iterdir()]
            if made != [archive.name]:
                problem = f"{hook} made {', '.join(made) or 'nothing'}, and not {archive.name}"
                raise StepFailed(where="pyproject.toml", problem=problem, remedy="name it so")
            write_whole(archive, (Path(room) / archive.name).read_bytes())
    return {}


def archives_hold(archives: Sequence[Path], sources: Sequence[Path], root: Path) -> list[Finding]:
    """Judge whether each archive holds each source, byte for byte."""
    sdist, wheel = archives
    top = sdist.name.removesuffix(".tar.gz")
    wanted = {source: source.read_bytes() for source in sources}
    places = {
        sdist: {f"{top}/{source.as_posix()}": content for source, content in wanted.items()},
        wheel: {source.relative_to(root).as_posix(): content for source, content in wanted.items()},
    }
    if not sources:
        message = "there is no source of it here"
        return [Finding("archives.differ", Severity.BLOCK, message, remedy="name its folder so")]
    return [
        Finding("archives.differ", Severity.BLOCK, f"{name} {problem}", archive.name, "build anew")
        for archive, files in places.items()
        for name, problem in differences(archive, files)
    ]


def differences(archive: Path, wanted: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """The names of what is not in the archive as wanted, and how it is there."""
    try:
        if archive.name.endswith(".whl"):
            with zipfile.ZipFile(archive) as zipped:
                found = {name: zipped.read(name) for name in zipped.namelist()}
        else:
            with tarfile.open(archive) as packed:
                members = [each for each in packed if each.isfile()]
                found = {each.name: packed.extractfile(each).read() for each in members}
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        yield archive.name, f"cannot be read: {error}"
        return
    for name, content in wanted.items():
        if found.get(name) != content:
            yield name, "is not as it is here" if name in found else "is missing"


def sign(archives: Sequence[Path], key: str) -> dict[str, str]:
    """A detached signature by the key is beside each archive."""
    for archive in archives:
        words = ["gpg", "--batch", "--local-user", key, "--armor", "--detach-sign", "--output", "-"]
        write_whole(archive.with_name(f"{archive.name}.asc"), run([*words, str(archive)], "gpg"))
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
    _, entry = newest(changelog)
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


def newest(changelog: Path) -> tuple[str, str]:
    """Version and text of the newest entry; its title may be "## [1.0] - 2026-11-29"."""
    text = "\n" + changelog.read_text(encoding="utf-8")
    title, _, entry = text.partition("\n## ")[2].partition("\n## ")[0].partition("\n")
    return (title.split() or [""])[0].strip("[]").removeprefix("v"), entry.strip()


def run(words: list[str], where: str, folder: Path | None = None) -> bytes:
    """What the program wrote, run in the folder. Raises StepFailed with its last words."""
    try:
        ended = subprocess.run(words, cwd=folder, capture_output=True, check=False)
    except FileNotFoundError as error:
        problem = f"{words[0]} is not installed"
        raise StepFailed(where=where, problem=problem, remedy="install it") from error
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["nothing was said"]
        raise StepFailed(
            where=where, problem=said[-1], remedy="mend it", details=tuple(said[-9:-1])
        )
    return ended.stdout
