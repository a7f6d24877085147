"""Settings: what release.toml declares about one release, checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import SettingsError
from doit_receipts.finding import Waiver
from plugins.model import forms
from plugins.model.declared import Declared, Mistakes, alternatives, kind_of, near
from plugins.model.layout import Layout
from plugins.model.release import Phase, Release, known_phase, type_of
from plugins.model.secret import Secret
from plugins.model.series import SigstoreIdentity, series_of
from plugins.model.toml_file import declared_content
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "Announce",
    "Credentials",
    "Docs",
    "Expert",
    "Hosts",
    "Repository",
    "SeriesSettings",
    "Settings",
    "Signing",
    "SourceTest",
    "Tests",
    "Windows",
    "Work",
    "read_settings",
    "release_of",
]

_WAIT_DAYS: Final = 7
_EXAMPLE: Final = ('version = "3.14.0rc1"', "[repository]", 'clone = "../cpython"')
_UPSTREAM: Final = "git@github.com:python/cpython.git"
_SITE: Final = "https://www.python.org"
_DOCS: Final = "https://docs.python.org"
_GITHUB: Final = "https://api.github.com"
_BUILDBOTS: Final = "https://buildbot.python.org"
_PEPS: Final = "https://peps.python.org"
_FORUM: Final = "https://discuss.python.org"
_AZURE: Final = "https://dev.azure.com/Python/cpython"
_NUGET: Final = "https://api.nuget.org"
_DOCS_FORMATS: Final = ("html", "text", "epub", "texinfo")
_EXPERT: Final = {"name": '"..."', "keys": '["FULL FINGERPRINT"]'}
_EXPERT_MAY: Final = ("mail",)
# Source: the category of the announcements on discuss.python.org.
_CORE_DEVELOPMENT: Final = 23
_WAIVER: Final = {
    "rule": '"builders.red"',
    "reason": '"..."',
    "by": '"..."',
    "until": "2026-12-01",
}


class Ending(Enum):
    """What a branch becomes by a decision of people, and not by a version."""

    SECURITY = "security"
    END_OF_LIFE = "end-of-life"


class SourceTest(Enum):
    """How much of CPython's own test suite the unpacked archive has to pass."""

    NONE = "none"
    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Repository:
    """``[repository]``: where the source comes from and where the release goes."""

    clone: Path
    """The release manager's CPython clone; read, never modified. Must be written."""
    upstream: str = _UPSTREAM
    """The repository that users see. Default: python/cpython on GitHub."""
    fork: str = ""
    """The release manager's fork, where the release is built before users see it. No default."""
    base: str = ""
    """What to release from. Default: the branch of ``upstream`` that PEP 101 says."""
    cherry_picks: tuple[str, ...] = ()
    """Full ids of commits that are put on top of the base, in this order. Default: none."""
    merged_by_hand: str = ""
    """Full id of a commit of yours that merges the release into upstream's branch, if merging
    meets conflicts. No default."""
    copyright_years: bool = False
    """Whether the first release of a year brings the notices of six files to that year, which PEP
    101 asked for until November 2024. Default: false."""


@dataclass(frozen=True, slots=True)
class Work:
    """``[work]``: where files are made."""

    folder: Path
    """Everything is made in a folder of this one that is named as the version; not inside of the
    clone, which is never written. Default: build."""
    rehearsal: bool = False
    """Whether this is a rehearsal: its receipts are refused by a real release. Default: false."""
    wait_days: int = _WAIT_DAYS
    """How many days after the release's day experts and CI are waited for; then what is still
    missing is a failure. Default: 7."""


@dataclass(frozen=True, slots=True)
class SeriesSettings:
    """``[series]``: what cannot be derived from the version."""

    phase: Phase | None = None
    """The phase of the branch: feature, prerelease, bugfix, security or end-of-life.

    Default: what version and schedule say: X.Y.Z with Z > 0 is a bugfix release up to the last one
    that the schedule named when this tool was made, and source only after it."""
    becomes: Ending | None = None
    """What the branch becomes with this release: security with its last bugfix release, or
    end-of-life with its last. Default: prerelease with X.Y.0b1, bugfix with X.Y.0, else nothing."""
    unplanned: bool = False
    """Whether the release is made besides those that the schedule expects, such as a hotfix: they
    keep their days, and their numbers go up by one. Default: false."""
    release_pep: int = 0
    """The PEP that schedules the series. Default: the one that this tool knows."""

    @property
    def next_phase(self) -> Phase | None:
        """The phase that ``becomes`` declares."""
        return Phase(self.becomes.value) if self.becomes else None


@dataclass(frozen=True, slots=True)
class Signing:
    """``[signing]``: the release manager's OpenPGP key and Sigstore identity."""

    gnupg_home: Path
    """The folder of the keyring and its agent. Default: ~/.gnupg."""
    gpg_key: str = ""
    """The key's full fingerprint, 40 hex digits. Must be written up to 3.13 (PEP 761)."""
    sigstore_identity: str = ""
    """The mail address that Sigstore's bundles are signed by. Default: that of the series' release
    manager at python.org/downloads/metadata/sigstore."""
    sigstore_issuer: str = ""
    """Where that address logs in, such as https://github.com/login/oauth. Default: as above."""
    sigstore_trust: Path | None = None
    """A client trust configuration (JSON) in place of the public Sigstore, for a rehearsal alone.
    Default: none."""


@dataclass(frozen=True, slots=True)
class Tests:
    """``[tests]``: how the source archives are tested."""

    source: SourceTest = SourceTest.FULL
    """none, quick or full; none is a waiver and shows as one. Default: full (B11, B12)."""


@dataclass(frozen=True, slots=True)
class Docs:
    """``[docs]``: which documentation archives are built."""

    formats: tuple[str, ...] = _DOCS_FORMATS
    """Any of html, text, epub, texinfo; [] is a waiver and shows as one. Default: all."""
    constraints: Path | None = None
    """A file of pip constraints for the tree's own docs requirements. Default: none."""
    python: Path | None = None
    """The Python that runs the tree's documentation tools. Default: the first here that is new
    enough for them: the one that runs this tool, then those on PATH."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """``[hosts]``: the machines that users fetch from."""

    downloads: str = ""
    """``ssh://user@host/folder`` or ``folder:///folder`` of the downloads. No default."""
    docs: str = ""
    """The same for the documentation. No default."""
    downloads_group: str = "downloads"
    """The group on the downloads host whose files the release's are. Default: downloads."""
    docs_group: str = "docs"
    """The same on the docs host. Default: docs."""
    ssh_config: Path | None = None
    """An ssh configuration that hosts and git remotes are reached with, in place of your own.
    Default: none."""
    site: str = _SITE
    """The website, whose API gets the release's pages. Default: https://www.python.org."""
    cdn: str = _SITE
    """Where users reach the files, behind caches. Default: https://www.python.org."""
    cdn_edges: tuple[str, ...] = ()
    """Addresses that lead to different caches of ``cdn``. Default: all that its name has."""
    docs_cdn: str = _DOCS
    """Where users reach the documentation. Default: https://docs.python.org."""
    github: str = _GITHUB
    """GitHub's API. Default: https://api.github.com."""
    buildbots: str = _BUILDBOTS
    """The buildbots. Default: https://buildbot.python.org."""
    peps: str = _PEPS
    """The site of the PEPs, which has phases and schedules. Default: https://peps.python.org."""
    mail: str = ""
    """``smtp://host[:port]`` or ``smtps://host[:port]`` of the server that takes the
    announcements. No default."""
    packages: str = ""
    """The package index that knows pip and what it carries. Default: that of pip itself."""
    forum: str = _FORUM
    """The forum. Default: https://discuss.python.org."""
    azure: str = _AZURE
    """The project whose pipeline builds for Windows. Default: https://dev.azure.com/Python/cpython."""
    nuget: str = _NUGET
    """The index of packages that the pipeline publishes to. Default: https://api.nuget.org."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """``[credentials]``: where secrets are, as ``env:NAME`` or ``file:PATH``."""

    site: Secret | None = None
    """A token of the website's API (version 2). No default."""
    site_admin: Secret | None = None
    """``user:password`` of the website's admin, where the text of a page is saved; without it
    the release manager saves that text by hand. No default."""
    github: Secret | None = None
    """A token of GitHub's API. No default."""
    cdn: Secret | None = None
    """The key of the CDN's API; purging single addresses needs none. No default."""
    mail: Secret | None = None
    """``user:password`` of the mail server. No default."""
    forum: Secret | None = None
    """``user:key`` of the forum's API. No default."""
    buildbots: Secret | None = None
    """A token of the buildbots' API; reading needs none. No default."""
    azure: Secret | None = None
    """A personal access token of Azure DevOps, scope Build (read & execute), which starts the
    Windows build and keeps it; reading needs none. No default."""
    sigstore: Secret | None = None
    """The identity token that bundles are signed with, as ``sigstore get-identity-token``
    prints it; it is good for minutes. No default."""


@dataclass(frozen=True, slots=True)
class Windows:
    """``[windows]``: the build for Windows, where it cannot be found by itself."""

    build: int = 0
    """The number of the run that counts, as ``buildId=`` in the address of its page. Default: the
    one run of this tag and commit."""


@dataclass(frozen=True, slots=True)
class Announce:
    """``[announce]``: where the release is announced, and by whom."""

    sender: str = ""
    """The release manager's email address, from which every email comes. No default."""
    list: str = ""
    """A mailing list for everybody. Default: none, releases are announced on the forum."""
    announce: str = ""
    """A mailing list of announcements. Default: none."""
    dev: str = ""
    """A mailing list of CPython's developers. Default: none."""
    committers: str = ""
    """A mailing list of the core team. Default: none."""
    heads_up: bool = False
    """Whether experts get an email the day before, once it was approved. Default: false."""
    forum_category: int = _CORE_DEVELOPMENT
    """The number of the forum's category for releases. Default: 23, Core Development."""
    blog: str = "python/python-insider-blog"
    """``owner/name`` at GitHub of the blog, which gets a pull request; "" for no post. Default:
    python/python-insider-blog."""
    author: str = ""
    """The name that the blog has for you. Default: the name that git signs with."""
    versions: tuple[str, ...] = ()
    """Other versions that page and announcement may name, such as those of the same day. Default:
    none; the release itself, the one before and those after it need no mention."""
    peps: str = "python/peps"
    """``owner/name`` at GitHub of the PEPs, which get the date. Default: python/peps."""

    @property
    def lists(self) -> tuple[str, ...]:
        """The mailing lists that are named, each once."""
        named = (self.list, self.announce, self.dev, self.committers)
        return tuple(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True, slots=True)
class Expert:
    """``[experts.NAME]``: somebody whose green light the release needs."""

    role: str
    """The NAME of the section: windows, macos, docs."""
    name: str
    """The person's name. Must be written."""
    keys: tuple[str, ...]
    """Full fingerprints of the OpenPGP keys that sign this expert's approvals. Must be written."""
    mail: str = ""
    """The expert's email address, for the emails that the release manager approves. No default;
    without one the release manager informs them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that release.toml says, with defaults for what it does not."""

    file: Path
    """The file that was read."""
    version: Version
    """The version to release, such as 3.14.0rc1. Must be written."""
    date: date | None
    """The day of the release, as NEWS and What's New give it. Default: the day of the first run."""
    repository: Repository
    work: Work
    series: SeriesSettings
    signing: Signing
    tests: Tests
    docs: Docs
    hosts: Hosts
    credentials: Credentials
    announce: Announce
    windows: Windows = Windows()
    experts: tuple[Expert, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def waives(self, rule: str) -> bool:
        """Whether a waiver names the rule, whatever its last day."""
        return any(each.rule == rule for each in self.waivers)


_SECTIONS: Final[Mapping[str, type[Any]]] = {
    "repository": Repository,
    "work": Work,
    "series": SeriesSettings,
    "signing": Signing,
    "tests": Tests,
    "docs": Docs,
    "hosts": Hosts,
    "credentials": Credentials,
    "announce": Announce,
    "windows": Windows,
}
_TOP: Final = ("version", "date", *_SECTIONS, "experts", "waivers")
# Only names that one section alone has: they show where a stray key belongs.
_HOMES: Final = {
    each.name: f"[{section}]"
    for section, kind in _SECTIONS.items()
    for each in fields(kind)
    if each.name not in _TOP
    and sum(each.name in kind.__slots__ for kind in _SECTIONS.values()) == 1
}


def release_of(settings: Settings) -> Release:
    """The release that the settings declare. Raises SettingsError if phase and version clash."""
    version = settings.version
    series = series_of(version)
    if settings.series.release_pep:
        series = replace(series, release_pep=settings.series.release_pep)
    if settings.signing.sigstore_identity:
        signing = settings.signing
        manager = SigstoreIdentity(signing.sigstore_identity, signing.sigstore_issuer)
        series = replace(series, manager=manager)
    return Release(
        version=version,
        type=type_of(version, settings.series.phase or known_phase(version, series)),
        series=series,
        layout=Layout(work=settings.work.folder / str(version), version=version),
        rehearsal=settings.work.rehearsal,
    )


def read_settings(path: Path) -> Settings:
    """The settings that the file declares, every one of them valid.

    Relative paths start at the file's folder; ``~`` is the home folder. Raises SettingsError
    with the file's first mistake; the others are its details.
    """
    # toml is late: whoever only names a setting's type does not pay for it (5 ms).
    import toml  # noqa: PLC0415

    mistakes = Mistakes(path)
    content = declared_content(path, toml.loads, mistakes, _EXAMPLE)  # noqa: TID251 - its one use
    if not content:
        raise mistakes.error(
            problem="is empty", remedy="write at least the lines below", details=_EXAMPLE
        )
    settings = _settings(path, content, mistakes)
    if mistakes.about("version", "[series]"):
        mistakes.raise_any()
    _check_together(settings, mistakes)
    mistakes.raise_any()
    return settings


def _check_together(settings: Settings, mistakes: Mistakes) -> None:
    """What is right alone and wrong together: version and phase or key, the two folders."""
    try:
        release = release_of(settings)
    except SettingsError as error:
        mistakes.note(f"{error.where} {error.problem}", error.remedy)
        return
    if release.signs_with_gpg and not settings.signing.gpg_key:
        mistakes.note(
            f"[signing] gpg_key is missing, and {settings.version} is signed with OpenPGP",
            'write gpg_key = "FULL FINGERPRINT", as gpg --list-secret-keys prints it',
        )
    _check_identity(settings, release, mistakes)
    clone, folder = settings.repository.clone, settings.work.folder
    # A link may lead into the clone as well.
    reported = mistakes.about("[repository] clone", "[work]")
    if not reported and folder.resolve().is_relative_to(clone.resolve()):
        mistakes.note(
            f"[work] folder is {folder}, inside of the clone {clone}, which is never written",
            "name a folder outside of it",
        )


def _check_identity(settings: Settings, release: Release, mistakes: Mistakes) -> None:
    """Who signs with Sigstore is known, and unexpected can find out that they did."""
    signing = settings.signing
    if bool(signing.sigstore_identity) is not bool(signing.sigstore_issuer):
        missing = "sigstore_issuer" if signing.sigstore_identity else "sigstore_identity"
        mistakes.note(
            f"[signing] {missing} is missing, and one of the two alone is not an identity",
            'write sigstore_identity = "me@python.org" and '
            'sigstore_issuer = "https://github.com/login/oauth"',
        )
    elif release.series.signs_with_sigstore and not release.series.manager.address:
        mistakes.note(
            f"[signing] sigstore_identity is missing, and of {release.series.name} no release "
            "manager is known here",
            'write sigstore_identity = "me@python.org" and '
            'sigstore_issuer = "https://github.com/login/oauth"',
        )
    if (
        settings.work.rehearsal
        and release.series.signs_with_sigstore
        and not signing.sigstore_trust
    ):
        mistakes.note(
            "[signing] sigstore_trust is missing, and a rehearsal signs nothing in the public log",
            "start a new rehearsal in another folder; this one is from before there was a Sigstore",
        )
    if signing.sigstore_trust is not None and not settings.work.rehearsal:
        mistakes.note(
            "[signing] sigstore_trust is declared, and nobody but a rehearsal trusts it",
            "take it out; users verify with the public Sigstore",
        )


def _settings(path: Path, content: Mapping[str, Any], mistakes: Mistakes) -> Settings:
    top = _top(content, mistakes)
    version = _version(top, mistakes)
    tables = {name: _table(content, name, mistakes) for name in _SECTIONS}
    return Settings(
        file=path.absolute(),
        version=version,
        date=top.value("date", date, "a date without quotes, such as 2026-12-01"),
        repository=_repository(tables["repository"]),
        work=Work(
            folder=tables["work"].path("folder", "build"),
            rehearsal=tables["work"].value("rehearsal", bool, "true or false") or False,
            wait_days=tables["work"].number("wait_days", "a number of days") or _WAIT_DAYS,
        ),
        series=_series(tables["series"]),
        signing=_signing(tables["signing"]),
        tests=_tests(tables["tests"]),
        docs=_docs(tables["docs"]),
        hosts=_hosts(tables["hosts"]),
        credentials=_credentials(tables["credentials"]),
        announce=_announce(tables["announce"]),
        windows=Windows(build=tables["windows"].number("build", "the number of a run")),
        experts=_experts(content, mistakes),
        waivers=_waivers(content, mistakes),
    )


def _top(content: Mapping[str, Any], mistakes: Mistakes) -> Declared:
    for name, value in content.items():
        if isinstance(value, dict) and name not in _TOP:
            remedy = near(name, [each for each in _TOP if each not in ("version", "date")])
            mistakes.note(f"[{name}] is not a section", remedy)
    plain = {
        name: value
        for name, value in content.items()
        if name in _TOP or not isinstance(value, dict)
    }
    return Declared(plain, "", _TOP, mistakes, _HOMES)


def _table(content: Mapping[str, Any], name: str, mistakes: Mistakes) -> Declared:
    known = [each.name for each in fields(_SECTIONS[name])]
    found = content.get(name, {})
    if not isinstance(found, dict):
        mistakes.note(f"{name} is {kind_of(found)}, wanted a section", f"write [{name}]")
        found = {}
    homes = {key: home for key, home in _HOMES.items() if home != f"[{name}]"}
    return Declared(
        found, f"[{name}]", known, mistakes, {**homes, "version": "the top of the file"}
    )


def _version(top: Declared, mistakes: Mistakes) -> Version:
    nothing = Version(3, 14, 0)
    if not top.holds("version"):
        mistakes.note("version is missing", f"write {_EXAMPLE[0]} at the top")
        return nothing
    text = top.value("version", str, 'text such as "3.14.0rc1"')
    try:
        return nothing if text is None else Version.parse(text)
    except SettingsError as error:
        mistakes.note(f"version {error.problem}", error.remedy)
        return nothing


def _repository(table: Declared) -> Repository:
    table.need("clone", f"{_EXAMPLE[2]}, the folder of your CPython clone")
    return Repository(
        clone=table.path("clone", "."),
        upstream=_remote(table, "upstream", _UPSTREAM),
        fork=_remote(table, "fork", ""),
        base=table.form("base", "", forms.revision),
        cherry_picks=table.forms("cherry_picks", forms.commit_id, wanted="full commit ids"),
        merged_by_hand=table.form("merged_by_hand", "", forms.commit_id),
        copyright_years=table.value("copyright_years", bool, "true or false") or False,
    )


def _remote(table: Declared, key: str, default: str) -> str:
    found = table.form(key, default, forms.git_remote)
    return str(table.located(key, found)) if found.startswith((".", "~")) else found


def _series(table: Declared) -> SeriesSettings:
    phases: dict[str, Phase | None] = {each.value: each for each in Phase}
    endings: dict[str, Ending | None] = {each.value: each for each in Ending}
    return SeriesSettings(
        phase=table.choice("phase", phases, None),
        becomes=table.choice("becomes", endings, None),
        unplanned=table.value("unplanned", bool, "true or false") or False,
        release_pep=table.number("release_pep", "the number of a PEP"),
    )


def _signing(table: Declared) -> Signing:
    return Signing(
        gpg_key=table.form("gpg_key", "", forms.fingerprint),
        gnupg_home=table.path("gnupg_home", "~/.gnupg"),
        sigstore_identity=table.form("sigstore_identity", "", forms.mail_address),
        sigstore_issuer=table.form("sigstore_issuer", "", forms.web_address),
        sigstore_trust=table.path("sigstore_trust", "") if table.holds("sigstore_trust") else None,
    )


def _tests(table: Declared) -> Tests:
    levels = {each.value: each for each in SourceTest}
    return Tests(source=table.choice("source", levels, SourceTest.FULL))


def _docs(table: Declared) -> Docs:
    found = table.texts("formats", _DOCS_FORMATS, wanted=alternatives(_DOCS_FORMATS))
    for each in found:
        if each not in _DOCS_FORMATS:
            table.note("formats", f"holds {each!r}", near(each, _DOCS_FORMATS))
    constraints = table.path("constraints", "") if table.holds("constraints") else None
    python = table.path("python", "") if table.holds("python") else None
    return Docs(formats=found, constraints=constraints, python=python)


def _hosts(table: Declared) -> Hosts:
    return Hosts(
        downloads=table.form("downloads", "", forms.host_address),
        docs=table.form("docs", "", forms.host_address),
        downloads_group=table.text("downloads_group", "downloads"),
        docs_group=table.text("docs_group", "docs"),
        ssh_config=table.path("ssh_config", "") if table.holds("ssh_config") else None,
        site=table.form("site", _SITE, forms.web_address),
        cdn=table.form("cdn", _SITE, forms.web_address),
        cdn_edges=table.forms("cdn_edges", forms.web_address, wanted="addresses"),
        docs_cdn=table.form("docs_cdn", _DOCS, forms.web_address),
        github=table.form("github", _GITHUB, forms.web_address),
        buildbots=table.form("buildbots", _BUILDBOTS, forms.web_address),
        peps=table.form("peps", _PEPS, forms.web_address),
        mail=table.form("mail", "", forms.mail_server),
        packages=table.form("packages", "", forms.web_address),
        forum=table.form("forum", _FORUM, forms.web_address),
        azure=table.form("azure", _AZURE, forms.web_address),
        nuget=table.form("nuget", _NUGET, forms.web_address),
    )


def _credentials(table: Declared) -> Credentials:
    return Credentials(**{each.name: _secret(table, each.name) for each in fields(Credentials)})


def _announce(table: Declared) -> Announce:
    plain = Announce()
    addresses = {
        name: table.form(name, getattr(plain, name), forms.mail_address)
        for name in ("sender", "list", "announce", "dev", "committers")
    }
    return Announce(
        **addresses,
        heads_up=table.value("heads_up", bool, "true or false") or False,
        forum_category=table.number("forum_category", "the number of a category")
        or plain.forum_category,
        blog=""
        if table.declines("blog")
        else table.form("blog", plain.blog, forms.github_repository),
        author=table.text("author", ""),
        versions=table.forms("versions", forms.release_version, wanted="versions"),
        peps=table.form("peps", plain.peps, forms.github_repository),
    )


def _secret(table: Declared, key: str) -> Secret | None:
    # What is here may be the secret itself by mistake: no message repeats any of it.
    if not table.holds(key):
        return None
    found = table.secret_text(key)
    kind, _, where = found.partition(":")
    if kind == "env" and _is_environment_name(where):
        return Secret(found)
    if kind == "file" and where.strip() and where.isprintable():
        return Secret(f"file:{table.located(key, where.strip())}")
    table.note(key, "does not say where the secret is", "write env:NAME or file:PATH")
    return None


def _is_environment_name(text: str) -> bool:
    try:
        return forms.environment_name(text) == text
    except forms.WrongForm:
        return False


def _experts(content: Mapping[str, Any], mistakes: Mistakes) -> tuple[Expert, ...]:
    found = content.get("experts", {})
    if not isinstance(found, dict):
        mistakes.note(f"experts is {kind_of(found)}, wanted sections", "write [experts.windows]")
        return ()
    return tuple(_expert(name, section, mistakes) for name, section in found.items())


def _expert(name: str, section: object, mistakes: Mistakes) -> Expert:
    title = f"[experts.{name}]"
    if not isinstance(section, dict):
        mistakes.note(f"experts.{name} is {kind_of(section)}, wanted a section", f"write {title}")
        return Expert(name, "", ())
    table = Declared(section, title, (*_EXPERT, *_EXPERT_MAY), mistakes)
    for key, example in _EXPERT.items():
        table.need(key, f"{key} = {example}")
    try:
        forms.role(name)
    except forms.WrongForm as error:
        mistakes.note(f"[experts.{name!r}] cannot be the name of an expert", str(error))
    keys = table.forms("keys", forms.fingerprint, wanted="full fingerprints")
    if not keys and table.value("keys", list, "") == []:
        table.note("keys", "is empty", f"write keys = {_EXPERT['keys']}")
    return Expert(
        name,
        table.text("name", "", wanted="the person's name"),
        keys,
        table.form("mail", "", forms.mail_address),
    )


def _waivers(content: Mapping[str, Any], mistakes: Mistakes) -> tuple[Waiver, ...]:
    found = content.get("waivers", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        mistakes.note("waivers is no list of sections", "write [[waivers]] above each waiver")
        return ()
    return tuple(_waiver(each, count, mistakes) for count, each in enumerate(found, 1))


def _waiver(section: Mapping[str, Any], count: int, mistakes: Mistakes) -> Waiver:
    table = Declared(section, f"[[waivers]] number {count}", _WAIVER, mistakes)
    for key, example in _WAIVER.items():
        table.need(key, f"{key} = {example}")
    return Waiver(
        rule=table.form("rule", "", forms.rule_id),
        reason=table.text("reason", "", wanted="why the finding may pass"),
        by=table.text("by", "", wanted="who says so"),
        until=table.value("until", date, f"a date without quotes, such as {_WAIVER['until']}")
        or date.min,
    )
