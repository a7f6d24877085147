"""Rules of the gates: what they judge by, one entry for each dotted id, with what to do about it.

They come beside those of `plugins.model.rules`, some of which gates judge by as well. A finding
may have a remedy that knows more of the case than the one given here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.finding import Severity
from plugins.model.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GATE_RULES"]

_WARN: Final = Severity.WARN
_NOTE: Final = Severity.NOTE
_ADMIN: Final = "correct it in the site's admin, then run the same command again"
_EDIT: Final = "edit the draft, then run the same command again"
_ANEW: Final = "then run doit forget and the task that awaited it, and the same command again"
_FETCH: Final = "then run doit forget fetch_build, and the same command again"
_IF_MEANT: Final = "leave it if it is meant, nothing waits for that; else edit the draft"
_TRACKER: Final = "resolve it, or change its labels on the tracker"
_BUILDBOTS: Final = "ask the buildbots' administrators"

GATE_RULES: Final[Mapping[str, Rule]] = {
    "rebuild.agrees": Rule(
        "Everybody else who got the same archives from the tag is named, with what proves it.",
        "nothing has to be done",
        severity=_NOTE,
    ),
    "rebuild.disagrees": Rule(
        "Nobody whose rebuild counts got other archives from the tag than those of the release.",
        "compare the versions of git, blurb, gzip and xz with them; if those are the same, do not "
        "publish before the cause is found",
        "bitcoin-core/guix.sigs",
    ),
    "rebuild.few": Rule(
        "As many other people as [rebuilds] wanted says got the same archives from the tag.",
        "ask others to run doit rebuild VERSION --who LOGIN --key FINGERPRINT, then update the "
        "ledger",
        "bitcoin-core/guix.sigs",
        milder=(_NOTE,),
    ),
    "rebuild.unsigned": Rule(
        "Each entry of the ledger is signed by a key that [rebuilds] keys names, and what a run"
        " got is attested by the workflow of [farm].",
        "it counts for nothing; name the key if you know whose it is, or have the entry removed; "
        "of a run: doit forget await_rebuild, then the same command",
        severity=_WARN,
    ),
    "approver.absent": Rule(
        "The keyring here has the public key of each expert, by which approvals are verified.",
        "ask for the public key, then gpg --import it into [signing] gnupg_home",
        severity=_WARN,
    ),
    "approver.expiring": Rule(
        "Each expert has a key that is neither revoked nor expires soon.",
        "ask for a key that lasts, or for theirs extended, and gpg --import it",
        severity=_WARN,
    ),
    "access.blog": Rule(
        "The blog has a record of the author, to which every post of theirs links.",
        "write [announce] author = and your name as the blog has it, or add your record there by "
        "a pull request",
    ),
    "access.forum": Rule(
        "The forum accepts your API key, where you have one, and shows the category of the "
        "announcement.",
        "check [credentials] and [announce] forum_category",
        milder=(_WARN,),
    ),
    "access.github": Rule(
        "The owner of the GitHub token may push to the repository and change its protection.",
        "ask to be added to the team of release managers",
    ),
    "access.mail": Rule(
        "The mail server accepts your login, and release.toml names the sender; nothing is sent.",
        "write sender = and your address, or leave the lists and the mail addresses out",
    ),
    "access.proposals": Rule(
        "Your account may push the branches of the pull requests that this release opens.",
        "ask for the right to write to that repository; or open the pull request by hand that day",
        severity=_WARN,
    ),
    "access.protection": Rule(
        "The branch is protected and its protection can be read, so that it can be restored.",
        "ask an administrator of the repository",
    ),
    "access.push": Rule(
        "Every remote accepts a push: one of the tag's name is tried, without any effect.",
        "check that remote's address and your rights there",
    ),
    "access.rulesets": Rule(
        "No rule of a ruleset refuses the pushes of this release.",
        "ask an administrator of the repository to let release managers bypass it",
        milder=(_NOTE,),
    ),
    "access.sigstore": Rule(
        "Sigstore's roots of trust are known, and so is where the identity token will be.",
        'write sigstore = "file:~/sigstore-token", where the identity token will be',
    ),
    "announcement.text": Rule(
        "The announcement is complete, about this release alone, and of a form that the forum "
        "accepts.",
        _EDIT,
    ),
    "base.is_upstreams_head": Rule(
        "The base is the commit that upstream's branch has now.",
        "fetch upstream and release from its branch, or name the commit in [repository] base",
        milder=(_WARN,),
    ),
    "base.only_here": Rule(
        "Every commit of the base is in upstream's branch.",
        "have them merged upstream, or release from another [repository] base",
        waivable=False,
    ),
    "base.picked": Rule(
        "Every cherry-pick does what a commit of upstream does, and nothing else.",
        "have it merged upstream, or take it out of [repository] cherry_picks",
        waivable=False,
    ),
    "blockers.advisories": Rule(
        "Candidates and finals: no accepted security advisory is open without a word of the Python "
        "Security Response Team.",
        "ask the Python Security Response Team which this release has to wait for; the team itself "
        "announces each at security-announce@python.org and closes it",
        severity=_WARN,
    ),
    "blockers.deferred": Rule(
        "Candidates and finals: no deferred blocker is open any more.",
        "resolve it, or take the label off on the tracker",
    ),
    "blockers.release": Rule("No open issue or pull request blocks this release.", _TRACKER),
    "brought.approved_only": Rule(
        "Something other than the expert's approval gives the digest of every file.",
        "ask the expert for a signed manifest, if their approval alone is not enough for you; the "
        "release goes on without one",
        severity=_NOTE,
    ),
    "brought.kind": Rule(
        "Every installer, package and archive begins as a file of its kind does.",
        f"ask who made it for a whole one; {_ANEW}",
    ),
    "brought.lacks": Rule(
        "Beside every installer and archive of Windows is its SBOM; up to 3.13 beside every "
        "installer and embeddable package its OpenPGP signature.",
        f"ask who made it for what is missing; {_ANEW}; or waive brought.lacks: users then go "
        "without",
    ),
    "brought.signer": Rule(
        "Every installer is signed by the Python Software Foundation, and unchanged since.",
        f"ask who made it for a signed one; {_ANEW}",
    ),
    "brought.unexpected": Rule(
        "The public folder has no file of this release that nobody promised or adopted.",
        f"ask its owner to remove it, or what it is for; if it came after the others: {_ANEW}",
    ),
    "brought.unproved": Rule(
        "Every promised file of Windows has a digest from the pipeline or from a signed manifest.",
        f"have the expert put a signed manifest of them into their inbox; {_ANEW}; or waive "
        "brought.unproved: then their approval is all there is",
    ),
    "brought.unseen": Rule(
        "The files of experts and of the pipeline can be read.",
        "check that the host answers, then run the same command again",
        milder=(_NOTE,),
    ),
    "brought.untrue": Rule(
        "The manifest of the install manager and every SBOM are right about the other files.",
        f"ask who made it for one that is right; {_ANEW}",
    ),
    "brought.unverified": Rule(
        "The signatures inside the installers were verified.",
        "install what the finding names, or look at it yourself: signtool verify /pa on Windows, "
        "pkgutil --check-signature on macOS",
        severity=_NOTE,
    ),
    "builders.offline": Rule(
        "Every stable builder has a worker connected.",
        "inform its owner; the release need not wait",
        severity=_WARN,
        milder=(_NOTE,),
    ),
    "builders.red": Rule(
        "The last build of every stable builder of tier 1 and 2 was good.",
        _BUILDBOTS,
        milder=(_NOTE,),
    ),
    "builders.tier": Rule(
        "Every stable builder is of tier 1, 2 or 3 or of none, so that it can be judged.",
        f"{_BUILDBOTS} whether it holds up a release",
        milder=(_WARN,),
    ),
    "cdn.one_edge": Rule(
        "More than one edge of the CDN can be checked.",
        "name more of them in [hosts] cdn_edges",
        severity=_NOTE,
    ),
    "cdn.unreachable": Rule(
        "Every edge of the CDN that will be checked answers, before anything depends on it.",
        "correct [hosts] cdn_edges, or run the same command again",
    ),
    "ci.attested": Rule(
        "Each file of the artifacts that [farm] attested names comes with GitHub's attestation.",
        "run its job again at GitHub; or take its artifact out of [farm] attested",
        milder=(_NOTE,),
    ),
    "ci.base_commit": Rule(
        "The newest run of build.yml for the base commit passed; for a release, else that of the "
        "first commit after it that has one.",
        "wait until CI has run for it, or release from the last commit that it passed",
        milder=(_NOTE,),
    ),
    "ci.differs": Rule(
        "The source archives of CI are byte for byte those of `doit export`.",
        f"compare the two with diffoscope; have the wrong one built again, {_FETCH}",
        waivable=False,
    ),
    "ci.missing": Rule(
        "The source archives of CI can be compared with those of `doit export`.",
        f"see the run of CI for this tag, {_FETCH}",
    ),
    "ci.package": Rule(
        "Each package for Android and iOS opens, and its headers are of this version.",
        f"see the job of CI that built it, and have it built again, {_FETCH}",
    ),
    "ci.unknown": Rule(
        "Every file that CI built is one that the release publishes, or documentation.",
        "if it belongs to the release, add its line to plugins/model/binaries.py; if not, waive "
        "ci.unknown",
    ),
    "clone.branch": Rule(
        "The base is of the version's series and before it, by its patchlevel.h.",
        "check version, and [repository] clone and base",
    ),
    "clone.future": Rule(
        "The last commit of the base is not of the future.",
        "set this machine's clock right, or ask who made that commit",
    ),
    "clone.identity": Rule(
        "Git knows whose name the release commit and the tag will carry.",
        "set user.name and user.email in the clone",
    ),
    "clone.stale": Rule(
        "The last commit of the base is a recent one.",
        "git fetch --all in the clone; if nothing is new, nothing is wrong",
        severity=_WARN,
    ),
    "clone.unreadable": Rule("The clone can be read.", "check [repository] clone"),
    "docs.next": Rule(
        "No `versionadded:: next` is left in the documentation.",
        "name the version there on the branch; or delete the release clone and run the same "
        "command again: it is made anew",
    ),
    "docs.none": Rule(
        "The release has documentation archives.",
        "leave formats out of release.toml to have them all",
        severity=_WARN,
    ),
    "docs.python": Rule(
        "Some Python of this machine can run the tree's own documentation tools.",
        "install the one that the finding names",
    ),
    "docs.unapproved": Rule(
        "The release manager has signed the lock that the documentation's tools come from.",
        "read it, put it where [docs] lock says, and sign it there",
        waivable=False,
    ),
    "docs.unlocked": Rule(
        "Each package that builds the documentation is named by its hash.",
        "name a file in [docs] lock",
        severity=_WARN,
    ),
    "experts.macos": Rule(
        "The macOS expert is named in release.toml, or their files come later.",
        "name the expert, or waive experts.macos: the files then come later",
    ),
    "experts.windows": Rule(
        "The Windows expert is named in release.toml, or their files come later.",
        "name the expert, or waive experts.windows: the files then come later",
    ),
    "forms.changed": Rule(
        "The forms of CI and of the Windows build are those that this tool fills in.",
        "correct plugins/model/windows_build.py by what the form says now, or waive "
        "forms.changed and fill it in by hand",
    ),
    "forms.owner": Rule(
        "The workflow that builds the tag offers the fork's owner as a remote.",
        "add the owner to git_remote there, or release from a fork that it offers",
    ),
    "forms.unseen": Rule(
        "The forms of CI and of the Windows build can be read.",
        "check python/release-tools, then run the same command again",
    ),
    "hosts.clock": Rule(
        "The host's clock and this machine's agree.",
        "find out which of the two is wrong, and inform the host's administrators",
        severity=_WARN,
    ),
    "hosts.group": Rule(
        "You are a member of the group that owns the host's files.",
        "ask the host's administrators to add you to it",
    ),
    "hosts.login": Rule("The host accepts your login.", "try it with ssh, and check [hosts]"),
    "hosts.other_owner": Rule(
        "What colleagues put into the release's folders has the right mode and group.",
        "only the owner can change it: ask for the `chmod` that the finding names",
    ),
    "hosts.rights": Rule(
        "You can make, rename and delete files in each folder; the host is asked, nothing is "
        "tried.",
        "ask the folder's owner or the host's administrators for its group and g+rwxs on it",
        milder=(_WARN, _NOTE),
    ),
    "hosts.space": Rule(
        "The host has room for what is still to come of the release's files, and a tenth more.",
        "ask the host's administrators for more space",
    ),
    "key.absent": Rule(
        "The signing key is in the keyring.",
        "set [signing] gpg_key and gnupg_home; gpg --list-secret-keys shows what is there",
    ),
    "key.expired": Rule("The signing key has not expired.", "extend it, then publish it again"),
    "key.expiring": Rule(
        "The signing key will not expire soon.", "extend it, then publish it again"
    ),
    "key.revoked": Rule("The signing key is not revoked.", "name another key in [signing] gpg_key"),
    "key.secret": Rule(
        "The secret part of the signing key is here.",
        "insert its smart card, or import the secret key",
    ),
    "key.uncertified": Rule(
        "Somebody else, whose key is in the keyring, has certified the signing key.",
        "import the keys of other release managers, or ask one of them to certify it",
        severity=_NOTE,
    ),
    "manager.channel": Rule(
        "The release manager is where everybody talks on the day of a release; asked once.",
        "say so in the file that [manager] said names, or ask another release manager for an "
        "invitation",
        "PEP 101",
        severity=_NOTE,
    ),
    "manager.identity": Rule(
        "The table of release-tools has the series with the identity that signs its bundles.",
        "have the series put into that table by a pull request, or correct [signing] "
        "sigstore_identity",
        "python/release-tools b151f47",
        severity=_WARN,
    ),
    "manager.list": Rule(
        "The release manager reads the private list of release managers; asked once.",
        "say so in the file that [manager] said names, or ask another release manager to add you",
        "PEP 101",
        severity=_NOTE,
    ),
    "manager.page": Rule(
        "The page by which users verify bundles has the series with the identity that signs them.",
        "have the series put into that page by an editor of python.org, or correct [signing] "
        "sigstore_identity",
        "python.org/downloads/metadata/sigstore; sigstore/sigstore-python#600",
        severity=_WARN,
    ),
    "manager.pep": Rule(
        "PEP 101 has the address of whoever signs the series among the release managers.",
        "add yourself there by a pull request, and to .github/CODEOWNERS",
        "python/peps 03bdeb3d9",
        severity=_NOTE,
    ),
    "manager.unread": Rule(
        "What says who manages the series can be read: tables, pages, and your own file.",
        "correct the file that [manager] said names, or run the same command again",
    ),
    "news.empty": Rule(
        "This version's NEWS has an entry.",
        "merge the entries that are missing into the branch; if nothing changed, this is as it has "
        "to be",
        milder=(_WARN,),
    ),
    "news.garbled": Rule(
        "Every entry of the base is in this version's NEWS, with every line that has a meaning.",
        "write it in paragraphs of prose on the branch: blurb keeps the lines of a list's items "
        "and of one block behind a double colon, and of nothing else",
    ),
    "public.closed": Rule(
        "Every promised file can be read by everybody and written by its owners alone.",
        "ask its owner or the host's administrators for chmod 644",
        milder=(_WARN,),
    ),
    "public.differs": Rule(
        "Every promised file is the one that was judged.",
        "publish no page; find out who changed it, and have the file that was judged put back",
        waivable=False,
    ),
    "public.missing": Rule(
        "Every promised file is in the public folder.",
        "publish no page; find out who removed it, and have it put back",
    ),
    "public.unjudged": Rule(
        "Every promised file was judged before it is shown.",
        f"find out who uploaded it; {_ANEW}",
        waivable=False,
    ),
    "public.unseen": Rule(
        "The public folder can be read.",
        "check that the host answers, then run the same command again",
    ),
    "release.pep": Rule(
        "The PEP of the series is the one that release-cycle.json gives today.",
        "write release_pep = and the number that the finding names",
    ),
    "phase.current": Rule(
        "The branch is in the phase right before the one that begins, or in that one already.",
        "check kind and version; if the schedule is wrong, have it corrected there",
        source="devguide, development-cycle.rst",
    ),
    "phase.moment": Rule(
        "It is time, and was on the declared day, which is past: X.Y.0 is out, no bugfix release "
        "is expected any more, or the last day of support is over.",
        "wait until then, or have the day changed in the schedule of the PEPs; correct date in "
        "release.toml if it is wrong",
        source="python-releases.toml of python/peps: first-release, end-of-bugfix, end-of-life",
    ),
    "phase.words": Rule(
        "The announcement has a title of one line that names the series, and a text below it.",
        _EDIT,
    ),
    "release.phase": Rule(
        "The phase of the branch is the one that release-cycle.json gives today.",
        "have it corrected in the PEPs' repository, or waive release.phase",
        milder=(_WARN,),
    ),
    "schedule.day": Rule(
        "The day of the release is the one that the schedule expects, and no earlier than the "
        "day of the hour until which a train is kept back.",
        "write date =, or release on that day; if the release was not planned, write "
        "unplanned = true under [series]",
        severity=_WARN,
    ),
    "schedule.hour": Rule(
        "A tag that is handed over now can be built before the evening of each expert.",
        "agree with the expert on the hour, or hand the tag over in the morning",
        "PEP 101",
        severity=_WARN,
    ),
    "schedule.last_bugfix": Rule(
        "After the last bugfix release of the schedule, the next phase is declared.",
        'write becomes = "security", or leave it if another bugfix release comes',
        severity=_WARN,
    ),
    "schedule.next_series": Rule(
        "The first beta of a series, and alphas from 14 weeks before it: the schedule has the "
        "series that main becomes.",
        "in an alpha, write manager, login and pep under [next_series], and propose_series asks "
        "for it; in the beta, have it added there with its PEP, date_pep waits for it",
        severity=_WARN,
    ),
    "schedule.released": Rule(
        "The schedule does not say that this version was released on another day.",
        "if it is the same release, write date =; if not, write the version that it is",
    ),
    "site.admin": Rule(
        "The site's admin accepts your login and has a form that you may save, unless the text "
        "is saved by hand.",
        "ask the site's administrators",
    ),
    "site.draft_found": Rule(
        "The site has no draft of this release.",
        "nothing, if it is yours; if it is not, delete it in the site's admin",
        severity=_NOTE,
    ),
    "site.login": Rule(
        "The site accepts your API key and lets you write.", "check [credentials], and your rights"
    ),
    "site.name_taken": Rule(
        "No public release has this name or address, and at most one draft does.",
        "delete those that are wrong in the site's admin, then run the same command again",
    ),
    "site.replaced": Rule(
        "Every row has the digest of the file that was judged.",
        "find out who changed it, and have the file that was released put back",
        waivable=False,
    ),
    "site.rows": Rule(
        "Every listed file has one row, with the size and digest of what the host has; no other "
        "file has one.",
        _ADMIN,
    ),
    "site.shown": Rule(
        "The pages that the site makes itself name this release, if it is the latest or the "
        "newest.",
        "open the release in the site's admin and save it as it is, so that the site makes its "
        "boxes again",
    ),
    "site.systems": Rule(
        "The site has a record of each operating system that files will be listed under.",
        "ask the site's administrators to add it, then run the same command again",
    ),
    "site.text": Rule(
        "The edited text is complete, about this release alone, and says what users have to read.",
        _EDIT,
    ),
    "source.attributes": Rule(
        "No .gitattributes makes the archives leave a file out or hold other bytes than committed.",
        "take it out on the branch: the archives are the tag's tree, and nothing else",
        waivable=False,
    ),
    "source.autoconf": Rule(
        "`configure` was made with the autoconf that the branch agreed on.",
        "make it again on the branch with that autoconf",
    ),
    "source.configure": Rule(
        "autoconf makes the tree's `configure` again, byte for byte.",
        "see made/configure.diff; if it matters, commit made/configure/configure on the branch",
        severity=_WARN,
        milder=(_NOTE,),
    ),
    "source.copyright": Rule(
        "The PSF's copyright notice gives this year in every file that gives a last year.",
        "correct it on the branch: only the first release of a year does it by itself",
        severity=_WARN,
    ),
    "source.dirty": Rule(
        "The files of the release clone are those of the commit, with nothing else.",
        "nobody should work there; undo it by the two commands that the finding has",
        waivable=False,
    ),
    "source.file_name": Rule(
        "Every file of the archives can be unpacked on Windows and macOS, beside all others.",
        "rename it on the branch with git mv",
    ),
    "source.magic": Rule(
        "Compiled files begin with one magic number, wherever the tree gives it.",
        "correct it on the branch, in the files that the finding names",
        milder=(_WARN,),
    ),
    "source.unexpected": Rule(
        "The release commit changes what a release changes, and no code.",
        "find out what made the change; delete the release clone and run the same command again",
        waivable=False,
    ),
    "source.unreadable": Rule(
        "The tree can be read.",
        "delete the release clone and run the same command again: it is made anew",
    ),
    "source.version": Rule(
        "Every place that gives the version gives this one.", "correct it on the branch"
    ),
    "tag.exists": Rule(
        "No tag of this name names anything but this release.",
        "if that tag was never pushed, delete it there; if it was pushed, the version is taken",
        waivable=False,
    ),
    "tests.none": Rule(
        "The source archives are built and tested.", 'write source = "full"', severity=_WARN
    ),
    "text.address": Rule("Every address in the text is one of this release.", _EDIT),
    "text.digest": Rule("Every digest in the text is that of a file of this release.", _EDIT),
    "text.gap": Rule("The text has no gap that is still to be filled in.", _EDIT),
    "text.leftover": Rule(
        "The text has nothing left of its template, and nothing that reads differently from what"
        " it is.",
        _EDIT,
    ),
    "text.security": Rule(
        "Every security fix in the text is in section Security of this version's NEWS.",
        _EDIT,
        milder=(_WARN,),
    ),
    "text.security_missing": Rule(
        "The text has every security fix of this version's NEWS.",
        _IF_MEANT,
        severity=_WARN,
    ),
    "text.series": Rule("The text names no other series of Python.", _IF_MEANT, severity=_WARN),
    "text.version": Rule(
        "The text names no other version of Python.",
        "correct the text; if the version belongs there, write it under [announce] versions in "
        "release.toml",
    ),
    "tools.altered": Rule(
        "No file of this tool differs from its version, and nothing else could be imported.",
        "unpack the archive of the version again, or use a clone of its tag",
        waivable=False,
    ),
    "tools.packages": Rule(
        "Each package that is installed here is of the version that requirements.lock names, and "
        "as it was installed.",
        "run rm -rf .venv && make setup",
        severity=_WARN,
    ),
    "tools.unreleased": Rule(
        "What runs is a version of this tool that its maintainers signed.",
        "for a release, check out a signed tag of a version",
        severity=_NOTE,
    ),
    "tools.changed": Rule(
        "This tool runs as one of its commits has it, so that others can run the very same.",
        "commit the changes",
        severity=_WARN,
    ),
    "tools.compiler": Rule("A C compiler is here and works.", "install one"),
    "tools.missing": Rule(
        "Every program that this release will run is here.", "install it", milder=(_WARN,)
    ),
    "tools.old": Rule(
        "Every program that this release will run is new enough.",
        "install the version that the finding names, or a later one",
        milder=(_WARN,),
    ),
    "tools.unconfined": Rule(
        "The tree's own programs, and packages that it is built with, are run confined.",
        "install bubblewrap, or waive tools.unconfined in release.toml, with a reason",
        milder=(_NOTE,),
    ),
    "version.not_next": Rule(
        "The version is one that may follow the newest tag of its series.",
        "write the version that comes next, or git fetch --tags upstream in the clone",
    ),
    "windows.busy": Rule(
        "No other run of the Windows pipeline is about to publish.",
        "wait until it has ended: the install manager's feed has one writer at a time",
        severity=_WARN,
    ),
    "tests.platform": Rule(
        "The sources passed their tests on every platform that [farm] names.",
        "test them there by hand, then waive tests.platform",
        source="PEP 11: tier 1",
        milder=(_NOTE,),
    ),
    "tests.unproven": Rule(
        "Every test result from another machine is backed by a stored attestation.",
        "doit forget await_tests, then the same command: it is fetched again",
        milder=(_NOTE,),
    ),
    "docs.unproven": Rule(
        "Documentation that another machine built is, byte for byte, what its attestation names.",
        "doit forget fetch_docs, then the same command: it is fetched again",
        milder=(_NOTE,),
        waivable=False,
    ),
    "windows.job": Rule(
        "The Windows build ran every job that builds, packs and tests what this series ships.",
        "look at the run: a box of its form was left empty; "
        "if the Windows expert needs it, another run with it is to be started",
        "python/release-tools, windows-release/azure-pipelines.yml",
        severity=_WARN,
    ),
    "windows.tests": Rule(
        "No test of the Windows build was skipped.",
        "look at the run: its variable SkipTests was set; "
        "if the Windows expert needs the tests, another run without it is to be started",
        "python/release-tools, windows-release/stage-test-msi.yml",
        severity=_WARN,
    ),
    "windows.unseen": Rule(
        "The jobs of the Windows build can be read.", "look at the run's page, then run this again"
    ),
    "work.space": Rule(
        "The disk of the work folder has room for all that a release makes.",
        "make room there, or write another [work] folder",
    ),
}
"""Every rule of the gates alone, by its id."""
