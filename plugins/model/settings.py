"""Settings: what release.toml declares about one release, checked before anything starts."""

from __future__ import annotations

import os.path
import re
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import SettingsError
from doit_receipts.frozen import frozen
from plugins.model.declared import Declared, Mistakes, kind_of, near
from plugins.model.farm_settings import Farm
from plugins.model.forms import leads_elsewhere
from plugins.model.layout import Layout
from plugins.model.local_settings import (
    CLONE_EXAMPLE,
    Docs,
    Repository,
    SeriesSettings,
    Signing,
    Tests,
    Work,
)
from plugins.model.manager_settings import Manager, NextSeries
from plugins.model.outside_settings import Announce, Credentials, Hosts, Notify, Windows
from plugins.model.people_settings import Expert, experts_of, limit_waivers, waivers_of
from plugins.model.rebuild_settings import Rebuilds
from plugins.model.release import KIND_NAMES, Release, ReleaseType, known_phase, type_of
from plugins.model.series import SigstoreIdentity, series_of
from plugins.model.toml_file import declared_content
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doit_receipts.finding import Waiver
    from plugins.model.train import Train

__all__ = ["Settings", "read_settings", "release_of", "train_at"]

_SERIES: Final = r"[1-9]\.(?:0|[1-9][0-9]?)(?![0-9])"
_EXAMPLE: Final = ('version = "3.14.0rc1"', "[repository]", CLONE_EXAMPLE)


@frozen
class Settings:
    """All that release.toml says, with defaults for what it does not."""

    file: Path
    """The file that was read."""
    version: Version
    """The version to release, such as 3.14.0rc1; with ``kind`` a series, such as 3.12. Must be
    written."""
    kind: ReleaseType | None
    """What happens to the branch of a series where no files are made: begin-bugfix,
    begin-security-only or end-of-life. Default: none, ``version`` is released."""
    date: date | None
    """The day of the release, as NEWS and What's New give it. Default: the day of the first run."""
    train: Train | None
    """The file of the releases that are made on the same day and announced together, such as
    train.toml. Default: none, this release is alone."""
    repository: Repository
    work: Work
    series: SeriesSettings
    signing: Signing
    tests: Tests
    docs: Docs
    hosts: Hosts
    credentials: Credentials
    announce: Announce
    windows: Windows
    notify: Notify
    farm: Farm
    rebuilds: Rebuilds
    manager: Manager
    next_series: NextSeries
    experts: tuple[Expert, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def waives(self, rule: str) -> bool:
        """Whether a waiver names the rule, whatever its last day."""
        return any(each.rule == rule for each in self.waivers)

    @property
    def may_be_named(self) -> tuple[str, ...]:
        """Other versions that page and announcement may name: those that were declared.

        An unplanned release has to say what was wrong with the one before it, so that one as well.
        Source: announcements of 3.13.5, 3.13.7, 3.13.9 and 3.15.0a5, each made for that.
        """
        before = self.version.predecessors() if self.series.unplanned else ()
        return (*self.announce.versions, *map(str, before))


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
    "notify": Notify,
    "farm": Farm,
    "rebuilds": Rebuilds,
    "manager": Manager,
    "next_series": NextSeries,
}
_TOP: Final = ("version", "kind", "date", "train", *_SECTIONS, "experts", "waivers")
# What is about the files of a release, or says what ``kind`` says already.
_OF_FILES: Final = {
    "repository": ("base", "cherry_picks", "merged_by_hand", "copyright_years"),
    "series": ("phase", "becomes", "unplanned"),
    "tests": ("source",),
    "windows": ("build",),
    "farm": ("engine",),
    "next_series": ("manager", "login", "pep"),
}
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
    version, kind = settings.version, settings.kind
    series = series_of(version)
    if settings.series.release_pep:
        series = replace(series, release_pep=settings.series.release_pep)
    if settings.signing.sigstore_identity:
        signing = settings.signing
        manager = SigstoreIdentity(signing.sigstore_identity, signing.sigstore_issuer)
        series = replace(series, manager=manager)
    release = Release(
        version=version,
        type=kind or type_of(version, settings.series.phase or known_phase(version, series)),
        series=series,
        layout=Layout(work=settings.work.folder, version=version),
        rehearsal=settings.work.rehearsal,
        foreign_tree=settings.work.foreign_tree,
    )
    layout = replace(release.layout, work=settings.work.folder / release.name)
    return replace(release, layout=layout)


def read_settings(path: Path, today: date = date.max) -> Settings:
    """The settings that the file declares, every one of them valid.

    Relative paths start at the file's folder; ``~`` is the home folder. A waiver may be valid for
    31 days from ``today``. Raises SettingsError with the file's first mistake; the others are its
    details.
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
    if settings.kind is not None:
        _refuse_files(content, settings.kind, mistakes)
    limit_waivers(settings.waivers, today, mistakes)
    if mistakes.about("version", "kind", "[series]"):
        mistakes.raise_any()
    _check_together(settings, mistakes)
    mistakes.raise_any()
    return settings


def train_at(path: Path) -> Train:
    """The train that the file declares. Raises SettingsError with the file's first mistake."""
    # late, as above, and for who is in no train
    import toml  # noqa: PLC0415

    from plugins.model.train import read_train  # noqa: PLC0415

    return read_train(path, toml.loads)  # noqa: TID251 - its other use


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
    if settings.work.rehearsal:
        _check_rehearsed(settings, mistakes)
    if settings.kind is None and settings.next_series.manager:
        _check_next_series(release, mistakes)
    clone, folder = settings.repository.clone, settings.work.folder
    # A link may lead into the clone as well.
    reported = mistakes.about("[repository] clone", "[work]")
    if not reported and folder.resolve().is_relative_to(clone.resolve()):
        mistakes.note(
            f"[work] folder is {folder}, inside of the clone {clone}, which is never written",
            "name a folder outside of it",
        )


def _check_next_series(release: Release, mistakes: Mistakes) -> None:
    if release.type is not ReleaseType.ALPHA:
        mistakes.note(
            f"[next_series] is about the alphas of a series, and version is {release.version}",
            "take the section out",
        )


def _check_identity(settings: Settings, release: Release, mistakes: Mistakes) -> None:
    """Who signs with Sigstore is known, and anybody can find out that they did."""
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
            "[signing] sigstore_trust is only for rehearsals: users do not trust it",
            "take it out; users verify with the public Sigstore",
        )


def _check_rehearsed(settings: Settings, mistakes: Mistakes) -> None:
    """A rehearsal asks and changes nothing outside of this machine, whatever the defaults are.

    The package index is left out: pip gets the documentation's tools from it as everywhere.
    """
    repository = settings.repository
    found = [(f"[repository] {each}", getattr(repository, each)) for each in ("upstream", "fork")]
    found += [("[farm] workers", each) for each in settings.farm.workers]
    for name in (each.name for each in fields(Hosts) if each.name != "packages"):
        value = getattr(settings.hosts, name)
        addresses = value if isinstance(value, tuple) else (value,)
        found += [(f"[hosts] {name}", str(each)) for each in addresses]
    for place, address in found:
        # What has another mistake may hold a secret, which is not repeated.
        if leads_elsewhere(address) and not mistakes.about(f"{place} "):
            mistakes.note(
                f"{place} leads to {address}, and a rehearsal contacts only this machine",
                "start a new rehearsal in another folder, by doit rehearse --folder; one that an "
                "earlier version of this tool began does not simulate all that is asked now",
            )


def _settings(path: Path, content: Mapping[str, Any], mistakes: Mistakes) -> Settings:
    top = _top(content, mistakes)
    kinds = {name: kind for kind, name in KIND_NAMES.items()}
    kind: ReleaseType | None = top.choice("kind", kinds, None)
    version = _version(top, mistakes)
    sections = {name: kind.of(_table(content, name, mistakes)) for name, kind in _SECTIONS.items()}
    return Settings(
        file=_plain(path),
        version=version,
        kind=kind,
        date=top.value("date", date, "a date without quotes, such as 2026-12-01"),
        train=_train(path, top) if top.holds("train") else None,
        experts=experts_of(content, mistakes),
        waivers=waivers_of(content, mistakes),
        **sections,
    )


def _top(content: Mapping[str, Any], mistakes: Mistakes) -> Declared:
    for name, value in content.items():
        if isinstance(value, dict) and name not in _TOP:
            remedy = near(
                name, [each for each in _TOP if each not in ("version", "kind", "date", "train")]
            )
            mistakes.note(f"[{name}] is not a section", remedy)
    plain = {
        name: value
        for name, value in content.items()
        if name in _TOP or not isinstance(value, dict)
    }
    return Declared(plain, "", _TOP, mistakes, _HOMES)


def _train(path: Path, top: Declared) -> Train | None:
    """The train that the file names, if this is one of its releases."""
    try:
        found = train_at(top.path("train", "train.toml"))
    except SettingsError as error:
        top.note("train", f"is no train: {error.where}: {error.problem}", error.remedy)
        return None
    if _plain(path) not in [each.file for each in found.releases]:
        top.note(
            "train",
            f"is {found.file.name}, which does not list this release",
            f"write {path.name} into its releases, or take train out of this file",
        )
    return found


def _plain(path: Path) -> Path:
    """As paths in a file are read: links keep their names, and there is no ``..`` in it."""
    return Path(os.path.normpath(path.absolute()))


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
    if text is None:
        return nothing
    is_series = re.fullmatch(_SERIES, text) is not None
    try:
        if top.holds("kind") and not is_series:
            series = re.match(_SERIES, text)
            mistakes.note(
                f"version is {text!a}, and kind is about a whole series",
                f'write version = "{series[0] if series else "3.12"}"',
            )
            return nothing
        return Version.parse(f"{text}.0" if top.holds("kind") else text)
    except SettingsError as error:
        kinds = ", ".join(f'kind = "{each}"' for each in KIND_NAMES.values())
        with_kind = f"; for the series itself write one of {kinds} beside it" if is_series else ""
        mistakes.note(f"version {error.problem}", f"{error.remedy}{with_kind}")
        return nothing


def _refuse_files(content: Mapping[str, Any], kind: ReleaseType, mistakes: Mistakes) -> None:
    """Nothing in the file is about files, of which a change of phase makes none."""
    found = [
        f"[{section}] {key}"
        for section, keys in _OF_FILES.items()
        for key in keys
        if isinstance(content.get(section), dict) and key in content[section]
    ]
    found += [f"[experts.{role}]" for role in content.get("experts", {})]
    found += ["train"] if "train" in content else []
    for name in found:
        mistakes.note(
            f"{name} is about a release of files, and kind is {KIND_NAMES[kind]}",
            "take one of them out",
        )
