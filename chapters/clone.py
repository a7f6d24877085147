"""3. The release clone: every edit of its tree, and what its documentation is built with."""

from __future__ import annotations

from chapters.base import make_clone
from chapters.before import choose_day, midnight_s, today
from chapters.release import at, docs_tools, plan, release, services, settings
from checks import docs_lock
from doit_receipts.calls import call, deferred
from plugins.command.edit_chain import EditChain
from plugins.model.docs_source import LOCK_FILE, DocsSource
from plugins.model.release import ReleaseType
from plugins.steps import docs_lock as locking
from plugins.steps import news, topics, version_files

edits = EditChain(plan, at, "base", make_clone)
tree = (release, services.clone)


@edits.step(after=[choose_day], pep="E01")
def merge_news(edit):
    """Merge Misc/NEWS.d/next into this version's file."""
    return edit.call(news.merge, *tree, services.programs, date=today)


@edits.step(pep="E09")
def bump_version(edit):
    """Write the version into Include/patchlevel.h."""
    return edit.call(version_files.bump, *tree)


@edits.step(pep="E10")
def write_readme(edit):
    """Write the version into README.rst, and link it to the docs and schedule of its series."""
    return edit.call(version_files.readme, *tree)


@edits.step(pep="Z07")
def mark_next(edit):
    """Replace ``versionadded:: next`` and the like in the docs by this version."""
    return edit.call(version_files.mark_next, *tree)


@edits.step(after=[choose_day], pep="E14 E15 E16 E17 E18 E19 E20")
def set_years(edit):
    """Update the copyright notices of six files to this year, where release.toml asks for it."""
    wanted = settings.repository.copyright_years
    return edit.call(version_files.copyright_years, *tree, services.base, date=today, wanted=wanted)


@edits.step(after=[choose_day], pep="E22", only=release.type is ReleaseType.FEATURE_FINAL)
def date_whatsnew(edit):
    """Write the day of the release into the first paragraph of What's New."""
    return edit.call(version_files.whatsnew_date, *tree, date=today)


@edits.step(pep="E07 E08")
def set_source_uri(edit):
    """Link the docs to the sources of the branch that this release is made from."""
    return edit.call(version_files.source_uri, *tree)


docs_edit = edits.head
locked = at.made / LOCK_FILE


@plan.step(after=[set_source_uri])
def read_docs_source():
    """Record what the pydoc topics are made of, so that they are rebuilt only if that changed."""
    return call(topics.sources_of, services.clone, after=docs_edit)


@plan.step(
    after=[read_docs_source],
    extra_inputs={"kept": call(locking.kept_now, settings.docs.lock)},
    writes=[locked],
    takes={"cores": 1},
    only=settings.docs.lock is not None,
)
def lock_docs_tools():
    """Name each package of the documentation's tools by its hash, as the series' lock has it."""
    return call(
        locking.make,
        release,
        services.clone,
        settings.docs,
        services.programs,
        services.progress,
        after=docs_edit,
    )


@plan.gate(
    after=[lock_docs_tools],
    reads=[locked],
    volatile=True,
    only=settings.docs.lock is not None,
)
def check_docs_tools():
    """Stop unless you signed the lock that the documentation's tools are installed from."""
    source = plan.fact(lock_docs_tools, "source")
    made, kept = deferred(plan.receipts.artifact, locked), settings.docs.lock
    return call(docs_lock.lock_is_approved, release, made, kept, source, services.signer)


# Only where it is declared: what was made without it stays as it was made.
if settings.docs.lock is not None:
    docs_tools.update(lock=locked, lock_sha256=plan.fact(lock_docs_tools, "sha256"))
approved_tools = [check_docs_tools] if settings.docs.lock is not None else []


@plan.step(
    after=[read_docs_source, choose_day, *approved_tools],
    writes=[at.made / "topics.py"],
    takes={"cores": 1},
    pep="E02 Z09 P05",
)
def build_topics():
    """Build the pydoc topics with the tree's own documentation tools."""
    source = deferred(
        DocsSource,
        at.clone,
        f"refs/release/{docs_edit}",
        midnight_s,
        settings.docs.constraints,
        **docs_tools,
    )
    return call(topics.build, release, source, services.programs, services.progress)


@edits.step(after=[build_topics], reads=[at.made / "topics.py"], pep="E03 E04")
def put_topics(edit):
    """Put the pydoc topics into Lib/pydoc_data."""
    return edit.call(topics.put, *tree)


edited = edits.head
