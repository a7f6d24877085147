"""2. The release clone: every edit of the tree, one release commit, the signed tag."""

from __future__ import annotations

from chapters.before import check_key, check_tools, choose_day, midnight_s, today
from chapters.release import at, docs_tools, plan, release, services, settings
from checks import base as base_checks
from checks import clone_state, docs_python, file_names, magic_number, source_tree, tag_tree
from checks import news as news_checks
from doit_receipts.calls import call, deferred
from doit_receipts.task import Effect
from plugins.command.edit_chain import EditChain
from plugins.model.release import ReleaseType
from plugins.steps import configure, news, release_clone, tag, topics, version_files

CLONE = Effect.CLONE


@plan.gate(
    extra_inputs={"base": call(release_clone.base_of, services.base)},
    volatile=True,
    pep="R02 Q09 E00 Z05",
)
def check_base():
    """Stop unless the base is upstream's head, leads to this version, and that is the next one."""
    ours, chosen = (release, services.base), settings.repository.base
    return [
        call(clone_state.base_leads_to_version, *ours),
        call(clone_state.version_is_next, *ours),
        call(clone_state.tag_is_free, *ours, services.clone),
        call(clone_state.base_is_recent, *ours, services.clock),
        call(base_checks.base_is_upstreams_head, *ours, services.upstream_now, chosen),
        call(base_checks.identity_is_known, *ours),
        call(docs_python.docs_python_is_here, *ours, services.programs, settings.docs),
    ]


@plan.step(
    effect=CLONE,
    after=[check_tools, check_key, check_base],
    extra_inputs={"base": call(release_clone.base_of, services.base)},
    writes=[at.clone_ref("base")],
    pep="Q10 Q11 Q12 Q13",
)
def make_clone():
    """Make the release clone from yours, which is only read, with the cherry-picks if any."""
    return call(
        release_clone.make,
        services.clone,
        services.base,
        services.progress,
        cherry_picks=settings.repository.cherry_picks,
        step="base",
    )


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


@plan.step(after=[set_source_uri])
def read_docs_source():
    """Record what the pydoc topics are made of, so that they are rebuilt only if that changed."""
    return call(topics.sources_of, services.clone, after=docs_edit)


@plan.step(after=[read_docs_source, choose_day], writes=[at.made / "topics.py"], pep="E02 Z09 P05")
def build_topics():
    """Build the pydoc topics with the tree's own documentation tools."""
    source = deferred(
        topics.DocsSource,
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


@plan.step(
    after=[put_topics],
    extra_inputs={"autoconf": call(configure.tools_here, release, services.programs)},
    writes=[at.made / configure.DIFFERENCES],
    pep="E05 E06",
)
def compare_configure():
    """Regenerate configure with the series' autoconf, and show what differs."""
    return call(configure.regenerate, *tree, services.programs, services.progress, after=edited)


@plan.gate(after=[put_topics, compare_configure], pep="Z06 E06")
def check_source():
    """Stop unless versions, magic number, markers and configure are those of this release."""
    differs = plan.fact(compare_configure, "differs")
    skipped = plan.fact(compare_configure, "skipped")
    years = call(source_tree.notices_are_current, *tree, date=today, after=edited)
    return [
        call(magic_number.magic_numbers_agree, *tree, base=services.base, after=edited),
        call(source_tree.versions_agree, *tree, after=edited),
        call(source_tree.next_markers_are_gone, *tree, after=edited),
        call(file_names.names_fit_everywhere, *tree, after=edited),
        call(tag_tree.attributes_change_nothing, *tree, after=edited),
        call(source_tree.only_release_files_changed, *tree, after=edited),
        call(source_tree.autoconf_is_the_agreed_one, *tree, after=edited),
        call(source_tree.configure_is_as_generated, differs, skipped),
        *([years] if settings.repository.copyright_years else []),
        call(news_checks.news_tells_something, *tree, after=edited),
        call(news_checks.news_says_what_was_written, *tree, after=edited),
    ]


@plan.step(
    effect=CLONE, after=[check_source, put_topics], writes=[at.clone_ref("commit")], pep="E13"
)
def commit_release():
    """Make the one release commit of all edits."""
    return call(
        release_clone.commit,
        *tree,
        services.base,
        services.clock,
        after=edited,
        start="base",
        step="commit",
        remotes=services.remotes,
    )


@plan.gate(after=[commit_release], pep="E23")
def check_clean():
    """Stop unless the release clone holds the release commit and nothing else."""
    return call(source_tree.tree_is_clean, *tree, after="commit")


@plan.step(
    effect=CLONE,
    after=[commit_release, check_clean],
    writes=[at.clone / ".git" / "refs" / "tags" / release.version.tag],
    pep="T01 T02",
)
def make_tag():
    """Make the signed tag on the release commit; after it nothing is amended."""
    return call(
        tag.make,
        *tree,
        services.base,
        services.signer,
        services.clock,
        after="commit",
        remotes=services.remotes,
    )


commit = plan.fact(make_tag, "commit")
