"""Steps and checks of a release of this tool that the example of the engine lacks."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import release_steps as package

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.probe import Probe, absent, different, identical


def git(clone: Path, *words: str) -> bytes:
    """What git says. Raises StepFailed with its last words."""
    return package.run(["git", "-C", str(clone), *words], f"git {words[0]}")


def commit_of(clone: Path, tag: str) -> str:
    """The commit that is released: that of the tag, or else the one that is checked out."""
    words = ["git", "-C", str(clone), "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{}}"]
    tagged = subprocess.run(words, capture_output=True, check=False).stdout
    return (tagged or git(clone, "rev-parse", "HEAD")).decode().strip()


def everything_is_committed(clone: Path) -> list[Finding]:
    """Judge whether the checkout is what its commit says."""
    changed = git(clone, "status", "--porcelain").decode().splitlines()
    if not changed:
        return []
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    message = f"{changed[0][3:]}{more} differs from the commit"
    return [Finding("tool.dirty", Severity.BLOCK, message, remedy="commit it, or take it back")]


def remote_has_it(clone: Path, remote: str, branch: str, commit: str) -> list[Finding]:
    """Judge whether the commit is on the branch that everybody sees."""
    said = git(clone, "ls-remote", remote, f"refs/heads/{branch}").decode().split()
    tip = said[0] if said else "nothing"
    words = ["git", "-C", str(clone), "merge-base", "--is-ancestor", commit, tip]
    if tip == commit or subprocess.run(words, capture_output=True, check=False).returncode == 0:
        return []
    message = f"{branch} of {remote} is {tip[:12]}, and {commit[:12]} is not in it"
    remedy = f"push it, or git fetch {remote} and release what is there"
    return [Finding("tool.unseen", Severity.BLOCK, message, remedy=remedy)]


def run_checks(clone: Path, words: Sequence[str], commit: str) -> dict[str, str]:
    """The checks passed on this commit."""
    package.run(list(words), " ".join(words), clone)
    return {"commit": commit}


def pack(clone: Path, commit: str, archive: Path) -> dict[str, str]:
    """The commit is in the archive, below a folder of its name, with the time of the commit."""
    top = archive.name.removesuffix(".tar.gz")
    words = ("-c", "tar.tar.gz.command=gzip -cn", "archive", "--format=tar.gz")
    write_whole(archive, git(clone, *words, f"--prefix={top}/", commit))
    return {"sha256": sha256_of(archive)}


def list_files(archive: Path, listing: Path) -> dict[str, str]:
    """A line for each file that the archive unpacks, as sha256sum --check reads it beside them."""
    lines = []
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member)
            if content is not None and member.isreg():
                lines.append(f"{hashlib.sha256(content.read()).hexdigest()}  {member.name}\n")
            elif not member.isdir():
                raise StepFailed(
                    where=member.name,
                    problem="is neither a file nor a folder, so no digest names it",
                    remedy="remove it from the repository",
                )
    write_whole(listing, "".join(sorted(lines, key=lambda line: line[66:])).encode())
    return {"files": str(len(lines))}


def build_engine(clone: Path, commit: str, built: Sequence[Path]) -> dict[str, str]:
    """The engine is built from the commit, and not from what else is in its folder."""
    with TemporaryDirectory() as room:
        packed = io.BytesIO(git(clone, "archive", commit, "doit_receipts"))
        with tarfile.open(fileobj=packed) as archive:
            # Python 3.11.2, as in Debian 12, knows no filters, and 3.12 warns where none is set.
            archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            archive.extractall(room)  # noqa: S202 - git packed it
        return package.build(Path(room) / "doit_receipts/pyproject.toml", built)


def engine_is_complete(engine: Path, built: Sequence[Path]) -> list[Finding]:
    """Judge whether each archive holds each module as it is here."""
    modules = {
        file.relative_to(engine).as_posix(): file.read_bytes()
        for folder in (engine, engine / "command")
        for file in folder.glob("*.py")
    }
    tops = (built[0].name.removesuffix(".tar.gz"), "doit_receipts")
    return [
        Finding("tool.incomplete", Severity.BLOCK, f"{name} {problem}", file.name, "build anew")
        for file, top in zip(built, tops, strict=True)
        for name, problem in package.differences(
            file, {f"{top}/{module}": content for module, content in modules.items()}
        )
    ]


def write_digests(files: Sequence[Path], sums: Path) -> dict[str, str]:
    """A line for each file, as sha256sum --check reads it."""
    lines = sorted(f"{sha256_of(file)}  {file.name}\n" for file in files)
    write_whole(sums, "".join(lines).encode())
    return {}


def draft(changelog: Path, title: str, sums: Path, key: str, text: Path) -> dict[str, str]:
    """The announcement: what changed, the digests, and how to verify them."""
    _, entry = package.newest(changelog)
    lines = (
        f"# {title}\n\n{entry}\n\n## Verifying your download\n\n"
        f"The tag and the files are signed with the key {key}:\n\n"
        "    gpg --verify SHA256SUMS.asc\n    sha256sum --check SHA256SUMS\n\n"
        "Keep the list of files (.sha256) and its signature beside the folder that you unpack:\n"
        "`doit check` compares what runs with them.\n\n"
        + "".join(f"    {line}\n" for line in sums.read_text(encoding="utf-8").splitlines())
    )
    write_whole(text, lines.encode())
    return {}


def make_tag(clone: Path, tag: str, commit: str, key: str) -> dict[str, str]:
    """The tag is on the commit, signed with the key; one that was there already counts if it is."""
    there = git(clone, "tag", "--list", tag)
    if not there:
        git(clone, "tag", "--sign", "--local-user", key, "--message", tag, tag, commit)
    elif commit_of(clone, tag) != commit:
        raise StepFailed(
            where=tag,
            problem=f"is on {commit_of(clone, tag)[:12]}, and not on {commit[:12]}",
            remedy=f"if it was never pushed: git tag -d {tag}; else release the next version",
        )
    words = ["git", "-C", str(clone), "verify-tag", "--raw", tag]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stderr
    if not any("VALIDSIG" in line and f" {key}" in line for line in said.splitlines()):
        raise StepFailed(
            where=tag,
            problem=f"has no valid signature by {key}",
            remedy=f"if it was never pushed: git tag -d {tag}; else find out who made it",
        )
    return {"object": git(clone, "rev-parse", f"refs/tags/{tag}").decode().strip()}


def look_pushed(clone: Path, remote: str, tag: str, found: str) -> Probe:
    """Whether the remote has this very tag."""
    said = git(clone, "ls-remote", remote, f"refs/tags/{tag}").decode().split()
    if not said:
        return absent(f"{remote} has no {tag}")
    if said[0] != found:
        problem = f"{tag} of {remote} is {said[0][:12]}, and here it is {found[:12]}"
        return different(problem, "what users have stays: release the next version", ())
    return identical({"object": found})


def push_tag(clone: Path, remote: str, tag: str, found: str) -> dict[str, str]:
    """The remote has the tag, which it had not."""
    lease = f"--force-with-lease=refs/tags/{tag}:"
    git(clone, "push", "--atomic", "--no-verify", lease, remote, f"{found}:refs/tags/{tag}")
    return {}
