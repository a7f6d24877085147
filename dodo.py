"""PEP 101, "Doing Python Releases 101": the whole release, told in the order of the PEP.

``doit list --status`` shows where it stands. Each task has one sentence and, on the right-hand
side of ``call``, everything that it can touch. The ids in ``pep`` are the obligations of the
PEP that it fulfils.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from checks import archives, built_docs, clone_state, declared, keys, source_tree, tools
from checks import sbom as sboms
from plugins.flow.opening import open_release
from plugins.flow.task import Effect, call, value
from plugins.model.release import ReleaseType
from plugins.steps import (
    checksums,
    configure,
    day,
    docs,
    news,
    release_clone,
    sbom,
    signing,
    source_test,
    tag,
    tarball,
    topics,
    version_files,
)

release, settings, book, reach = open_release(Path(__file__).with_name("release.toml"))
DOIT_CONFIG = book.doit_config("export")
at = release.layout
CLONE = Effect.CLONE
tells_day = release.type is ReleaseType.FEATURE_FINAL

# ── 1. Before anything ───────────────────────────────────────────────────────────────────────
book.chapter(1)


@book.gate(volatile=True, pep=["P03", "P04", "Z03"])
def task_check_tools():
    """Stop unless every program that this release will run is here, and new enough."""
    formats = settings.docs.formats if release.ships_docs else ()
    return [
        call(tools.tools_are_ready, release, reach.programs, formats, settings.tests.source),
        call(tools.tool_is_as_committed, value(book.desk.tool_revision)),
    ]


@book.gate(volatile=True, pep=["P01"], only=release.signs_with_gpg)
def task_check_key():
    """Stop unless the signing key is here with its secret half and will not expire soon."""
    return call(keys.signing_key_is_usable, release, reach.signer, reach.clock)


@book.step(pep=["R01", "R02", "R03"])
def task_choose_day():
    """Choose the day that NEWS and What's New will tell: the declared one, or today."""
    return call(day.choose, settings.date, reach.clock)


today = value(date.fromisoformat, book.fact(task_choose_day, "date"))
midnight_s = value(int, book.fact(task_choose_day, "epoch_s"))

# ── 2. The release clone ─────────────────────────────────────────────────────────────────────
book.chapter(2)


@book.gate(
    looks=[call(release_clone.base_of, reach.base)],
    volatile=True,
    pep=["R02", "Q09", "E00", "Z05"],
)
def task_check_base():
    """Stop unless the branch leads to this version and the version is the next one."""
    return [
        call(clone_state.base_leads_to_version, release, reach.base),
        call(clone_state.version_is_next, release, reach.base),
        call(clone_state.tag_is_free, release, reach.base, reach.clone),
        call(clone_state.base_is_recent, release, reach.base, reach.clock),
    ]


@book.step(
    effect=CLONE,
    after=[task_check_tools, task_check_key, task_check_base],
    looks=[call(release_clone.base_of, reach.base)],
    writes=[at.clone_ref("base")],
    pep=["Q10", "Q11", "Q12", "Q13"],
)
def task_make_clone():
    """Make the release clone from yours, which is only read, with the cherry-picks if any."""
    return call(
        release_clone.make,
        reach.clone,
        reach.base,
        reach.progress,
        cherry_picks=settings.repository.cherry_picks,
        step="base",
    )


@book.step(
    effect=CLONE,
    after=[task_make_clone, task_choose_day],
    writes=[at.clone_ref("merge_news")],
    pep=["E01"],
)
def task_merge_news():
    """Fold Misc/NEWS.d/next into this version's file."""
    return call(
        news.merge,
        release,
        reach.clone,
        reach.programs,
        date=today,
        after="base",
        step="merge_news",
    )


@book.step(
    effect=CLONE, after=[task_merge_news], writes=[at.clone_ref("bump_version")], pep=["E09"]
)
def task_bump_version():
    """Write the version into Include/patchlevel.h."""
    return call(version_files.bump, release, reach.clone, after="merge_news", step="bump_version")


@book.step(
    effect=CLONE, after=[task_bump_version], writes=[at.clone_ref("write_readme")], pep=["E10"]
)
def task_write_readme():
    """Write the version and, for a new branch, its links into README.rst."""
    return call(
        version_files.readme, release, reach.clone, after="bump_version", step="write_readme"
    )


@book.step(effect=CLONE, after=[task_write_readme], writes=[at.clone_ref("mark_next")], pep=["Z07"])
def task_mark_next():
    """Replace ``versionadded:: next`` and the like in the docs by this version."""
    return call(
        version_files.mark_next, release, reach.clone, after="write_readme", step="mark_next"
    )


@book.step(
    effect=CLONE,
    after=[task_mark_next, task_choose_day],
    writes=[at.clone_ref("set_years")],
    pep=["E14", "E15", "E16", "E17", "E18", "E19", "E20"],
)
def task_set_years():
    """Bring the copyright notices of six files to this year, if the last release was earlier."""
    return call(
        version_files.copyright_years,
        release,
        reach.clone,
        reach.base,
        date=today,
        after="mark_next",
        step="set_years",
    )


@book.step(
    effect=CLONE,
    after=[task_set_years, task_choose_day],
    writes=[at.clone_ref("date_whatsnew")],
    pep=["E22"],
    only=tells_day,
)
def task_date_whatsnew():
    """Tell the day of the release in the first paragraph of What's New."""
    return call(
        version_files.whatsnew_date,
        release,
        reach.clone,
        date=today,
        after="set_years",
        step="date_whatsnew",
    )


@book.step(
    effect=CLONE,
    after=[task_date_whatsnew],
    writes=[at.clone_ref("set_source_uri")],
    pep=["E07", "E08"],
)
def task_set_source_uri():
    """Let the docs link to the sources of the branch that this release stands on."""
    return call(
        version_files.source_uri,
        release,
        reach.clone,
        after="date_whatsnew" if tells_day else "set_years",
        step="set_source_uri",
    )


@book.step(after=[task_set_source_uri])
def task_read_docs_source():
    """Tell what the pydoc topics are made of, so that they are made again only if it changed."""
    return call(topics.sources_of, reach.clone, after="set_source_uri")


@book.step(
    after=[task_read_docs_source, task_choose_day],
    writes=[at.made / "topics.py"],
    pep=["E02", "Z09", "P05"],
)
def task_build_topics():
    """Build the pydoc topics with the tree's own documentation tools."""
    source = value(
        topics.DocsSource,
        at.clone,
        "refs/release/set_source_uri",
        midnight_s,
        settings.docs.constraints,
    )
    return call(topics.build, release, source, reach.programs, reach.progress)


@book.step(
    effect=CLONE,
    after=[task_set_source_uri, task_build_topics],
    reads=[at.made / "topics.py"],
    writes=[at.clone_ref("put_topics")],
    pep=["E03", "E04"],
)
def task_put_topics():
    """Put the pydoc topics into Lib/pydoc_data."""
    return call(topics.put, release, reach.clone, after="set_source_uri", step="put_topics")


@book.step(
    after=[task_put_topics],
    writes=[at.made / configure.DIFFERENCES],
    pep=["E05", "E06"],
)
def task_compare_configure():
    """Make configure again with the series' autoconf, and show what differs."""
    return call(
        configure.regenerate,
        release,
        reach.clone,
        reach.programs,
        reach.progress,
        after="put_topics",
    )


@book.gate(after=[task_put_topics, task_compare_configure], pep=["Z06", "E06"])
def task_check_source():
    """Stop unless versions, magic number, markers and configure are those of this release."""
    differs = book.fact(task_compare_configure, "differs")
    skipped = book.fact(task_compare_configure, "skipped")
    tree = {"after": "put_topics"}
    return [
        call(source_tree.magic_numbers_agree, release, reach.clone, **tree),
        call(source_tree.versions_agree, release, reach.clone, **tree),
        call(source_tree.next_markers_are_gone, release, reach.clone, **tree),
        call(source_tree.only_release_files_changed, release, reach.clone, **tree),
        call(source_tree.autoconf_is_the_agreed_one, release, reach.clone, **tree),
        call(source_tree.configure_is_as_generated, differs, skipped),
        call(source_tree.notices_are_current, release, reach.clone, date=today, **tree),
        call(source_tree.news_tells_something, release, reach.clone, **tree),
    ]


@book.step(
    effect=CLONE,
    after=[task_check_source, task_put_topics],
    writes=[at.clone_ref("commit")],
    pep=["E13"],
)
def task_commit_release():
    """Make the one release commit of all edits."""
    return call(
        release_clone.commit,
        release,
        reach.clone,
        reach.base,
        reach.clock,
        after="put_topics",
        start="base",
        step="commit",
    )


@book.gate(after=[task_commit_release], pep=["E23"])
def task_check_clean():
    """Stop unless the release clone holds the release commit and nothing else."""
    return call(source_tree.tree_is_clean, release, reach.clone, after="commit")


@book.step(
    effect=CLONE,
    after=[task_commit_release, task_check_clean],
    writes=[at.clone / ".git" / "refs" / "tags" / release.version.tag],
    pep=["T01", "T02"],
)
def task_make_tag():
    """Make the signed tag on the release commit; after it nothing is amended."""
    return call(
        tag.make,
        release,
        reach.clone,
        reach.base,
        reach.signer,
        reach.clock,
        after="commit",
    )


# ── 4. Build and check ───────────────────────────────────────────────────────────────────────
book.chapter(4)


@book.step(after=[task_make_tag], writes=at.tarballs, pep=["B01", "B02"])
def task_build_tarballs():
    """Write both source archives; the same tag gives the same bytes on any machine."""
    return call(tarball.build, release, reach.clone, reach.programs, reach.progress)


tag_time_s = value(int, book.fact(task_build_tarballs, "epoch_s"))


@book.gate(after=[task_build_tarballs], reads=at.tarballs, pep=["B07", "B08", "B09"])
def task_check_archives():
    """Stop unless both archives hold the tag's tree and nothing else, for everyone to read."""
    commit = book.fact(task_build_tarballs, "commit")
    return call(
        archives.archives_are_sound, release, reach.clone, reach.programs, commit, tag_time_s
    )


@book.step(after=[task_check_archives], reads=at.tarballs, pep=["B07", "B10", "B11", "B12"])
def task_test_source():
    """Unpack both archives as a user would, build and test what they hold."""
    return call(source_test.run, release, reach.programs, settings.tests.source, reach.progress)


docs_archives = [each for form in settings.docs.formats for each in at.docs_archives(form)]


@book.step(
    after=[task_build_tarballs],
    writes=docs_archives,
    pep=["B03", "B06"],
    only=release.ships_docs,
)
def task_build_docs():
    """Write the documentation archives, from one reading of the sources."""
    source = value(
        topics.DocsSource, at.clone, release.version.tag, tag_time_s, settings.docs.constraints
    )
    return call(docs.build, release, source, settings.docs.formats, reach.programs, reach.progress)


@book.gate(after=[task_build_docs], reads=docs_archives, pep=["Z08"], only=release.ships_docs)
def task_check_docs():
    """Stop unless every documentation archive is there, opens and names no unreleased version."""
    return [
        call(built_docs.archives_complete, release, settings.docs.formats),
        call(built_docs.no_unreleased, release, settings.docs.formats),
    ]


@book.step(
    after=[task_build_tarballs],
    reads=at.tarballs,
    writes=sbom.documents(release),
    pep=["Z16"],
    only=release.series.ships_sbom,
)
def task_build_sboms():
    """Write the SBOM of each source archive."""
    commit = book.fact(task_build_tarballs, "commit")
    return call(
        sbom.build,
        release,
        reach.clone,
        reach.sboms,
        reach.progress,
        commit=commit,
        epoch_s=tag_time_s,
    )


@book.gate(
    after=[task_build_sboms],
    reads=[*at.tarballs, *sbom.documents(release)],
    pep=["Z16"],
    only=release.series.ships_sbom,
)
def task_check_sboms():
    """Stop unless each SBOM tells its archive and every file in it as they are."""
    commit = book.fact(task_build_tarballs, "commit")
    return call(sboms.sboms_are_true, release, reach.clone, commit=commit)


@book.step(
    after=[task_build_tarballs],
    reads=at.tarballs,
    writes=signing.signatures(release),
    pep=["B04", "B05"],
    only=release.signs_with_gpg,
)
def task_sign_archives():
    """Sign both source archives with the release manager's key, and verify the signatures."""
    return call(signing.sign_archives, release, reach.signer)


published = [*at.tarballs, *signing.signatures(release), *sbom.documents(release)]


@book.step(
    after=[task_build_tarballs, task_sign_archives, task_build_sboms],
    reads=published,
    writes=[at.checksums],
    pep=["B06"],
)
def task_write_checksums():
    """Write SHA256SUMS over everything in src."""
    return call(checksums.write, release, published)


@book.gate(
    after=[task_test_source, task_check_docs, task_check_sboms, task_write_checksums],
    pep=["B13"],
)
def task_check_export():
    """Tell what was left out of the archives and their test by release.toml."""
    return call(declared.nothing_is_left_out, release, settings.tests.source, settings.docs.formats)


@book.group(of=[task_check_export])
def task_export() -> None:
    """Every local artifact: commit, tag, archives, signatures and checksums, all checked."""


# ── 5. Green lights ──────────────────────────────────────────────────────────────────────────
book.chapter(5)


@book.approval(who="RM", of=[task_merge_news, task_make_tag], pep=["E12", "E21"])
def task_approve_news() -> None:
    """The release manager has proof-read the merged NEWS."""


@book.group(of=[task_export, task_approve_news])
def task_publish() -> None:
    """Everything to the announcement."""
