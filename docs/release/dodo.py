"""The release of a version of this tool, by its own engine; CONTRIBUTING.md tells how.

`doit` in this folder makes and signs everything; `doit publish` brings it to its users.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOL = HERE.parents[1]
sys.path[:0] = [str(HERE), str(TOOL / "doit_receipts/examples/package")]

import release_steps as package
import tool_steps as tool

from doit_receipts.calls import call
from doit_receipts.opening import open_plan
from doit_receipts.project import Release


def read(file):
    """What a file of settings says."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


CHANGELOG = TOOL / "CHANGELOG.md"
name, version = (read(TOOL / "pyproject.toml")["project"][word] for word in ("name", "version"))
engine = read(TOOL / "doit_receipts/pyproject.toml")["project"]
to = read(HERE / "pyproject.toml")["tool"]["release"]
tag = f"v{version}"
commit = tool.commit_of(TOOL, tag)
work = TOOL / "build" / f"{name}-{version}"
archive, announcement = work / "dist" / f"{name}-{version}.tar.gz", work / "dist/ANNOUNCEMENT.md"
built = [work / "dist" / file for file in package.archive_names(engine["name"], engine["version"])]
sums = work / "dist/SHA256SUMS"
listing = work / "dist" / f"{name}-{version}.sha256"
signed = [archive, listing, *built, sums]
signatures = [file.with_name(f"{file.name}.asc") for file in signed]

chapters = {"make": "1 make", "publish": "2 publish"}
plan = open_plan(Release(name, version, work, chapters=chapters, experts={"RM": [to["key"]]}))
DOIT_CONFIG = plan.doit_config("make")

plan.chapter("make")


@plan.gate(reads=[CHANGELOG])
def check_version():
    """Stop unless the change log begins with this version."""
    return call(package.changelog_begins_with, CHANGELOG, version)


@plan.gate(after=check_version, volatile=True)
def check_commit():
    """Stop unless everything is committed, and the branch of the remote has it."""
    return [
        call(tool.everything_is_committed, TOOL),
        call(tool.remote_has_it, TOOL, to["remote"], to["branch"], commit),
    ]


@plan.step(after=check_commit)
def run_checks():
    """Run the checks of the project on what is released."""
    return call(tool.run_checks, TOOL, tuple(to["checks"]), commit)


@plan.step(after=run_checks, writes=[archive])
def pack_tool():
    """Pack the tool, as it is in the commit; the same commit gives the same bytes."""
    return call(tool.pack, TOOL, commit, archive)


@plan.step(after=pack_tool, reads=[archive], writes=[listing])
def list_files():
    """List every file of the tool by digest; what runs is compared with it by `doit check`."""
    return call(tool.list_files, archive, listing)


@plan.step(after=run_checks, writes=built)
def build_engine():
    """Build the engine's sdist and wheel from the commit."""
    return call(tool.build_engine, TOOL, commit, built)


@plan.gate(after=build_engine, reads=built)
def check_engine():
    """Stop unless both archives hold every module of the engine."""
    return call(tool.engine_is_complete, TOOL / "doit_receipts", built)


@plan.step(after=[list_files, check_engine], reads=signed[:-1], writes=[sums])
def write_digests():
    """Write the digests of what is downloaded."""
    return call(tool.write_digests, signed[:-1], sums)


@plan.step(after=write_digests, reads=signed, writes=signatures)
def sign_files():
    """Sign the archives and their digests."""
    return call(package.sign, signed, to["key"])


@plan.step(after=write_digests, reads=[CHANGELOG, sums], writes=[announcement])
def draft_announcement():
    """Write what is announced: the changes, the digests, and how to verify them."""
    return call(tool.draft, CHANGELOG, f"{name} {version}", sums, to["key"], announcement)


@plan.group(of=[sign_files, draft_announcement])
def make():
    """Everything on this machine: checked, built, signed."""


plan.chapter("publish")


@plan.approval(who="RM", of=[run_checks, write_digests, sign_files, draft_announcement])
def approve_release():
    """The maintainer has read the announcement and tried what was built."""


@plan.step(after=approve_release)
def make_tag():
    """Tag the commit in this clone, signed."""
    return call(tool.make_tag, TOOL, tag, commit, to["key"])


@plan.public(after=[make_tag, check_commit], look=tool.look_pushed)
def push_tag():
    """Push the tag; one that users have seen is never moved."""
    return call(tool.push_tag, TOOL, to["remote"], tag, plan.fact(make_tag, "object"))


@plan.public(after=[push_tag, sign_files, draft_announcement], look=package.look_uploaded)
def publish_files():
    """Put everything into the folder of the version; what users saw is never replaced."""
    files = [*signed, *signatures, announcement]
    return call(package.upload, files, (HERE / to["releases"] / tag).resolve())


@plan.group(of=["make", publish_files])
def publish():
    """Everything to what users download and read."""
