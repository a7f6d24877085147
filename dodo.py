"""PEP 101, "Doing Python Releases 101": the whole release, told in the order of the PEP.

``doit list --status`` shows where it stands. Each task has one sentence and, on the right-hand
side of ``call``, everything that it can touch. The ids in ``pep`` are the obligations of the
PEP that it fulfils.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from checks import (
    access,
    archives,
    blockers,
    builders,
    built_docs,
    ci_artifacts,
    clone_state,
    declared,
    hosts,
    keys,
    site,
    source_tree,
    tools,
    verification,
)
from checks import sbom as sboms
from checks.verify_context import Clients, Signers
from doit_receipts.task import Call, Effect, call, value
from plugins.command.opening import open_release
from plugins.model.contract import Origin, contract_of, local_path
from plugins.model.release import ReleaseType
from plugins.model.remote_layout import RemoteLayout
from plugins.model.report import Wanted
from plugins.steps import (
    announcement_draft,
    announcing,
    bundles,
    checksums,
    ci,
    clean_room,
    configure,
    day,
    docs,
    docs_hosting,
    drafts,
    experts,
    fork,
    handover,
    letters,
    merge_back,
    news,
    page_text,
    protection,
    purging,
    release_clone,
    sbom,
    signing,
    site_files,
    site_release,
    source_test,
    staging,
    tag,
    tarball,
    topics,
    tracker,
    upstream_push,
    version_files,
)

release, settings, plan, services = open_release(Path(__file__).with_name("release.toml"))
DOIT_CONFIG = plan.doit_config("export")
at = release.layout
CLONE, SHARED, PUBLIC = Effect.CLONE, Effect.SHARED, Effect.PUBLIC
remote = RemoteLayout(release.version)
tell = settings.announce
# What experts bring later, by a waiver, is left out of everything and told on page and in mails.
later = [
    each for each in (Origin.WINDOWS, Origin.MACOS) if settings.waives(f"experts.{each.value}")
]
contract = contract_of(release, settings.docs.formats, without=later)
promised = value(contract_of, release, settings.docs.formats, without=tuple(later))
platform = {Origin.WINDOWS: "Windows", Origin.MACOS: "macOS"}
notes = [f"{platform[each]} binaries will be provided shortly." for each in later]
plan.alarm(call(protection.lease_is_open, at), call(protection.restore, services.github, at))
bundled = release.series.signs_with_sigstore
manager = release.series.manager
names_token = settings.credentials.sigstore is not None
tells_day = release.type is ReleaseType.FEATURE_FINAL
crew = [
    each
    for each in settings.experts
    if contract.by_origin(*(origin for origin in Origin if origin.value == each.role))
]
roles = [each.role for each in crew]
told = [each.mail for each in crew if each.mail]
WINDOWS, MACOS, DOCS = "windows", "macos", "docs"

# ── 1. Before anything ───────────────────────────────────────────────────────────────────────
plan.chapter(1)


@plan.gate(volatile=True, pep=["P03", "P04", "Z03"])
def task_check_tools():
    """Stop unless every program that this release will run is here, and new enough."""
    formats = settings.docs.formats if release.ships_docs else ()
    return [
        call(tools.tools_are_ready, release, services.programs, formats, settings.tests.source),
        call(tools.tool_is_as_committed, value(plan.context.tool_revision)),
    ]


@plan.gate(volatile=True, pep=["P01"], only=release.signs_with_gpg)
def task_check_key():
    """Stop unless the signing key is here with its secret half and will not expire soon."""
    return call(keys.signing_key_is_usable, release, services.signer, services.clock)


@plan.step(pep=["R01", "R02", "R03"])
def task_choose_day():
    """Choose the day that NEWS and What's New will tell: the declared one, or today."""
    return call(day.choose, settings.date, services.clock)


@plan.gate(volatile=True, pep=["P07", "P08", "P09", "P10", "P11", "P12", "Z01", "Z02", "Z04"])
def task_check_access():
    """Stop unless every login works, and lets us do what this release will need later today."""
    ours = ["", remote.downloads.final, "doc", remote.docs_archives.final]
    gathered = [remote.downloads.staging, remote.docs_archives.staging, remote.incoming]
    ready = call(access.sigstore_is_ready, services.sigstore, declared=names_token)
    room = call(hosts.host_has_room, services.downloads, "", contract, gathered)
    remotes = {"fork": services.fork, "upstream": services.upstream}
    return [
        call(access.github_lets_us_release, services.github),
        call(access.pushes_would_be_taken, release, services.base, remotes),
        call(access.upstream_is_protected, release, services.github),
        call(hosts.host_is_reached, services.downloads),
        call(hosts.rights_are_usable, services.downloads, ours),
        room,
        *([call(hosts.host_is_reached, services.docs_host)] if release.ships_docs else []),
        call(site.login_works, services.site),
        call(site.name_is_free, promised, services.site),
        call(site.caches_answer, promised, services.cdn),
        call(access.mail_lets_us_in, services.mail, [tell.list, tell.announce, tell.dev]),
        call(access.forum_lets_us_in, services.forum),
        *([ready] if bundled else []),
    ]


@plan.gate(volatile=True, pep=["Q01", "Q02", "Q04", "Q05"])
def task_check_blockers():
    """Stop while an open issue of the tracker blocks this release."""
    return [
        call(blockers.no_release_blockers, release, services.github),
        call(blockers.no_deferred_blockers, release, services.github),
    ]


@plan.gate(volatile=True, pep=["Q06", "Q07", "Q08"])
def task_check_builders():
    """Stop while a stable builder of the branch is red."""
    return [
        call(builders.builders_are_green, release, services.builders),
        call(builders.builders_are_online, release, services.builders),
    ]


today = value(date.fromisoformat, plan.fact(task_choose_day, "date"))
midnight_s = value(int, plan.fact(task_choose_day, "epoch_s"))
until = value(day.deadline, today, settings.work.wait_days)
warning = value(
    handover.heads_up_letter,
    release,
    services.templates,
    tell.sender,
    told,
    plan.fact(task_choose_day, "date"),
)


@plan.step(
    effect=PUBLIC,
    after=[task_choose_day, task_check_access, task_check_blockers],
    probe=call(letters.look_sent, warning),
    pep=["R04", "P18"],
    only=bool(told),
)
def task_warn_experts():
    """Mail the experts the day of the release; best the day before, with that day declared."""
    return call(letters.send, warning, services.mail, services.progress)


# ── 2. The release clone ─────────────────────────────────────────────────────────────────────
plan.chapter(2)


@plan.gate(
    looks=[call(release_clone.base_of, services.base)],
    volatile=True,
    pep=["R02", "Q09", "E00", "Z05"],
)
def task_check_base():
    """Stop unless the branch leads to this version and the version is the next one."""
    return [
        call(clone_state.base_leads_to_version, release, services.base),
        call(clone_state.version_is_next, release, services.base),
        call(clone_state.tag_is_free, release, services.base, services.clone),
        call(clone_state.base_is_recent, release, services.base, services.clock),
    ]


@plan.step(
    effect=CLONE,
    after=[task_check_tools, task_check_key, task_check_base],
    looks=[call(release_clone.base_of, services.base)],
    writes=[at.clone_ref("base")],
    pep=["Q10", "Q11", "Q12", "Q13"],
)
def task_make_clone():
    """Make the release clone from yours, which is only read, with the cherry-picks if any."""
    return call(
        release_clone.make,
        services.clone,
        services.base,
        services.progress,
        cherry_picks=settings.repository.cherry_picks,
        step="base",
    )


@plan.step(
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
        services.clone,
        services.programs,
        date=today,
        after="base",
        step="merge_news",
    )


@plan.step(
    effect=CLONE, after=[task_merge_news], writes=[at.clone_ref("bump_version")], pep=["E09"]
)
def task_bump_version():
    """Write the version into Include/patchlevel.h."""
    return call(
        version_files.bump, release, services.clone, after="merge_news", step="bump_version"
    )


@plan.step(
    effect=CLONE, after=[task_bump_version], writes=[at.clone_ref("write_readme")], pep=["E10"]
)
def task_write_readme():
    """Write the version and, for a new branch, its links into README.rst."""
    return call(
        version_files.readme, release, services.clone, after="bump_version", step="write_readme"
    )


@plan.step(effect=CLONE, after=[task_write_readme], writes=[at.clone_ref("mark_next")], pep=["Z07"])
def task_mark_next():
    """Replace ``versionadded:: next`` and the like in the docs by this version."""
    return call(
        version_files.mark_next, release, services.clone, after="write_readme", step="mark_next"
    )


@plan.step(
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
        services.clone,
        services.base,
        date=today,
        after="mark_next",
        step="set_years",
    )


@plan.step(
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
        services.clone,
        date=today,
        after="set_years",
        step="date_whatsnew",
    )


@plan.step(
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
        services.clone,
        after="date_whatsnew" if tells_day else "set_years",
        step="set_source_uri",
    )


@plan.step(after=[task_set_source_uri])
def task_read_docs_source():
    """Tell what the pydoc topics are made of, so that they are made again only if it changed."""
    return call(topics.sources_of, services.clone, after="set_source_uri")


@plan.step(
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
    return call(topics.build, release, source, services.programs, services.progress)


@plan.step(
    effect=CLONE,
    after=[task_set_source_uri, task_build_topics],
    reads=[at.made / "topics.py"],
    writes=[at.clone_ref("put_topics")],
    pep=["E03", "E04"],
)
def task_put_topics():
    """Put the pydoc topics into Lib/pydoc_data."""
    return call(topics.put, release, services.clone, after="set_source_uri", step="put_topics")


@plan.step(
    after=[task_put_topics],
    writes=[at.made / configure.DIFFERENCES],
    pep=["E05", "E06"],
)
def task_compare_configure():
    """Make configure again with the series' autoconf, and show what differs."""
    return call(
        configure.regenerate,
        release,
        services.clone,
        services.programs,
        services.progress,
        after="put_topics",
    )


@plan.gate(after=[task_put_topics, task_compare_configure], pep=["Z06", "E06"])
def task_check_source():
    """Stop unless versions, magic number, markers and configure are those of this release."""
    differs = plan.fact(task_compare_configure, "differs")
    skipped = plan.fact(task_compare_configure, "skipped")
    tree = {"after": "put_topics"}
    return [
        call(source_tree.magic_numbers_agree, release, services.clone, **tree),
        call(source_tree.versions_agree, release, services.clone, **tree),
        call(source_tree.next_markers_are_gone, release, services.clone, **tree),
        call(source_tree.only_release_files_changed, release, services.clone, **tree),
        call(source_tree.autoconf_is_the_agreed_one, release, services.clone, **tree),
        call(source_tree.configure_is_as_generated, differs, skipped),
        call(source_tree.notices_are_current, release, services.clone, date=today, **tree),
        call(source_tree.news_tells_something, release, services.clone, **tree),
    ]


@plan.step(
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
        services.clone,
        services.base,
        services.clock,
        after="put_topics",
        start="base",
        step="commit",
    )


@plan.gate(after=[task_commit_release], pep=["E23"])
def task_check_clean():
    """Stop unless the release clone holds the release commit and nothing else."""
    return call(source_tree.tree_is_clean, release, services.clone, after="commit")


@plan.step(
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
        services.clone,
        services.base,
        services.signer,
        services.clock,
        after="commit",
    )


commit = plan.fact(task_make_tag, "commit")

# ── 3. Hand over ─────────────────────────────────────────────────────────────────────────────
plan.chapter(3)


@plan.step(after=[task_make_tag], writes=[at.made / fork.DIFF], pep=["Z10"])
def task_write_review():
    """Show all that the release commit changes in one file, for a person to read."""
    return call(fork.review, release, services.clone)


@plan.approval(who="RM", of=[task_merge_news, task_make_tag], pep=["E12", "E21"])
def task_approve_news() -> None:
    """The release manager has proof-read the merged NEWS."""


@plan.approval(who="RM", of=[task_write_review, task_make_tag], pep=["Z10"])
def task_approve_commit() -> None:
    """The release manager has read what the release commit changes."""


@plan.step(
    effect=SHARED,
    after=[
        task_make_tag,
        task_approve_news,
        task_approve_commit,
        task_check_access,
        task_check_blockers,
        task_check_builders,
    ],
    probe=call(fork.look_pushed, release, services.clone, services.fork),
    pep=["B14", "B15"],
)
def task_push_fork():
    """Push the release commit and its tag to your fork, and to nowhere else."""
    return call(fork.push, release, services.clone, services.fork, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_push_fork],
    probe=call(ci.look_started, release, services.workflows, commit),
    pep=["Z11"],
)
def task_start_build():
    """Start CI's own build of the pushed tag, and keep the id of its run."""
    owner = value(handover.owner_of, settings.repository.fork)
    return call(
        ci.start,
        release,
        services.workflows,
        owner=owner,
        commit=commit,
        progress=services.progress,
    )


awaited = {
    each.role: experts.awaited_of(contract, each.role, each.name, each.keys) for each in crew
}


@plan.step(
    effect=SHARED,
    after=[task_check_access],
    probe=call(experts.look_inboxes, release, services.downloads, roles),
    pep=["U03"],
    only=bool(roles),
)
def task_open_inboxes():
    """Make the hidden folders on the downloads host that experts put their files into."""
    return call(experts.open_inboxes, release, services.downloads, roles)


briefs = [
    handover.Brief(
        each.role,
        each.name,
        f"{settings.hosts.downloads}/{experts.inbox_of(release, each.role)}",
        awaited[each.role].files,
    )
    for each in crew
]
brief = value(
    handover.experts_letter,
    release,
    services.templates,
    tell.sender,
    told,
    briefs,
    fork=settings.repository.fork,
    commit=commit,
)


@plan.step(
    effect=PUBLIC,
    after=[task_push_fork, task_open_inboxes],
    probe=call(letters.look_sent, brief),
    pep=["B16"],
    only=bool(told),
)
def task_tell_experts():
    """Mail the experts which tag and commit to build, and which files are awaited."""
    return call(letters.send, brief, services.mail, services.progress)


for_windows = [each.mail for each in crew if each.mail and each.role == WINDOWS]
request = value(
    handover.windows_letter,
    release,
    services.templates,
    tell.sender,
    for_windows,
    fork=settings.repository.fork,
    commit=commit,
)


@plan.step(
    effect=PUBLIC,
    after=[task_push_fork, task_tell_experts],
    probe=call(letters.look_sent, request),
    pep=["X02"],
    only=bool(for_windows),
)
def task_request_windows():
    """Mail the Windows expert the values of the form that starts their build."""
    return call(letters.send, request, services.mail, services.progress)


# ── 4. Build and check ───────────────────────────────────────────────────────────────────────
plan.chapter(4)


@plan.step(after=[task_make_tag], writes=at.tarballs, pep=["B01", "B02"])
def task_build_tarballs():
    """Write both source archives; the same tag gives the same bytes on any machine."""
    return call(tarball.build, release, services.clone, services.programs, services.progress)


tag_time_s = value(int, plan.fact(task_build_tarballs, "epoch_s"))


@plan.gate(after=[task_build_tarballs], reads=at.tarballs, pep=["B07", "B08", "B09"])
def task_check_archives():
    """Stop unless both archives hold the tag's tree and nothing else, for everyone to read."""
    commit = plan.fact(task_build_tarballs, "commit")
    return call(
        archives.archives_are_sound, release, services.clone, services.programs, commit, tag_time_s
    )


@plan.step(after=[task_check_archives], reads=at.tarballs, pep=["B07", "B10", "B11", "B12"])
def task_test_source():
    """Unpack both archives as a user would, build and test what they hold."""
    return call(
        source_test.run, release, services.programs, settings.tests.source, services.progress
    )


docs_formats = settings.docs.formats if release.ships_docs else ()
docs_archives = [each for form in docs_formats for each in at.docs_archives(form)]


@plan.step(
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
    return call(
        docs.build, release, source, settings.docs.formats, services.programs, services.progress
    )


@plan.gate(after=[task_build_docs], reads=docs_archives, pep=["Z08"], only=release.ships_docs)
def task_check_docs():
    """Stop unless every documentation archive is there, opens and names no unreleased version."""
    return [
        call(built_docs.archives_complete, release, settings.docs.formats),
        call(built_docs.no_unreleased, release, settings.docs.formats),
    ]


@plan.step(
    after=[task_build_tarballs],
    reads=at.tarballs,
    writes=sbom.documents(release),
    pep=["Z16"],
    only=release.series.ships_sbom,
)
def task_build_sboms():
    """Write the SBOM of each source archive."""
    commit = plan.fact(task_build_tarballs, "commit")
    return call(
        sbom.build,
        release,
        services.clone,
        services.sboms,
        services.progress,
        commit=commit,
        epoch_s=tag_time_s,
    )


@plan.gate(
    after=[task_build_sboms],
    reads=[*at.tarballs, *sbom.documents(release)],
    pep=["Z16"],
    only=release.series.ships_sbom,
)
def task_check_sboms():
    """Stop unless each SBOM tells its archive and every file in it as they are."""
    commit = plan.fact(task_build_tarballs, "commit")
    return call(sboms.sboms_are_true, release, services.clone, commit=commit)


@plan.step(
    after=[task_build_tarballs],
    reads=at.tarballs,
    writes=signing.signatures(release),
    pep=["B04", "B05"],
    only=release.signs_with_gpg,
)
def task_sign_archives():
    """Sign both source archives with the release manager's key, and verify the signatures."""
    return call(signing.sign_archives, release, services.signer)


published = [*at.tarballs, *signing.signatures(release), *sbom.documents(release)]


@plan.step(
    after=[task_build_tarballs, task_sign_archives, task_build_sboms],
    reads=published,
    writes=[at.checksums],
    pep=["B06"],
)
def task_write_checksums():
    """Write SHA256SUMS over everything in src."""
    return call(checksums.write, release, published)


@plan.gate(
    after=[task_test_source, task_check_docs, task_check_sboms, task_write_checksums],
    pep=["B13"],
)
def task_check_export():
    """Tell what was left out of the archives and their test by release.toml."""
    return call(declared.nothing_is_left_out, release, settings.tests.source, settings.docs.formats)


@plan.group(of=[task_check_export])
def task_export() -> None:
    """Every local artifact: commit, tag, archives, signatures and checksums, all checked."""


# What follows is of `doit publish`; it stands here as the PEP tells it.
run = plan.fact(task_start_build, "run")


@plan.step(after=[task_start_build], pep=["Z12"])
def task_await_build():
    """Wait until every job of CI's build has ended well."""
    return call(ci.wait, services.workflows, run, services.clock, until=until)


@plan.step(after=[task_await_build], pep=["Z13"])
def task_fetch_build():
    """Fetch what CI built, each archive by the digest that GitHub tells."""
    return call(ci.fetch, release, services.workflows, run, services.progress)


@plan.gate(after=[task_fetch_build, task_check_export], reads=at.tarballs, pep=["Z13"])
def task_check_build():
    """Stop unless CI built the very source archives that were made here."""
    return call(ci_artifacts.ci_built_the_same, release)


# ── 5. Green lights ──────────────────────────────────────────────────────────────────────────
plan.chapter(5)


def arrival(role: str) -> Call:
    """All that the expert of this role owes, whole and signed for."""
    return call(
        experts.arrived,
        release,
        services.downloads,
        services.verifier,
        promised,
        awaited[role],
        services.clock,
        commit=commit,
        until=until,
    )


@plan.step(
    after=[task_push_fork, task_open_inboxes, task_tell_experts, task_request_windows],
    pep=["X03", "X06", "X07", "X09", "X12", "X16"],
    only=WINDOWS in roles,
)
def task_await_windows():
    """Wait until the Windows expert's files are on the host, with the bytes they signed for."""
    return arrival(WINDOWS)


@plan.approval(
    who=WINDOWS, of=[task_await_windows], pep=["X20", "G01", "S01"], only=WINDOWS in roles
)
def task_approve_windows() -> None:
    """The Windows expert has tested the installers."""


@plan.step(
    after=[task_push_fork, task_open_inboxes, task_tell_experts],
    pep=["X21", "X23"],
    only=MACOS in roles,
)
def task_await_macos():
    """Wait until the macOS expert's files are on the host, with the bytes they signed for."""
    return arrival(MACOS)


@plan.approval(who=MACOS, of=[task_await_macos], pep=["X24", "G02", "S01"], only=MACOS in roles)
def task_approve_macos() -> None:
    """The macOS expert has tested the installer."""


@plan.approval(
    who=DOCS,
    of=[task_build_docs, task_check_docs],
    pep=["U15", "G03"],
    only=release.ships_docs and any(each.role == DOCS for each in settings.experts),
)
def task_approve_docs() -> None:
    """The documentation expert has looked at the documentation."""


@plan.gate(
    after=[task_check_build, task_approve_windows, task_approve_macos, task_approve_docs],
    pep=["R06", "R07", "S01", "G04"],
)
def task_check_lights():
    """Stop unless everybody whose files this release promises is named, or comes later."""
    return call(declared.nobody_is_forgotten, release, promised, roles, later)


# ── 6. Stage, verify, switch ─────────────────────────────────────────────────────────────────
plan.chapter(6)

ours = [path for file in contract.files if (path := local_path(file, release)) is not None]
in_src = [path for path in ours if path.parent == at.src]
of_ci = [file.name for file in contract.by_origin(Origin.CI)]
files = value(staging.wanted, value(plan.artifacts, value(ci.with_built, in_src, at, of_ci)))
papers = value(staging.wanted, value(plan.artifacts, docs_archives))
area, shelf = remote.downloads, remote.docs_archives
# What experts brought is signed with the rest, and the bundles are more files of ours.
unsigned = value(experts.with_brought, files, release, roles, area)
signed = value(staging.wanted, value(plan.artifacts, bundles.bundles(contract, release)))


@plan.step(
    effect=SHARED,
    after=[task_check_access],
    probe=call(staging.look_reserved, area, services.downloads),
    pep=["U03", "U04"],
)
def task_reserve_folder():
    """Make the hidden folder where this release is gathered, so that experts can upload to it."""
    return call(staging.reserve, area, services.downloads)


@plan.step(
    effect=SHARED,
    after=[task_reserve_folder, task_check_export, *([task_check_build] if of_ci else [])],
    reads=in_src,
    probe=call(staging.look_staged, files, area, services.downloads),
    pep=["U01", "U05", "U06", "U07"],
)
def task_stage_files():
    """Upload the source archives and what belongs to them to where users see nothing of it."""
    return call(staging.stage, files, area, services.downloads, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_check_access, task_check_export],
    reads=docs_archives,
    probe=call(staging.look_staged, papers, shelf, services.downloads),
    pep=["U01", "U09"],
    only=release.ships_docs,
)
def task_stage_docs():
    """Upload the documentation archives to where users see nothing of them."""
    return call(staging.stage, papers, shelf, services.downloads, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_reserve_folder, task_await_windows],
    probe=call(experts.look_taken, release, services.downloads, WINDOWS, area),
    pep=["X12"],
    only=WINDOWS in roles,
)
def task_take_windows():
    """Move the Windows expert's files to the others, where users see nothing of them."""
    return call(experts.take, release, services.downloads, WINDOWS, area)


@plan.step(
    effect=SHARED,
    after=[task_reserve_folder, task_await_macos],
    probe=call(experts.look_taken, release, services.downloads, MACOS, area),
    pep=["X23"],
    only=MACOS in roles,
)
def task_take_macos():
    """Move the macOS expert's files to the others, where users see nothing of them."""
    return call(experts.take, release, services.downloads, MACOS, area)


everything = value(experts.with_brought, files, release, roles, area, signed)
known = value(staging.known, everything, area, papers, shelf)
shown = value(experts.with_extras, promised, everything, area)


@plan.step(
    effect=SHARED,
    after=[task_stage_files, task_take_windows, task_take_macos, task_check_lights],
    writes=bundles.bundles(contract, release),
    probe=call(bundles.look_signed, release, promised, unsigned, manager, services.sigstore),
    pep=["Z18", "Z19"],
    only=bundled,
)
def task_sign_bundles():
    """Sign every file that the site lists as the release manager, by Sigstore."""
    return call(
        bundles.sign,
        release,
        promised,
        unsigned,
        manager,
        services.sigstore,
        services.downloads,
        area,
        services.progress,
    )


@plan.step(
    effect=SHARED,
    after=[task_sign_bundles],
    reads=bundles.bundles(contract, release),
    probe=call(staging.look_staged, signed, area, services.downloads),
    pep=["Z18"],
    only=bundled,
)
def task_stage_bundles():
    """Upload the bundles to the files that they are of, where users see nothing of them."""
    return call(staging.stage, signed, area, services.downloads, services.progress)


@plan.step(after=[task_stage_files], pep=["U08"], only=release.signs_with_gpg)
def task_verify_staged():
    """Verify every signature for the bytes that stand on the host."""
    return call(staging.verify_staged, files, area, services.downloads, services.signer)


@plan.step(
    effect=PUBLIC,
    after=[
        task_stage_files,
        task_take_windows,
        task_take_macos,
        task_stage_bundles,
        task_verify_staged,
        task_check_lights,
    ],
    probe=call(staging.look_switched, everything, area, services.downloads),
    pep=["U05", "U06", "U07"],
)
def task_switch_files():
    """Let users see all files of the release at once; what they saw is never replaced."""
    return call(staging.switch, everything, area, services.downloads, services.progress)


@plan.step(
    effect=PUBLIC,
    after=[task_stage_docs, task_check_lights],
    probe=call(staging.look_switched, papers, shelf, services.downloads),
    pep=["U09"],
    only=release.ships_docs,
)
def task_switch_docs():
    """Let users see all documentation archives at once."""
    return call(staging.switch, papers, shelf, services.downloads, services.progress)


html = value(plan.artifact, at.docs_archives("html")[-1])


@plan.step(
    effect=PUBLIC,
    after=[task_switch_docs],
    probe=call(docs_hosting.look_docs_hosted, html, remote.docs, services.docs_host),
    pep=["U12", "U13"],
    only=release.ships_docs and "html" in settings.docs.formats,
)
def task_unpack_docs():
    """Put the pages of the documentation on the docs host."""
    return call(docs_hosting.host_docs, html, remote.docs, services.docs_host, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_switch_docs],
    probe=call(docs_hosting.look_current, release, remote, services.downloads),
    pep=["U10", "U11"],
    only=release.ships_docs and release.type.is_final,
)
def task_point_current():
    """Let doc/current lead to this documentation, if no newer series has it."""
    return call(docs_hosting.point_current, release, remote, services.downloads)


@plan.step(
    effect=SHARED,
    after=[task_switch_files, task_switch_docs],
    probe=call(
        purging.look_purged, shown, services.downloads, services.cdn, pages=False, known=known
    ),
    pep=["U17", "U18"],
)
def task_purge_files():
    """Let every cache forget what it had of these files, and see that it serves the new ones."""
    return call(
        purging.purge,
        shown,
        services.downloads,
        services.cdn,
        services.progress,
        pages=False,
        known=known,
    )


@plan.step(after=[task_purge_files], pep=["V01", "V02", "V03", "V04", "V06"])
def task_test_downloads():
    """Download everything as a user would, compare it, build and test the source."""
    return call(
        clean_room.visit,
        release,
        shown,
        services.downloads,
        services.cdn,
        services.programs,
        services.signer if release.signs_with_gpg else None,
        settings.tests.source,
        services.progress,
        bundles=services.sigstore if bundled else None,
        known=known,
    )


# ── 7. Merge back and push ───────────────────────────────────────────────────────────────────
plan.chapter(7)


@plan.step(
    effect=CLONE,
    after=[task_make_tag, task_push_fork],
    writes=merge_back.written_refs(release, at),
    pep=["M02", "M03", "M04", "M05", "M06", "M07", "M08", "M09", "M10", "M11", "M12", "N01"],
)
def task_merge_back():
    """Merge the release into what upstream has by now, and set the version that follows."""
    return call(
        merge_back.make,
        release,
        services.clone,
        services.merge_clone,
        services.base,
        services.upstream,
        services.progress,
        by_hand=settings.repository.merged_by_hand,
    )


@plan.step(
    after=[task_merge_back],
    writes=[at.made / merge_back.DIFF.format(each) for each in merge_back.branches_of(release)],
    pep=["M13"],
)
def task_write_merge():
    """Show all that upstream's branches get, for a person to read."""
    return call(merge_back.review, release, services.merge_clone)


@plan.approval(who="RM", of=[task_write_merge], pep=["M13"])
def task_approve_merge() -> None:
    """The release manager has read what upstream's branches get."""


@plan.step(
    effect=PUBLIC,
    after=[task_merge_back, task_approve_merge, task_test_downloads, task_check_lights],
    probe=call(upstream_push.look_pushed, release, services.merge_clone, services.upstream),
    pep=["M01", "M14", "M15", "M16", "M17", "M18", "M19", "M20a", "M20b", "M20", "M23"],
)
def task_push_upstream():
    """Push branches and tag to upstream at once, its protection lifted for that moment only."""
    return call(
        upstream_push.push,
        release,
        services.merge_clone,
        services.upstream,
        services.github,
        services.progress,
    )


@plan.step(
    effect=SHARED,
    after=[task_push_upstream],
    probe=call(protection.look_restored, services.github, at),
    pep=["M23"],
)
def task_restore_protection():
    """See that the protection of upstream's branches is what it was before the push."""
    return call(protection.restore, services.github, at)


@plan.step(
    effect=SHARED,
    after=[task_push_upstream, task_restore_protection],
    probe=call(protection.look_copied, release, services.github),
    pep=["M21", "I11"],
    only=release.type is ReleaseType.NEW_BRANCH,
)
def task_copy_protection():
    """Give the new branch the protection of the one before it."""
    return call(protection.copy_rules, release, services.github)


# ── 8. Website and CDN ───────────────────────────────────────────────────────────────────────
plan.chapter(8)

on = plan.fact(task_choose_day, "date")


@plan.step(pep=["W03", "R07"])
def task_draft_page():
    """Draft the text of the release's page; what you edit in it is kept."""
    return call(drafts.draft_page, release, promised, services.templates, notes)


@plan.step(
    after=[task_draft_page],
    looks=[call(drafts.digest_of_page, release)],
    writes=[drafts.settled_page(release)],
)
def task_settle_page():
    """Take the text of the page as it is now, to be approved and saved."""
    return call(drafts.settle_page, release)


@plan.gate(after=[task_settle_page], pep=["W03"])
def task_check_page():
    """Stop unless the text names this version, says what it has to, and leaves no gap."""
    return call(site.text_is_ready, promised, drafts.settled_page(release), notes)


@plan.approval(who="RM", of=[task_settle_page, task_check_page], pep=["W03"])
def task_approve_page() -> None:
    """The release manager stands by the text of the page."""


@plan.step(
    effect=SHARED,
    after=[task_choose_day, task_push_upstream, task_restore_protection],
    probe=call(site_release.look_draft, promised, on, services.site),
    pep=["W02", "W04", "W05", "Z24"],
)
def task_make_page():
    """Make the release on the website, as a draft that no list shows."""
    return call(site_release.make_draft, promised, on, services.site, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_make_page],
    probe=call(site_files.look_files, shown, services.downloads, services.site, known=known),
    pep=["W06", "W07", "W08"],
)
def task_list_files():
    """List every file on the website with the size and digest of what the host serves."""
    return call(
        site_files.put_files,
        shown,
        services.downloads,
        services.site,
        services.progress,
        known=known,
    )


text = drafts.settled_page(release)


@plan.step(
    effect=SHARED,
    after=[task_make_page, task_approve_page],
    reads=[text],
    probe=call(page_text.look_text, promised, text, services.site),
    pep=["W03", "W05"],
)
def task_save_text():
    """Save the approved text on the release's page."""
    return call(page_text.put_text, promised, text, services.site, services.progress)


@plan.step(
    effect=PUBLIC,
    after=[task_list_files, task_save_text, task_unpack_docs, task_point_current],
    probe=call(site_release.look_public, promised, services.site),
    pep=["W05", "Z24"],
)
def task_publish_page():
    """Show the release on the website; both flags are switched at once."""
    return call(site_release.publish, promised, services.site, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_publish_page],
    probe=call(purging.look_purged, shown, services.downloads, services.cdn, known=known),
    pep=["W09", "U18"],
)
def task_purge_pages():
    """Let every cache forget the old pages, and see that it serves the new ones."""
    return call(
        purging.purge, shown, services.downloads, services.cdn, services.progress, known=known
    )


@plan.gate(after=[task_purge_pages], pep=["W06", "Z24"])
def task_check_site():
    """Stop unless the website shows the release and lists every file as it is served."""
    return [
        call(site.flags_are_right, promised, services.site),
        call(site.rows_are_as_served, shown, services.downloads, services.site, known=known),
    ]


# ── 9. Announce and close ────────────────────────────────────────────────────────────────────
plan.chapter(9)

digests = value(plan.sums, at.tarballs)


@plan.step(
    after=[task_make_tag, task_merge_news, task_write_checksums],
    writes=[at.made / announcement_draft.DRAFT],
    pep=["A01"],
)
def task_draft_announcement():
    """Draft the announcement; your own text goes beside it and counts instead."""
    return call(
        announcement_draft.draft,
        release,
        services.templates,
        commit=commit,
        changes=plan.fact(task_merge_news, "entries"),
        page=contract.page.url,
        digests=digests,
        sender=tell.sender,
        notes=notes,
    )


@plan.step(
    after=[task_draft_announcement],
    looks=[call(announcement_draft.edited_digest, at)],
    reads=[at.made / announcement_draft.DRAFT],
    writes=[at.made / announcement_draft.SETTLED],
)
def task_settle_announcement():
    """Take the announcement as it is now, to be approved and sent."""
    return call(announcement_draft.settle, release)


@plan.step(
    after=[task_make_tag],
    writes=[at.made / announcing.POLICY],
    pep=["A07", "A08"],
    only=announcing.tells_policy(release),
)
def task_write_policy():
    """Write what the core team has to know of the phase that begins with this release."""
    return call(announcing.write_policy, release, services.templates)


@plan.approval(who="RM", of=[task_settle_announcement, task_write_policy], pep=["A01", "A07"])
def task_approve_announcement() -> None:
    """The release manager stands by the announcement."""


out = [task_approve_announcement, task_settle_announcement, task_check_site, task_push_upstream]


letter = {
    each: value(announcing.announcement_letter, release, tell.sender, each)
    for each in (tell.list, tell.announce, tell.dev)
}
team = value(announcing.committers_letter, release, tell.sender, tell.committers)


@plan.step(effect=PUBLIC, after=out, probe=call(letters.look_sent, letter[tell.list]), pep=["A02"])
def task_mail_list():
    """Send the announcement to the list for everybody, once."""
    return call(letters.send, letter[tell.list], services.mail, services.progress)


@plan.step(
    effect=PUBLIC, after=out, probe=call(letters.look_sent, letter[tell.announce]), pep=["A03"]
)
def task_mail_announce():
    """Send the announcement to the list of announcements, once."""
    return call(letters.send, letter[tell.announce], services.mail, services.progress)


@plan.step(effect=PUBLIC, after=out, probe=call(letters.look_sent, letter[tell.dev]), pep=["A04"])
def task_mail_dev():
    """Send the announcement to CPython's developers, once."""
    return call(letters.send, letter[tell.dev], services.mail, services.progress)


@plan.step(
    effect=PUBLIC,
    after=[task_mail_list, task_write_policy, *out],
    probe=call(letters.look_sent, team),
    pep=["A06"],
)
def task_mail_committers():
    """Send the announcement to the core team, once."""
    return call(letters.send, team, services.mail, services.progress)


@plan.step(
    effect=PUBLIC,
    after=out,
    probe=call(announcing.look_posted, release, services.forum),
    pep=["Z29"],
)
def task_post_forum():
    """Post the announcement to the forum, unless it is there already."""
    return call(announcing.post, release, services.forum, tell.forum_category, services.progress)


@plan.step(
    effect=PUBLIC,
    after=out,
    probe=call(announcing.look_blog, release, services.blog, today),
    pep=["A05", "Z29"],
    only=bool(tell.blog),
)
def task_open_blog():
    """Ask the blog, by a pull request, to take the announcement."""
    return call(announcing.propose_blog, release, services.blog, today, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_push_upstream, task_choose_day],
    probe=call(announcing.look_pep, release, services.peps, today),
    pep=["A09", "Z27"],
)
def task_date_pep():
    """Ask, by a pull request, to record the day in the release PEP."""
    return call(announcing.propose_pep, release, services.peps, today, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_push_upstream],
    probe=call(tracker.look_flipped, release, services.github),
    pep=["K01"],
)
def task_flip_blockers():
    """Let issues that were put off for this release block the next one."""
    return call(tracker.flip_deferred, release, services.github, services.progress)


@plan.step(
    effect=SHARED,
    after=[task_push_upstream],
    probe=call(tracker.look_labelled, release, services.github),
    pep=["M22", "Z26", "K02", "K04", "I01", "I02"],
    only=release.type is ReleaseType.NEW_BRANCH,
)
def task_make_labels():
    """Let the tracker say that something is about the new series, or to be backported to it."""
    return call(tracker.make_labels, release, services.github)


@plan.step(after=[task_push_upstream], pep=["Q03", "K03", "K06"])
def task_write_triage():
    """List the open issues of the series that are worth a look."""
    return call(tracker.write_triage, release, services.github)


@plan.step(
    effect=SHARED,
    after=[task_push_upstream],
    probe=call(fork.look_deleted, release, services.fork),
    pep=["K07"],
)
def task_delete_branch():
    """Delete the release's branch on your fork; its tag stays."""
    return call(fork.delete, release, services.clone, services.fork)


@plan.group(
    of=[
        task_export,
        task_warn_experts,
        task_check_site,
        task_mail_list,
        task_mail_announce,
        task_mail_dev,
        task_mail_committers,
        task_post_forum,
        task_open_blog,
        task_date_pep,
        task_flip_blockers,
        task_make_labels,
        task_copy_protection,
        task_write_triage,
        task_delete_branch,
    ]
)
def task_publish() -> None:
    """Everything to the announcement."""


# ── Verify: would a stranger trust this release? ─────────────────────────────────────────────
# No task and no receipt: `doit verify` judges the world as it is at this moment, for anybody.

signers = Signers(
    (settings.signing.gpg_key,), tuple((each.role, each.keys) for each in settings.experts)
)
clients = Clients(
    services.visitor,
    services.listings,
    services.history,
    services.downloads,
    services.clone,
    services.programs,
    services.verifier,
    services.sigstore,
    services.progress,
)
wanted_docs = settings.docs.formats
plan.verify(
    call(
        verification.verify,
        release,
        contract,
        wanted_docs if release.ships_docs else (),
        signers,
        (area, shelf) if release.ships_docs else (area,),
        tarball.build,
        clients,
        Wanted(),
    ),
    call(verification.audit, release, wanted_docs, signers, tarball.build, clients, Wanted()),
)
