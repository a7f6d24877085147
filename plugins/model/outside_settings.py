"""Outside settings: the sections of release.toml about hosts, secrets and announcements."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from plugins.model import forms
from plugins.model.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.declared import Declared

__all__ = ["Announce", "Credentials", "Hosts", "Notify", "Windows"]

_SITE: Final = "https://www.python.org"
_DOCS: Final = "https://docs.python.org"
_BLOG: Final = "https://blog.python.org"
_GITHUB: Final = "https://api.github.com"
_BUILDBOTS: Final = "https://buildbot.python.org"
_PEPS: Final = "https://peps.python.org"
_FORUM: Final = "https://discuss.python.org"
_AZURE: Final = "https://dev.azure.com/Python/cpython"
_NUGET: Final = "https://api.nuget.org"
# Source: the category of the announcements on discuss.python.org.
_CORE_DEVELOPMENT: Final = 23


@frozen
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
    blog: str = _BLOG
    """Where readers reach the blog. Default: https://blog.python.org."""
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

    @classmethod
    def of(cls, table: Declared) -> Hosts:
        """The section as it was declared."""
        return cls(
            downloads=table.form("downloads", "", forms.host_address),
            docs=table.form("docs", "", forms.host_address),
            downloads_group=table.text("downloads_group", "downloads"),
            docs_group=table.text("docs_group", "docs"),
            ssh_config=table.path("ssh_config", "") if table.holds("ssh_config") else None,
            site=table.form("site", _SITE, forms.web_address),
            cdn=table.form("cdn", _SITE, forms.web_address),
            cdn_edges=table.forms("cdn_edges", forms.web_address, wanted="addresses"),
            docs_cdn=table.form("docs_cdn", _DOCS, forms.web_address),
            blog=table.form("blog", _BLOG, forms.web_address),
            github=table.form("github", _GITHUB, forms.web_address),
            buildbots=table.form("buildbots", _BUILDBOTS, forms.web_address),
            peps=table.form("peps", _PEPS, forms.web_address),
            mail=table.form("mail", "", forms.mail_server),
            packages=table.form("packages", "", forms.web_address),
            forum=table.form("forum", _FORUM, forms.web_address),
            azure=table.form("azure", _AZURE, forms.web_address),
            nuget=table.form("nuget", _NUGET, forms.web_address),
        )


@frozen
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
    """``user:key`` of the forum's API. Default: none, the announcement is posted by hand."""
    buildbots: Secret | None = None
    """A token of the buildbots' API; reading needs none. No default."""
    azure: Secret | None = None
    """A personal access token of Azure DevOps, scope Build (read & execute), which starts the
    Windows build and keeps it; reading needs none. No default."""
    sigstore: Secret | None = None
    """The identity token that bundles are signed with, as ``sigstore get-identity-token``
    prints it; it is good for minutes. No default."""

    @classmethod
    def of(cls, table: Declared) -> Credentials:
        """The section as it was declared."""
        return cls(**{each.name: _secret(table, each.name) for each in fields(cls)})


@frozen
class Windows:
    """``[windows]``: the build for Windows, where it cannot be found by itself."""

    build: int = 0
    """The number of the run that counts, as ``buildId=`` in the address of its page. Default: the
    one run of this tag and commit."""

    @classmethod
    def of(cls, table: Declared) -> Windows:
        """The section as it was declared."""
        return cls(build=table.number("build", "the number of a run"))


@frozen
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

    @classmethod
    def of(cls, table: Declared) -> Announce:
        """The section as it was declared."""
        plain = cls()
        addresses = {
            name: table.form(name, getattr(plain, name), forms.mail_address)
            for name in ("sender", "list", "announce", "dev", "committers")
        }
        return cls(
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


@frozen
class Notify:
    """``[notify]``: who hears that a run waits for a person, failed or is done, each thing once."""

    command: tuple[str, ...] = ()
    """A program and its arguments, to which the subject is added; the text is its input. Default:
    none."""
    mail: str = ""
    """Who gets an email, by ``[hosts]`` mail and from ``[announce]`` sender. Default: nobody."""
    webhook: Secret | None = None
    """Where the address of a webhook is, which is a secret. Default: none."""
    form: str = ""
    """What it is a webhook of: discord, slack, or zulip (its Slack-compatible one). Must be written
    beside ``webhook``."""

    @classmethod
    def of(cls, table: Declared) -> Notify:
        """The section as it was declared."""
        forms_ = {name: name for name in ("discord", "slack", "zulip")}
        webhook, form = _secret(table, "webhook"), table.choice("form", forms_, "")
        if webhook is not None and not form:
            table.need("form", 'form = "discord", "slack" or "zulip"')
        return cls(
            command=table.texts("command", (), wanted="a program and its arguments"),
            mail=table.form("mail", "", forms.mail_address),
            webhook=webhook,
            form=form,
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
