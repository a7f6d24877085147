"""The release of greeting: `doit` makes and signs it, `doit publish` brings it to its users."""

import tomllib
from pathlib import Path

import release_steps as steps

from doit_receipts.calls import call, deferred
from doit_receipts.opening import open_plan
from doit_receipts.project import Release

PYPROJECT, CHANGELOG = Path("pyproject.toml"), Path("CHANGELOG.md")
declared = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
name, version = declared["project"]["name"], declared["project"]["version"]
to = declared["tool"]["release"]
work = Path("build") / version
archives = [work / "dist" / file for file in steps.archive_names(name, version)]
signatures = [file.with_name(f"{file.name}.asc") for file in archives]
root, sources = steps.sources_of(name)

chapters = {"make": "1 make", "publish": "2 publish"}
plan = open_plan(Release(name, version, work, chapters=chapters, experts={"RM": [to["key"]]}))
DOIT_CONFIG = plan.doit_config("make")

plan.chapter("make")


@plan.gate(reads=[PYPROJECT, CHANGELOG])
def check_version():
    """Stop unless the changelog begins with this version."""
    return call(steps.changelog_begins_with, CHANGELOG, version)


@plan.step(after=check_version, reads=[PYPROJECT, CHANGELOG, *sources], writes=archives)
def build_archives():
    """Build the sdist and the wheel, by the backend that pyproject.toml names."""
    return call(steps.build, PYPROJECT, archives)


@plan.gate(after=build_archives, reads=archives)
def check_archives():
    """Stop unless both archives hold every source as it is here."""
    return call(steps.archives_hold, archives, sources, root)


@plan.step(after=check_archives, reads=archives, writes=signatures)
def sign_archives():
    """Sign both archives."""
    return call(steps.sign, archives, to["key"])


@plan.group(of=sign_archives)
def make():
    """Everything on this machine: built, checked, signed."""


plan.chapter("publish")


@plan.approval(who="RM", of=[build_archives, sign_archives])
def approve_release():
    """The release manager has installed the wheel and tried it."""


@plan.public(after=approve_release, look=steps.look_uploaded)
def upload_files():
    """Upload archives and signatures; what users saw is never replaced."""
    return call(steps.upload, [*archives, *signatures], steps.index_folder(Path(to["index"]), name))


@plan.public(after=upload_files, reads=[CHANGELOG], look=steps.look_mailed)
def mail_news():
    """Mail that the release is there, at most once."""
    return call(steps.mail, Path(to["mailbox"]), deferred(steps.news, CHANGELOG, name, version))


@plan.group(of=["make", "mail_news"])
def publish():
    """Everything to the announcement."""
