"""Local settings: the sections of release.toml about what is made here, and from what."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from plugins.model import forms
from plugins.model.declared import alternatives, near
from plugins.model.release import Phase

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.declared import Declared

__all__ = [
    "CLONE_EXAMPLE",
    "Docs",
    "Ending",
    "Repository",
    "SeriesSettings",
    "Signing",
    "SourceTest",
    "Tests",
    "Work",
]

CLONE_EXAMPLE: Final = 'clone = "../cpython"'
"""What a file has at least to say under [repository]."""
_WAIT_DAYS: Final = 7
_UPSTREAM: Final = "git@github.com:python/cpython.git"
_DOCS_FORMATS: Final = ("html", "text", "epub", "texinfo")


class Ending(Enum):
    """What a branch becomes by a decision of people, and not by a version."""

    SECURITY = "security"
    END_OF_LIFE = "end-of-life"


class SourceTest(Enum):
    """How much of CPython's own test suite the unpacked archive has to pass."""

    NONE = "none"
    QUICK = "quick"
    FULL = "full"


@frozen
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

    @classmethod
    def of(cls, table: Declared) -> Repository:
        """The section as it was declared."""
        table.need("clone", f"{CLONE_EXAMPLE}, the folder of your CPython clone")
        return cls(
            clone=table.path("clone", "."),
            upstream=_remote(table, "upstream", _UPSTREAM),
            fork=_remote(table, "fork", ""),
            base=table.form("base", "", forms.revision),
            cherry_picks=table.forms("cherry_picks", forms.commit_id, wanted="full commit ids"),
            merged_by_hand=table.form("merged_by_hand", "", forms.commit_id),
            copyright_years=table.value("copyright_years", bool, "true or false") or False,
        )


@frozen
class Work:
    """``[work]``: where files are made."""

    folder: Path
    """Everything is made in a folder of this one that is named as the version; not inside of the
    clone, which is never written. Default: build."""
    rehearsal: bool = False
    """Whether this is a rehearsal: a real release refuses its receipts, and every address that it
    names leads to this machine, but `[hosts] packages`, where tools are installed from. A program
    of `[notify]` is your own. Default: false."""
    foreign_tree: bool = False
    """Of a rehearsal: whether its tree is somebody's CPython and not the toy of this tool, so that
    what the tree brings is run confined, as in a release. Default: false."""
    wait_days: int = _WAIT_DAYS
    """How many days after the release's day experts and CI are waited for; then what is still
    missing is a failure. Default: 7."""

    @classmethod
    def of(cls, table: Declared) -> Work:
        """The section as it was declared."""
        return cls(
            folder=table.path("folder", "build"),
            rehearsal=table.value("rehearsal", bool, "true or false") or False,
            foreign_tree=table.value("foreign_tree", bool, "true or false") or False,
            wait_days=table.number("wait_days", "a number of days") or _WAIT_DAYS,
        )


@frozen
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
    keep their days, and their numbers go up by one. Its texts may name the release before it, whose
    faults they tell. Default: false."""
    release_pep: int = 0
    """The PEP that schedules the series. Default: the one that this tool knows."""

    @property
    def next_phase(self) -> Phase | None:
        """The phase that ``becomes`` declares."""
        return Phase(self.becomes.value) if self.becomes else None

    @classmethod
    def of(cls, table: Declared) -> SeriesSettings:
        """The section as it was declared."""
        phases: dict[str, Phase | None] = {each.value: each for each in Phase}
        endings: dict[str, Ending | None] = {each.value: each for each in Ending}
        return cls(
            phase=table.choice("phase", phases, None),
            becomes=table.choice("becomes", endings, None),
            unplanned=table.value("unplanned", bool, "true or false") or False,
            release_pep=table.number("release_pep", "the number of a PEP"),
        )


@frozen
class Signing:
    """``[signing]``: the release manager's OpenPGP key and Sigstore identity."""

    gnupg_home: Path
    """The folder of the keyring and its agent. Default: ~/.gnupg."""
    gpg_key: str = ""
    """The key's full fingerprint, 40 hex digits. It signs the tag and files up to 3.13
    (PEP 761), and your approvals of every release: `check_key` stops one that does not name it."""
    sigstore_identity: str = ""
    """The mail address that Sigstore's bundles are signed by. Default: that of the series' release
    manager at python.org/downloads/metadata/sigstore."""
    sigstore_issuer: str = ""
    """Where that address logs in, such as https://github.com/login/oauth. Default: as above."""
    sigstore_trust: Path | None = None
    """A client trust configuration (JSON) in place of the public Sigstore, for a rehearsal alone.
    Default: none."""

    @classmethod
    def of(cls, table: Declared) -> Signing:
        """The section as it was declared."""
        return cls(
            gpg_key=table.form("gpg_key", "", forms.fingerprint),
            gnupg_home=table.path("gnupg_home", "~/.gnupg"),
            sigstore_identity=table.form("sigstore_identity", "", forms.mail_address),
            sigstore_issuer=table.form("sigstore_issuer", "", forms.web_address),
            sigstore_trust=table.path("sigstore_trust", "")
            if table.holds("sigstore_trust")
            else None,
        )


@frozen
class Tests:
    """``[tests]``: how the source archives are tested."""

    source: SourceTest = SourceTest.FULL
    """none, quick or full; none is a waiver and shows as one. Default: full (B11, B12)."""

    @classmethod
    def of(cls, table: Declared) -> Tests:
        """The section as it was declared."""
        levels = {each.value: each for each in SourceTest}
        return cls(source=table.choice("source", levels, SourceTest.FULL))


@frozen
class Docs:
    """``[docs]``: which documentation archives are built."""

    formats: tuple[str, ...] = _DOCS_FORMATS
    """Any of html, text, epub, texinfo; [] is a waiver and shows as one. Default: all."""
    constraints: Path | None = None
    """A file of pip constraints for the tree's own docs requirements. Default: none."""
    python: Path | None = None
    """The Python that runs the tree's documentation tools. Default: the first here that is new
    enough for them: the one that runs this tool, then those on PATH."""
    lock: Path | None = None
    """The file that names each of those tools by version and hash, for all releases of the series;
    ``.asc`` beside it is your signature. Default: none; they are what the index has that day."""

    @classmethod
    def of(cls, table: Declared) -> Docs:
        """The section as it was declared."""
        found = table.texts("formats", _DOCS_FORMATS, wanted=alternatives(_DOCS_FORMATS))
        for each in found:
            if each not in _DOCS_FORMATS:
                table.note("formats", f"holds {each!r}", near(each, _DOCS_FORMATS))
        constraints = table.path("constraints", "") if table.holds("constraints") else None
        python = table.path("python", "") if table.holds("python") else None
        lock = table.path("lock", "") if table.holds("lock") else None
        return cls(formats=found, constraints=constraints, python=python, lock=lock)


def _remote(table: Declared, key: str, default: str) -> str:
    found = table.form(key, default, forms.git_remote)
    return str(table.located(key, found)) if found.startswith((".", "~")) else found
