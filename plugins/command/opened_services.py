"""Every service that a release uses, opened at first use.

Making the services connects to nothing and imports nothing heavy; ``doit list`` works on a train.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

from doit_receipts.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from doit_receipts.clock import Clock
    from doit_receipts.orphaned_processes import ProgramSlots
    from doit_receipts.placing import Box, Placed
    from doit_receipts.run_context import StepLog
    from plugins.model.release import Release
    from plugins.model.settings import Settings
    from plugins.ports.builders import Builders
    from plugins.ports.caches import Cdn
    from plugins.ports.email import Mail
    from plugins.ports.forum import Forum
    from plugins.ports.git import Base, Clone, Remote
    from plugins.ports.github import CommitChecks, Proposals, Repositories, Reservations, Tracker
    from plugins.ports.host import Host
    from plugins.ports.machines import Machines
    from plugins.ports.packages import Packages
    from plugins.ports.person import Person
    from plugins.ports.pipeline import Pipeline
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.public import History, PublicClient, PublicSite
    from plugins.ports.sbom import PackageIndex, Sboms
    from plugins.ports.schedules import Schedules
    from plugins.ports.signing import Keyring, Signer
    from plugins.ports.site import Site
    from plugins.ports.templates import Templates
    from plugins.ports.workers import Workers
    from plugins.services.github import GitHub
    from plugins.services.sigstore_client import SigstoreClient

__all__ = ["Services"]

_Port = TypeVar("_Port")
_OWN: Final = "the tool's own"


def _late(
    setting: str, shown: str = _OWN, *, together: bool = False, only_read: bool = False
) -> Callable[[Callable[[Services], _Port]], cached_property[_Port]]:
    """A property whose port is opened when it is used, and not when dodo.py names it.

    A listing names every port and uses none, so it loads no service. ``setting`` is what the
    port depends on, such as ``hosts.site``: a receipt identifies its call by that, or else by
    ``shown``. Whoever looks at several things at once may ask a port ``together`` by all of them.
    A step that changes things changes nothing behind a port that is ``only_read``.
    """

    def decorate(open_: Callable[[Services], _Port]) -> cached_property[_Port]:
        def later(services: Services) -> _Port:
            value: object = services._settings  # noqa: SLF001 - this is a part of the class
            for name in filter(None, setting.split(".")):
                value = getattr(value, name)
            # By the setting and its value alone, which are public, and not by a name of ours.
            name = f"{setting}={value}" if setting else shown
            # What has no setting is shown alike, and is not one and the same thing for that.
            port = _Later(
                name,
                open_.__name__ if name == _OWN else name,
                lambda: open_(services),
                together=together,
                only_read=only_read,
            )
            return cast("_Port", port)

        later.__doc__ = open_.__doc__
        return cached_property(later)

    return decorate


class _Later:
    """Takes the place of a port until its first use."""

    def __init__(
        self,
        shown: str,
        resource: str,
        open_: Callable[[], object],
        *,
        together: bool,
        only_read: bool,
    ) -> None:
        self._shown = shown
        self._resource = resource
        self._only_read = only_read
        self._open = open_
        self.together = together
        self._port: object = None

    def __repr__(self) -> str:
        return self._shown

    @property
    def resource(self) -> str:
        """What tasks share that are given it: many may look, and one alone may change it."""
        return self._resource

    @property
    def only_read(self) -> bool:
        """Whether nobody changes anything by it, so that others may read meanwhile."""
        return self._only_read

    def __getattr__(self, name: str) -> Any:
        if self._port is None:
            self._port = self._open()
        return getattr(self._port, name)


class Services:
    """The ports of one release; each attribute is named after its port."""

    def __init__(self, settings: Settings, release: Release, log: StepLog, clock: Clock) -> None:
        self._settings = settings
        self._release = release
        self._log = log
        self._slots: ProgramSlots | None = None
        self.clock = clock

    def lend(self, slots: ProgramSlots) -> None:
        """Programs that are started from now on each take one of the slots."""
        self._slots = slots

    @property
    def progress(self) -> Progress:
        """Where long work says what it is doing."""
        return self._log

    @cached_property
    def programs(self) -> Programs:
        """The programs of this machine."""
        from plugins.services.programs import MachinePrograms

        return MachinePrograms(
            self._log.record,
            lambda: self._slots.take() if self._slots else None,
            may_be_unconfined=self._may_be_unconfined,
        )

    def _may_be_unconfined(self) -> bool:
        """Whether foreign code may run unconfined where it has to: a toy's is our own."""
        today = self.clock.now().date()
        waivers = self._settings.waivers
        waived = any(each.rule == "tools.unconfined" and each.holds(today) for each in waivers)
        return self._release.is_toy or waived

    @cached_property
    def base(self) -> Base:
        """The release manager's own clone, only ever read."""
        from plugins.services.git_base import GitBase

        repository = self._settings.repository
        return GitBase(
            repository.clone,
            self.programs,
            branch=self._release.branch,
            wanted=repository.base,
            upstream=repository.upstream,
            public=self._public_base,
        )

    def _public_base(self) -> str:
        """What a release was made from whose tag was pushed to the fork; "" before it was.

        Whoever fetches later, an editor by itself or a person who merges by hand, does not make
        another release of it; nor does who deletes the tag there, as no listing asks the fork.
        """
        from doit_receipts.receipt import Receipt

        layout = self._release.layout
        pushed = layout.receipt("push_fork").exists()
        made = Receipt.read(layout.receipt("make_clone")) if pushed else None
        return made.facts.get("base", "") if made else ""

    @_late("", shown="clone", together=True)
    def clone(self) -> Clone:
        """The release clone."""
        from plugins.services.git_clone import GitClone

        return GitClone(self._release.layout.clone, self.programs)

    @_late("", shown="clone", together=True, only_read=True)
    def clone_to_read(self) -> Clone:
        """The release clone, for a step that pushes what is in it and leaves it as it is."""
        return self.clone

    @_late("signing.gpg_key")
    def signer(self) -> Signer:
        """OpenPGP with the release manager's key."""
        from plugins.services.gnupg_signer import GnupgSigner

        signing = self._settings.signing
        return GnupgSigner(signing.gnupg_home, signing.gpg_key)

    @_late("signing.gnupg_home")
    def verifier(self) -> Keyring:
        """OpenPGP with everybody's public keys."""
        from plugins.services.gnupg_signer import GnupgKeyring

        return GnupgKeyring(self._settings.signing.gnupg_home)

    @_late("signing.sigstore_trust")
    def sigstore(self) -> SigstoreClient:
        """Sigstore, by whose bundles everybody knows who signed what."""
        from plugins.services.sigstore_client import SigstoreClient

        settings = self._settings
        return SigstoreClient(settings.signing.sigstore_trust, settings.credentials.sigstore)

    @_late("", only_read=True)
    def sboms(self) -> Sboms:
        """The maker of software bills of materials."""
        from plugins.services.spdx import SpdxDocuments

        return SpdxDocuments()

    @_late("", only_read=True)
    def index(self) -> PackageIndex:
        """Where pip and what it carries are published."""
        from plugins.services.package_index import SimpleIndex

        return SimpleIndex(self._settings.hosts.packages, self.programs)

    @_late("", only_read=True)
    def templates(self) -> Templates:
        """The texts that come with this tool."""
        from plugins.services.templates import PackagedTemplates

        return PackagedTemplates()

    # ── git, elsewhere ──────────────────────────────────────────────────────────────────────

    @_late("repository.fork", together=True)
    def fork(self) -> Remote:
        """The release manager's fork, where the release is built before users see it."""
        return self._remote(self._settings.repository.fork, "fork")

    @_late("repository.upstream", together=True)
    def upstream(self) -> Remote:
        """The repository that users see."""
        return self._remote(self._settings.repository.upstream, "upstream")

    @_late("")
    def remotes(self) -> Mapping[str, Remote]:
        """Fork and upstream by their roles: where others may have seen a tag of ours.

        A receipt does not record their addresses: what was made stays as it was made.
        """
        return {"fork": self.fork, "upstream": self.upstream}

    @_late("")
    def upstream_alone(self) -> Mapping[str, Remote]:
        """Upstream by its role, for a tag that is on no fork."""
        return {"upstream": self.upstream}

    def _remote(self, address: str, setting: str) -> Remote:
        from plugins.services.git_remote import GitRemote

        if not address:
            example = f'{setting} = "git@github.com:me/cpython.git"'
            return cast("Remote", _Undeclared(f"[repository] {setting}", example))
        return GitRemote(
            self._located(address), self.programs, ssh_config=self._settings.hosts.ssh_config
        )

    def _located(self, address: str) -> str:
        """A path is relative to the file that declares it, as every path there."""
        if address.startswith(("./", "../")):
            return str((self._settings.file.parent / address).resolve())
        return address

    @_late("")
    def merge_clone(self) -> Clone:
        """A second clone of the release's own, where it is merged back."""
        from plugins.services.git_clone import GitClone

        return GitClone(self._release.layout.merge_clone, self.programs)

    # ── GitHub and the builders ─────────────────────────────────────────────────────────────

    @_late("hosts.github")
    def github(self) -> GitHub:
        """Upstream at GitHub: its issues, labels and the protection of its branches."""
        return self._github("python/cpython")

    @_late("hosts.github")
    def reservations(self) -> Reservations:
        """Upstream's rulesets, as far as a release makes any."""
        from plugins.services.github_rulesets import GitHubRulesets

        settings = self._settings
        return GitHubRulesets(settings.hosts.github, "python/cpython", settings.credentials.github)

    @_late("hosts.github")
    def tracker(self) -> Tracker:
        """Issues, pull requests and labels of upstream, changed by the hundred."""
        from plugins.services.github_tracker import GitHubTracker

        settings = self._settings
        pause_s = 0.0 if settings.work.rehearsal else 1.0
        return GitHubTracker(
            settings.hosts.github, "python/cpython", settings.credentials.github, pause_s=pause_s
        )

    @_late("hosts.github")
    def workflows(self) -> GitHub:
        """The repository whose workflows build a release."""
        return self._github("python/release-tools")

    @_late("farm.repository")
    def machines(self) -> Machines:
        """The workflow that runs steps on other machines."""
        from plugins.services.github_machines import GitHubMachines

        farm, token = self._settings.farm, self._settings.credentials.github
        return GitHubMachines(
            self._settings.hosts.github,
            farm.repository,
            token,
            workflow=farm.workflow,
            ref=farm.ref,
        )

    @_late("farm.workers")
    def workers(self) -> Workers:
        """Other people's machines, which make the archives again."""
        from plugins.services.ssh_workers import SshWorkers

        settings = self._settings
        return SshWorkers(settings.farm.workers, ssh_config=settings.hosts.ssh_config)

    def _github(self, repository: str) -> GitHub:
        from plugins.services.github import GitHub

        return GitHub(self._settings.hosts.github, repository, self._settings.credentials.github)

    @_late("announce.blog")
    def blog(self) -> Proposals:
        """The repository of the blog, which takes pull requests."""
        return self._proposals(self._settings.announce.blog, "blog")

    @_late("announce.blog", only_read=True)
    def blog_checks(self) -> CommitChecks:
        """What GitHub Actions say of the blog's commits: its checks, and its deployment."""
        return self._github(self._settings.announce.blog)

    @_late("hosts.blog")
    def blog_reader(self) -> PublicClient:
        """An anonymous client that readers of the blog are."""
        return self.public_client

    @_late("announce.peps")
    def peps(self) -> Proposals:
        """The repository of the PEPs."""
        return self._proposals(self._settings.announce.peps, "peps")

    def _proposals(self, repository: str, setting: str) -> Proposals:
        from plugins.services.github_proposals import GitHubProposals

        if not repository:
            example = f'{setting} = "python/{setting}"'
            return cast("Proposals", _Undeclared(f"[announce] {setting}", example))
        return GitHubProposals(
            self._settings.hosts.github, repository, self._settings.credentials.github
        )

    @_late("hosts.peps")
    def schedules(self) -> Schedules:
        """Branches and releases as peps.python.org publishes them."""
        from plugins.services.peps import PublishedSchedules

        return PublishedSchedules(self._settings.hosts.peps)

    @_late("hosts.buildbots")
    def builders(self) -> Builders:
        """CPython's buildbots."""
        from plugins.services.buildbot import Buildbot

        return Buildbot(self._settings.hosts.buildbots, self._settings.credentials.buildbots)

    @_late("hosts.azure")
    def pipeline(self) -> Pipeline:
        """The pipeline that builds for Windows."""
        from plugins.services.azure import AzurePipeline

        return AzurePipeline(self._settings.hosts.azure, self._settings.credentials.azure)

    @_late("hosts.nuget")
    def packages(self) -> Packages:
        """The index of packages that the pipeline publishes to."""
        from plugins.services.nuget import NuGet

        return NuGet(self._settings.hosts.nuget)

    @_late("hosts.github")
    def release_tools(self) -> Proposals:
        """The repository whose forms start the builds."""
        from plugins.services.github_proposals import GitHubProposals

        settings = self._settings
        repository = "python/release-tools"
        return GitHubProposals(settings.hosts.github, repository, settings.credentials.github)

    @_late("hosts.github")
    def buildmaster(self) -> Proposals:
        """The repository that configures the buildbots."""
        return self._proposals("python/buildmaster-config", "")

    @_late("hosts.github")
    def devguide(self) -> Proposals:
        """The repository of the developer's guide."""
        return self._proposals("python/devguide", "")

    @_late("hosts.github")
    def repositories(self) -> Repositories:
        """Public repositories of others, to be read."""
        from plugins.services.github_proposals import GitHubRepositories

        return GitHubRepositories(self._settings.hosts.github, self._settings.credentials.github)

    # ── what users fetch and see ────────────────────────────────────────────────────────────

    @_late("hosts.downloads")
    def downloads(self) -> Host:
        """The host whose files users download."""
        return self._host("downloads", served=True)

    @_late("hosts.docs")
    def docs_host(self) -> Host:
        """The host of the documentation's pages."""
        return self._host("docs")

    def _host(self, setting: str, *, served: bool = False) -> Host:
        from plugins.services.opened_host import open_host
        from plugins.services.told_host import ToldHost

        hosts = self._settings.hosts
        address = getattr(hosts, setting)
        if not address:
            example = f'{setting} = "ssh://me@{setting}.example/srv"'
            return cast("Host", _Undeclared(f"[hosts] {setting}", example))
        opened = open_host(
            address,
            getattr(hosts, f"{setting}_group"),
            ssh_config=hosts.ssh_config,
            setting=setting,
        )
        return cast("Host", ToldHost(self._served(opened) if served else opened))

    def _served(self, host: Host) -> Host:
        """The host, with what users get of its folders that are closed to our group."""
        from plugins.model.promise import contract_of, parts_folders
        from plugins.services.served_host import ServedHost

        release = self._release
        folders, contract = parts_folders(release), contract_of(release)
        return cast(
            "Host", ServedHost(host, lambda: self._visitor("served.json"), folders, contract)
        )

    @_late("hosts.site")
    def site(self) -> Site:
        """The website."""
        from plugins.services.site import PythonOrg

        credentials = self._settings.credentials
        return PythonOrg(self._settings.hosts.site, credentials.site, credentials.site_admin)

    @_late("hosts.cdn")
    def cdn(self) -> Cdn:
        """The caches between hosts and users."""
        from plugins.services.cdn import Caches

        hosts = self._settings.hosts
        return Caches(hosts.cdn, hosts.docs_cdn, hosts.cdn_edges, self._settings.credentials.cdn)

    # ── what everybody may see ──────────────────────────────────────────────────────────────

    @_late("hosts.cdn")
    def public_client(self) -> PublicClient:
        """An anonymous client, from every endpoint that there is."""
        return self._visitor("visits.json")

    def _visitor(self, memory: str) -> PublicClient:
        from plugins.services.anonymous_client import AnonymousClient

        hosts, file = self._settings.hosts, self._release.layout.work / "verify" / memory
        return AnonymousClient(hosts.cdn, hosts.docs_cdn, hosts.cdn_edges, file, blog=hosts.blog)

    @_late("hosts.site")
    def public_site(self) -> PublicSite:
        """The public API of the website, without a secret."""
        from plugins.services.site_reader import SiteReader

        return SiteReader(self.public_client)

    @_late("", only_read=True)
    def upstream_now(self) -> History:
        """Upstream as it is at that moment; a receipt does not record its address."""
        return self.history

    @_late("repository.upstream")
    def history(self) -> History:
        """Upstream, in a repository of the verification's own."""
        from plugins.services.git_history import GitHistory, address_for_all

        repository = self._settings.repository
        folder = self._release.layout.work / "verify" / "upstream"
        upstream = self._remote(address_for_all(repository.upstream), "upstream")
        return GitHistory(folder, upstream, repository.clone, self.programs)

    @_late("", together=True)
    def person(self) -> Person:
        """What the release manager has said once about themselves."""
        from plugins.services.person import OwnFile

        return OwnFile(self._settings.manager.said)

    # ── announcements ─────────────────────────────────────────────────────────────────────────

    @_late("hosts.mail")
    def mail(self) -> Mail:
        """The server that sends our email."""
        return self._mail()

    def _mail(self, **patience: float) -> Mail:
        from plugins.services.mail_server import MailServer

        address = self._settings.hosts.mail
        if not address:
            example = 'mail = "smtps://smtp.example.org"'
            return cast("Mail", _Undeclared("[hosts] mail", example))
        return MailServer(address, self._settings.credentials.mail, **patience)

    @property
    def notify(self) -> Callable[[str, str], Iterable[str]] | None:
        """Tells people of a run, as release.toml says; None where it names nobody."""
        declared = self._settings.notify
        if not (declared.command or declared.mail or declared.webhook):
            return None

        def tell(subject: str, text: str) -> Iterable[str]:
            from plugins.services.notifier import PATIENCE_S, Notifier
            from plugins.services.programs import MachinePrograms

            # Without a slot: the run is over and its lock closed, which a slot would hand on.
            programs = MachinePrograms(self._log.record)
            mail = self._mail(silence_s=PATIENCE_S)
            notifier = Notifier(
                declared, self._settings.announce.sender, mail, programs,
                rehearsal=self._settings.work.rehearsal,
            )  # fmt: skip
            return notifier.tell(self._release.layout.work, subject, text)

        return tell

    @staticmethod
    def place(names: Sequence[str], arrows: Sequence[tuple[str, str]], box: Box) -> Placed:
        """Where the tasks of a drawn graph stand."""
        from plugins.services.graph_layout import place

        return place(names, arrows, box)

    @_late("hosts.forum")
    def forum(self) -> Forum:
        """The forum where releases are announced."""
        from plugins.services.discourse import Discourse

        return Discourse(self._settings.hosts.forum, self._settings.credentials.forum)


class _Undeclared:
    """Takes the place of a port that release.toml does not declare: only its use is an error."""

    def __init__(self, where: str, example: str) -> None:
        self._where = where
        self._example = example

    def __repr__(self) -> str:
        return "undeclared"

    def __getattr__(self, name: str) -> NoReturn:
        raise SettingsError(
            where=self._where, problem="is missing", remedy=f"write {self._example} in release.toml"
        )
