"""1. Every login that this release will need, each with its rights: what check_access asks."""

from __future__ import annotations

from chapters.release import (
    builds_windows,
    contract,
    experts,
    is_new_branch,
    later,
    plan,
    promised,
    release,
    remote,
    roles,
    services,
    settings,
)
from checks import (
    access,
    declared,
    forms,
    hosts,
    manager,
    pipeline,
    site_access,
)
from doit_receipts.calls import call, deferred
from plugins.steps import blog, handover

# Nobody gets an email whose address release.toml does not name.
addresses = [each.mail for each in experts if each.mail]
author = deferred(blog.author_of, settings.announce.author, services.base)

ours = ["", remote.downloads.final, "doc", remote.docs_archives.final]
gathered = [remote.downloads.staging, remote.docs_archives.staging, remote.incoming]
remotes = {"fork": services.fork, "upstream": services.upstream}
tell = settings.announce
owner = deferred(handover.owner_of, settings.repository.fork)
windows_form = call(forms.windows_form_is_as_known, release, services.release_tools, owner)
windows_is_free = call(pipeline.nobody_else_publishes, release, services.pipeline)
by_identity = settings.credentials.sigstore is not None
shown = deferred(plan.receipts.is_done, "make_page")
proposed = [
    services.release_tools,
    *([services.peps] if tell.peps else []),
    *([services.blog] if tell.blog else []),
    *([services.buildmaster] if is_new_branch else []),
]
logins = [
    call(declared.nobody_is_forgotten, release, promised, roles, later),
    call(access.github_lets_us_release, services.github),
    call(access.pushes_would_be_taken, release, services.base, remotes),
    call(access.upstream_is_protected, release, services.github),
    call(access.no_ruleset_is_in_the_way, release, services.github),
    call(forms.ci_form_takes_the_fork, services.release_tools, owner),
    *([windows_form, windows_is_free] if builds_windows else []),
    call(hosts.host_is_reached, services.downloads),
    call(hosts.rights_are_usable, services.downloads, ours),
    call(hosts.files_of_others_are_readable, services.downloads, [ours[1], gathered[0]]),
    call(hosts.host_has_room, services.downloads, "", contract, gathered),
    *([call(hosts.host_is_reached, services.docs_host)] if release.ships_docs else []),
    call(site_access.login_works, services.site),
    call(site_access.texts_can_be_saved, services.site),
    call(site_access.name_is_free, promised, services.site, shown=shown),
    call(site_access.systems_are_known, promised, services.site),
    call(site_access.caches_answer, promised, services.cdn),
    *(
        [call(access.mail_lets_us_in, services.mail, tell.sender)]
        if addresses or tell.lists
        else []
    ),
    call(access.forum_lets_us_in, services.forum, tell.forum_category),
    *([call(access.blog_knows_author, services.blog, author)] if tell.blog else []),
    *(call(access.changes_can_be_proposed, each) for each in proposed),
    *(
        [call(access.sigstore_is_ready, services.sigstore, declared=by_identity)]
        if release.series.signs_with_sigstore
        else []
    ),
    *(
        [
            call(manager.identity_is_in_the_table, release, services.release_tools),
            call(manager.identity_is_told_to_users, release, services.site),
        ]
        if release.series.signs_with_sigstore
        else []
    ),
    *([call(manager.pep_lists_the_manager, release, services.peps)] if tell.peps else []),
    call(manager.manager_said_so, services.person),
]
