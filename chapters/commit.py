"""4. The release commit: all edits judged, one commit of them, the tag."""

from __future__ import annotations

from chapters.base import make_clone
from chapters.before import today
from chapters.clone import docs_edit, edited, put_topics, set_source_uri, tree
from chapters.release import at, plan, release, services, settings
from checks import file_names, magic_number, own_commits, release_commit, source_tree, tag_tree
from checks import news as news_checks
from doit_receipts.calls import call
from doit_receipts.task import Effect
from plugins.steps import configure, release_clone, tag


@plan.step(
    after=[set_source_uri],
    extra_inputs={"autoconf": call(configure.tools_here, release, services.programs)},
    writes=[at.made / configure.DIFFERENCES],
    pep="E05 E06",
)
def compare_configure():
    """Regenerate configure with the series' autoconf, and show what differs."""
    # The topics, which take longer, are no part of it.
    return call(configure.regenerate, *tree, services.programs, services.progress, after=docs_edit)


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
        call(release_commit.code_is_changed_as_edits_do, *tree, after=edited),
        call(source_tree.autoconf_is_the_agreed_one, *tree, after=edited),
        call(source_tree.configure_is_as_generated, differs, skipped),
        *([years] if settings.repository.copyright_years else []),
        call(news_checks.news_tells_something, *tree, after=edited),
        call(news_checks.news_says_what_was_written, *tree, after=edited),
    ]


@plan.step(
    effect=Effect.CLONE,
    after=[check_source, put_topics],
    writes=[at.clone_ref("commit")],
    pep="E13",
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
    """Stop unless the release clone holds the release commit, made of what upstream has."""
    base, upstream = plan.fact(make_clone, "base"), services.upstream_now
    return [
        call(source_tree.tree_is_clean, *tree, after="commit"),
        call(release_commit.commit_is_as_judged, *tree, after="commit", edited=edited),
        call(own_commits.commits_are_known, *tree, services.programs, upstream, base),
    ]


@plan.step(
    effect=Effect.CLONE,
    after=[commit_release, check_clean],
    writes=[at.clone / ".git" / "refs" / "tags" / release.version.tag],
    signs=True,
    pep="T01 T02",
)
def make_tag():
    """Make the tag on the release commit, signed up to 3.13; after it nothing is amended."""
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
