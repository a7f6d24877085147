"""Layout: every local path of a release, by arithmetic on names; nothing is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from doit_receipts.work_folder import WorkFolder

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.version import Version

__all__ = ["Layout"]


@frozen
class Layout(WorkFolder):
    """Where one release keeps its files: all below ``work``, which is ``<folder>/<version>``."""

    version: Version

    @property
    def clone(self) -> Path:
        """The release clone, a repository of its own."""
        return self.work / "clone"

    @property
    def src(self) -> Path:
        """The source archives, their signatures, SBOMs and SHA256SUMS."""
        return self.work / "src"

    @property
    def docs(self) -> Path:
        """The documentation archives."""
        return self.work / "docs"

    @property
    def bundles(self) -> Path:
        """The Sigstore bundles of all that the site lists, whoever made it."""
        return self.work / "bundles"

    @property
    def record(self) -> Path:
        """The release manifest, which lists all that is public, and its signatures."""
        return self.work / "record"

    @property
    def evidence(self) -> Path:
        """The signed statements about the release; what publishes it keeps the name."""
        return self.work / "evidence" / f"Python-{self.version}.intoto.jsonl"

    @property
    def closing(self) -> Path:
        """The report of the whole release, its closing archive, and the signatures of that."""
        return self.work / "closing"

    @property
    def merged_late(self) -> Path:
        """What came to main after the freeze, as a list for people."""
        return self.made / "merged-since-freeze.md"

    @property
    def made(self) -> Path:
        """Files made for the release commit, before they are put into the clone."""
        return self.work / "made"

    @property
    def windows_form(self) -> Path:
        """The page of values that the pipeline of Windows is started with."""
        return self.made / "windows-build.txt"

    @property
    def reported_by_pipeline(self) -> Path:
        """The digests that the pipeline of Windows reported, in the form of a manifest."""
        return self.work / "experts" / "windows" / "PIPELINE"

    def adopted(self, role: str) -> Path:
        """Which files of an expert count, with their digests, in the form of a manifest."""
        return self.work / "experts" / role / "ADOPTED"

    @property
    def drafts(self) -> Path:
        """Texts for people: the page of the site, announcements; drafted here and edited here."""
        return self.work / "drafts"

    @property
    def merge_clone(self) -> Path:
        """The clone in which the release is merged back into what upstream has."""
        return self.work / "merge-clone"

    def merged_ref(self, branch: str) -> Path:
        """The file of the merge clone that names what the branch is to become."""
        return self.merge_clone / ".git" / "refs" / "release" / "new" / branch

    def merge_diff(self, branch: str) -> Path:
        """All that a branch of upstream gets, for a person to read."""
        return self.made / f"merge-{branch}.diff"

    @property
    def lease(self) -> Path:
        """There while the protection of upstream's branches is lifted; tells how it was."""
        return self.work / "lease" / "protection.json"

    @property
    def ci(self) -> Path:
        """What CI built from the release."""
        return self.work / "ci"

    @property
    def elsewhere(self) -> Path:
        """What other machines did: a folder for each platform, and which run does what."""
        return self.work / "elsewhere"

    @property
    def texts(self) -> Path:
        """Drafts that the release manager has taken over and edited."""
        return self.work / "texts"

    @property
    def folder_in_archive(self) -> str:
        """``Python-X.Y.ZaN``: the one folder at the top of the source archives."""
        return f"Python-{self.version}"

    def tarball(self, suffix: str) -> Path:
        """The source archive with this suffix: ``.tgz`` or ``.tar.xz``."""
        return self.src / f"{self.folder_in_archive}{suffix}"

    @property
    def tarballs(self) -> tuple[Path, Path]:
        """Both source archives, the gzip one first."""
        return self.tarball(".tgz"), self.tarball(".tar.xz")

    @property
    def checksums(self) -> Path:
        """The list of sha256 sums of everything in ``src``."""
        return self.src / "SHA256SUMS"

    def clone_ref(self, step: str) -> Path:
        """The file in the release clone that names the commit after an edit of the tree."""
        return self.clone / ".git" / "refs" / "release" / step

    def docs_archives(self, form: str) -> tuple[Path, ...]:
        """The archives of one documentation format, named as python.org names them."""
        stem = f"python-{self.version}-docs"
        if form == "epub":
            return (self.docs / f"{stem}.epub",)
        return tuple(self.docs / f"{stem}-{form}{suffix}" for suffix in (".tar.bz2", ".zip"))
