"""The release manifest is made of what was judged and is public, or not at all."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.content import Content
from plugins.model.promise import contract_of, record_files, record_paths
from plugins.model.published_file import ROW_SIDECARS, SITE
from plugins.model.record_signatures import is_plain_signature, plain_bundle
from plugins.model.release_manifest import Entry, EntryKind, ReleaseManifest
from plugins.model.version import Version
from plugins.ports.signing import Signature, Verdict
from plugins.rehearsal import site
from plugins.services.folder_host import FolderHost
from plugins.steps import public_entries, release_manifest, site_files, site_release
from tests.site_world import DAY, QUIET, SiteWorld, a_release, site_world

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.series import SigstoreIdentity
    from plugins.ports.git import Clone

TAG, COMMIT = "a" * 40, "c" * 40
PUSHED = public_entries.Pushed(TAG, COMMIT)
EVIL = {"url": f"{SITE}/ftp/python/3.13.6/evil.exe"} | dict.fromkeys(ROW_SIDECARS, "")
PAGES = {"index.html": b"<p>", "library/os.html": b"<b>"}


@dataclass
class Upstream:
    """A repository that has one tag."""

    tag: str = TAG

    def refs(self, *names: str) -> Mapping[str, str]:
        return dict.fromkeys(names, self.tag)

    def matching(self, *patterns: str) -> tuple[str, ...]:
        raise NotImplementedError(patterns)

    def bring(self, wanted: Mapping[str, str], gone: Sequence[str] = ()) -> Clone:
        raise NotImplementedError(wanted, gone)


@dataclass
class Sigstore:
    """Whoever signs writes the digest and their name."""

    asked: list[str] = field(default_factory=list)

    def ready(self) -> None:
        pass

    def verify_bundle(self, bundle: Path, sha256: str, by: SigstoreIdentity) -> Signature:
        right = json.loads(bundle.read_bytes()) == {"by": str(by), "of": sha256}
        return Signature(str(by), "") if right else Signature("", "no", Verdict.OTHER_BYTES)

    def sign(self, digests: Collection[str], by: SigstoreIdentity) -> Iterator[tuple[str, bytes]]:
        for digest in digests:
            self.asked.append(digest)
            yield digest, json.dumps({"of": digest, "by": str(by)}).encode()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("recording")) as made:
        yield made


@dataclass
class Public:
    """A release that is public, and what the receipts say of it."""

    world: SiteWorld
    release: Release
    contract: Contract
    html: Artifact
    known: dict[str, str]
    upstream: Upstream = field(default_factory=Upstream)
    sigstore: Sigstore = field(default_factory=Sigstore)

    @property
    def docs(self) -> Path:
        return self.world.folder / "docs" / "release" / "3.13.6"

    def write(self) -> ReleaseManifest:
        """The manifest, as it is on this machine afterwards."""
        sources = public_entries.Sources(
            self.world.host,
            FolderHost(self.world.folder / "docs"),
            self.world.site(),
            self.upstream,
            None,
            self.sigstore,
        )
        release_manifest.write(
            self.release, self.contract, self.known, self.html, PUSHED, sources, QUIET
        )
        path = record_files(self.release)[0]
        return ReleaseManifest.from_bytes(path.read_bytes(), path.name)

    def show(self, made: ReleaseManifest, by: str = "") -> None:
        """Put this in the public manifest's place, signed by its release manager or by others."""
        place, bundle = (self.world.root / path for path in record_paths(self.release))
        place.write_bytes(made.to_bytes())
        digest = sha256(made.to_bytes()).hexdigest()
        signed = {"by": by or str(self.release.series.manager), "of": digest}
        bundle.write_bytes(plain_bundle(json.dumps(signed).encode()))


@pytest.fixture
def public(running: SiteWorld, tmp_path: Path) -> Public:
    running.forget()
    release = a_release(tmp_path)
    # A series from 3.14 on has no OpenPGP signature; that of gpg is tried by each rehearsal.
    release = replace(release, series=replace(release.series, signs_with_gpg=False))
    contract = contract_of(release)
    archive = tmp_path / "python-3.13.6-docs-html.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name, page in PAGES.items():
            opened.writestr(f"python-3.13.6-docs-html/{name}", page)
    running.root.joinpath("3.13.6").mkdir()
    site.seed(running.store, Version.parse("3.13.5"))
    running.stage(contract)
    (running.root / "doc" / "current").symlink_to("3.13.6")
    docs = running.folder / "docs" / "release" / "3.13.6"
    shutil.rmtree(docs)
    for name, page in PAGES.items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_bytes(page)
    for each in (docs, *docs.rglob("*")):
        each.chmod(0o2775 if each.is_dir() else 0o644)
    ours = running.site()
    site_release.make_draft(contract, DAY, ours, QUIET)
    site_files.put_files(contract, running.host, ours, QUIET)
    site_release.publish(contract, ours, QUIET)
    known = {each.remote: sha256_of(running.root / each.remote) for each in contract.files}
    html = Artifact(archive, archive.stat().st_size, sha256_of(archive))
    return Public(running, release, contract, html, known)


def test_a_manifest_lists_all_that_is_public(public: Public) -> None:
    made = public.write()
    files = made.contents(EntryKind.FILE)
    assert {path: each.sha256 for path, each in files.items()} == public.known
    pages = made.contents(EntryKind.DOCS_PAGE)
    assert {name.removeprefix("release/3.13.6/") for name in pages} == set(PAGES)
    assert len(made.by_name(EntryKind.ROW)) == len(public.contract.listed)
    assert set(made.by_name(EntryKind.REF)) == {"refs/tags/v3.13.6"}
    assert set(made.by_name(EntryKind.LINK)) == {"doc/current"}
    assert set(made.by_name(EntryKind.PAGE)) == {"/downloads/release/python-3136/"}
    assert "/downloads/latest/" in made.by_name(EntryKind.REDIRECT)
    assert "/box/supernav-python-downloads/" in made.by_name(EntryKind.BOX)
    # The same things again are the same bytes: there is no clock and no chance in it.
    assert public.write() == made


def _bytes(public: Public) -> None:
    (public.world.root / public.contract.files[0].remote).write_bytes(b"other")


def _gone(public: Public) -> None:
    (public.world.root / public.contract.files[-1].remote).unlink()


def _page(public: Public) -> None:
    (public.docs / "index.html").write_bytes(b"<x>")


def _page_more(public: Public) -> None:
    (public.docs / "more.html").write_bytes(b"<x>")


def _row(public: Public) -> None:
    ours = public.world.site()
    (release,) = (each for each in ours.releases() if each.slug == "python-3136")
    ours.change_row(ours.rows(release)[0], {"sha256_sum": "0" * 64})


def _set_row(**fields: object) -> Callable[[Public], None]:
    def change(public: Public) -> None:
        ours = public.world.site()
        (release,) = (each for each in ours.releases() if each.slug == "python-3136")
        ours.change_row(ours.rows(release)[0], fields)

    return change


def _set_release(**fields: object) -> Callable[[Public], None]:
    def change(public: Public) -> None:
        ours = public.world.site()
        (release,) = (each for each in ours.releases() if each.slug == "python-3136")
        ours.change_release(release, fields)

    return change


def _draft(public: Public) -> None:
    ours = public.world.site()
    (release,) = (each for each in ours.releases() if each.slug == "python-3136")
    ours.change_release(release, {"is_published": False})


def _other_latest(public: Public) -> None:
    ours = public.world.site()
    (older,) = (each for each in ours.releases() if each.slug == "python-3135")
    ours.change_release(older, {"is_latest": True})


def _tag(public: Public) -> None:
    public.upstream.tag = "b" * 40


def _no_tag(public: Public) -> None:
    public.upstream.tag = ""


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_bytes, r"files differs from the release"),
        (_gone, r"does not exist"),
        (_page, r"contains other pages"),
        (_page_more, r"contains other pages"),
        (_row, r"another sha256 than the file"),
        (_set_row(name="Other"), r"rows .*first .*name is Other, wanted "),
        (_set_row(filesize=1), r"rows .*first .*filesize is 1, wanted "),
        (_set_row(**EVIL), r"3\.13\.6/evil\.exe: has a row .* and is no file of this release"),
        (_set_release(pre_release=True), r"pre_release is true, wanted false"),
        (_set_release(show_on_download_page=False), r"show_on_download_page is false"),
        (_draft, r"0 public releases"),
        (_other_latest, r"leads to /downloads/release/python-3135/"),
        (_tag, r"upstream has bbbbbbbbbbbb, pushed aaaaaaaaaaaa"),
        (_no_tag, r"upstream has no such tag"),
    ],
)
def test_what_is_public_and_not_as_it_was_judged_is_in_no_manifest(
    public: Public, change: Callable[[Public], None], named: str
) -> None:
    change(public)
    with pytest.raises(StepFailed, match=named):
        public.write()
    assert not record_files(public.release)[0].exists()


def test_a_page_that_no_reader_of_a_manifest_takes_is_in_none(public: Public) -> None:
    """It would be signed, and refused by everybody who verifies the release."""
    odd = "library/a page?.html"
    with zipfile.ZipFile(public.html.path, "a") as opened:
        opened.writestr(f"python-3.13.6-docs-html/{odd}", "odd")
    (public.docs / odd).write_text("odd")
    (public.docs / odd).chmod(0o644)
    path = public.html.path
    public.html = Artifact(path, path.stat().st_size, sha256_of(path))
    with pytest.raises(StepFailed, match=r"cannot list the documentation page .*a page\?"):
        public.write()
    assert not record_files(public.release)[0].exists()


def test_a_manifest_that_is_public_is_brought_back_and_never_made_anew(public: Public) -> None:
    """Boxes and redirects are others by then, and what users saw is never replaced."""
    made = public.write()
    path = record_files(public.release)[0]
    public.show(made)
    path.unlink()
    _other_latest(public)
    assert public.write() == made
    other = ReleaseManifest.of("3.13.6", [each for each in made.entries if each.content is None])
    public.show(other)
    with pytest.raises(StepFailed, match="with another sha256, or not at all"):
        public.write()


def test_a_manifest_that_somebody_else_put_there_is_never_taken_over(public: Public) -> None:
    """What is brought back is signed next: of a planted one nothing may be believed."""
    made = public.write()
    record = record_files(public.release)[0]
    record.unlink()
    place, bundle = (public.world.root / path for path in record_paths(public.release))
    evil = Entry(EntryKind.FILE, "3.13.6/evil.exe", Content(1, "ab" * 32))
    planted = ReleaseManifest.of("3.13.6", [*made.entries, evil])
    refused = "is public, and its signature .*3.13.6.*sigstore is not a good one of"

    public.show(planted, by="somebody@example.org")
    with pytest.raises(StepFailed, match=refused):
        public.write()
    public.show(made)
    place.write_bytes(planted.to_bytes())
    with pytest.raises(StepFailed, match=refused):
        public.write()
    bundle.unlink()
    with pytest.raises(StepFailed, match=refused):
        public.write()
    public.show(replace(planted, release="9.9.9"))
    with pytest.raises(StepFailed, match=r"is that of 9\.9\.9, wanted 3\.13\.6"):
        public.write()
    place.write_bytes(made.to_bytes() + b"\n")
    with pytest.raises(StepFailed, match=refused):
        public.write()
    assert not record.exists()


def test_signatures_are_made_once_kept_and_brought_back(public: Public) -> None:
    public.write()
    release = public.release
    path, bundle = record_files(release)
    record = Artifact(path, path.stat().st_size, sha256(path.read_bytes()).hexdigest())
    sigstore = Sigstore()

    def look() -> RemoteState:
        return release_manifest.look_signed(release, record, None, sigstore).state

    def sign() -> None:
        release_manifest.sign(release, record, None, sigstore, public.world.host, QUIET)

    assert look() is RemoteState.ABSENT
    sign()
    sign()
    assert look() is RemoteState.IDENTICAL
    assert sigstore.asked == [record.sha256]
    there = public.world.root / record_paths(release)[1]
    there.write_bytes(bundle.read_bytes())
    bundle.unlink()
    sign()
    assert (look(), sigstore.asked) == (RemoteState.IDENTICAL, [record.sha256])
    # One that is right, and in another form, would hide what was added to it.
    bundle.write_bytes(bundle.read_bytes() + b"\n")
    assert look() is RemoteState.ABSENT


ARMOR = b"-----BEGIN PGP SIGNATURE-----\n\niHUE\n=DRJV\n-----END PGP SIGNATURE-----\n"


@pytest.mark.parametrize(
    ("name", "raw", "plain"),
    [
        ("m.json.asc", ARMOR, True),
        ("m.json.asc", ARMOR.replace(b"=DRJV\n", b""), True),
        ("m.json.asc", ARMOR + b"\n", False),
        ("m.json.asc", b"words\n" + ARMOR, False),
        ("m.json.asc", ARMOR.replace(b"\n\n", b"\nComment: x\n\n"), False),
        ("m.json.sigstore", plain_bundle(b'{"b": [1], "a": 2}'), True),
        ("m.json.sigstore", b'{"b": [1], "a": 2}', False),
        ("m.json.sigstore", b"[" * 60_000, False),
        ("m.json.sigstore", b"no", False),
        ("m.json.sigstore", b"", False),
    ],
)
def test_a_signature_beside_it_has_one_form(name: str, raw: bytes, *, plain: bool) -> None:
    assert is_plain_signature(name, raw) is plain
