"""A simulated environment with a published release, to be damaged in one place and restored."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.rebuilds import Others
from checks.verify_context import Clients, Makers, Signers
from checks.whole_release import verify
from checks.whole_series import audit
from doit_receipts.artifact import sha256_of
from plugins.model.farm_settings import Farm
from plugins.model.layout import Layout
from plugins.model.promise import contract_of, local_path
from plugins.model.published_file import Kind, PublishedFile
from plugins.model.rebuild_settings import Rebuilds
from plugins.model.remote_layout import RemoteLayout
from plugins.model.report import Report, Situation, Wanted
from plugins.model.secret import Secret
from plugins.model.series import SigstoreIdentity
from plugins.model.settings import Settings, read_settings, release_of
from plugins.rehearsal import cache, sigstore
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.serving import Addresses, running_world
from plugins.rehearsal.store import Store
from plugins.services.anonymous_client import AnonymousClient
from plugins.services.bounds import Bounds
from plugins.services.folder_host import FolderHost
from plugins.services.git_clone import GitClone
from plugins.services.git_history import GitHistory
from plugins.services.git_remote import GitRemote
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.services.programs import MachinePrograms
from plugins.services.sigstore_client import SigstoreClient
from plugins.services.site_reader import SiteReader
from plugins.steps import tarball
from tests.moments import AT_ONCE
from tests.packing import TarEntry, packed
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.model.contract import Contract
    from plugins.model.release import Release, ReleaseType
    from plugins.rehearsal.identity import Account

PROJECT = Path(__file__).resolve().parents[1]
# The rehearsed site lets a guest ask a hundred times a day, three times for each look.
_LOOKS_A_DAY = 30


class NobodysMachines:
    """A GitHub that has no attestation of anything."""

    def attestations(self, _sha256: str, _predicate_type: str) -> tuple[bytes, ...]:
        """See the port."""
        return ()


_MAKE = Makers(
    tarball.build, tarball.merged_news, Others(Rebuilds(), Farm(), NobodysMachines(), "F" * 40)
)

Members = list[tuple[tarfile.TarInfo, bytes]]


def rehearse(folder: Path) -> Path:
    """A complete release in an environment of its own; the folder with its release.toml."""
    words = [sys.executable, "-m", "doit", "rehearse", AT_ONCE, "--folder", str(folder)]
    subprocess.run(words, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return folder / "3.13.6"


@dataclass
class Released:
    """The environment of one release; ``made`` is the folder that it was rehearsed in."""

    made: Path
    folder: Path
    settings: Settings = field(init=False)
    release: Release = field(init=False)
    contract: Contract = field(init=False)
    addresses: Addresses = field(init=False)
    signers: Signers = field(init=False)
    keyring: Path = field(init=False)
    _running: ExitStack = field(default_factory=ExitStack)
    _looks: int = 0

    def __post_init__(self) -> None:
        self.settings = read_settings(self.made / "release.toml")
        self.release = release_of(self.settings)
        self.contract = contract_of(self.release, self.settings.docs.formats)
        self._true_signers = self.signers = Signers(
            (self.settings.signing.gpg_key,),
            tuple((each.role, each.keys) for each in self.settings.experts),
        )
        self._true_keyring = self.keyring = self.settings.signing.gnupg_home
        self._pristine = self.folder / "pristine"
        self.world = self.folder / "world"
        shutil.copytree(
            self.made / "world", self._pristine, symlinks=True,
            ignore=shutil.ignore_patterns("cpython", "fork.git", "ports.json", "addresses.json"),
        )  # fmt: skip
        self._pristine_local = self.folder / "pristine-local"
        layout = self.release.layout
        for each in (layout.src, layout.docs, layout.bundles):
            shutil.copytree(each, self._pristine_local / each.name)
        shutil.copytree(layout.clone, self._pristine_local / "clone", symlinks=True)
        self.restore()

    # ── as it was ──────────────────────────────────────────────────────────────────────────

    def restore(self) -> None:
        """Everything is as it was when the release was out."""
        self.signers, self.keyring = self._true_signers, self._true_keyring
        for part in ("hosts", "upstream.git", "state/cdn", "state/sigstore"):
            mirror(self._pristine / part, self.world / part)
        for name in ("site", "faults", "github", "site_people", "rekor"):
            file = self._pristine / "state" / f"{name}.json"
            if file.exists():
                shutil.copy2(file, self.world / "state" / file.name)
        shutil.rmtree(self.local.work, ignore_errors=True)
        shutil.rmtree(self.staging, ignore_errors=True)

    def close(self) -> None:
        self._running.close()

    def _run(self) -> None:
        """The environment answers; it is restarted after a number of requests."""
        self._looks += 1
        if self._looks % _LOOKS_A_DAY == 1:
            self._running.close()
            self.addresses = self._running.enter_context(running_world(self.world))

    # ── looking ────────────────────────────────────────────────────────────────────────────

    def look(
        self,
        situation: str = "",
        *,
        fresh: bool = False,
        rebuild: bool = False,
        evidence: bool = False,
    ) -> Report:
        """What `doit verify` finds: as any user, or on the machine of the RM.

        ``local`` and ``staged`` are judged as such there; ``public`` is recognised there, and
        ``rebuilt`` by a user who makes the archives again.
        """
        self._run()
        stated = Situation(situation) if situation in ("local", "staged") else None
        wanted = Wanted(stated, rebuild or situation == "rebuilt", fresh, evidence)
        home = self.local if situation in ("local", "staged", "public") else self.stranger
        release = replace(self.release, layout=home)
        remote = RemoteLayout(release.version)
        return verify(
            release,
            self.contract,
            self.settings.docs.formats,
            self.signers,
            (remote.downloads, remote.docs_archives),
            _MAKE,
            self._clients(home),
            wanted,
        )

    def audit(self, kind: ReleaseType | None = None) -> Report:
        """What `doit verify --audit` finds, as any user; the declared release is of this type."""
        self._run()
        release = replace(self.release, layout=self.stranger, type=kind or self.release.type)
        formats = self.settings.docs.formats
        clients = self._clients(self.stranger)
        return audit(release, formats, self.signers, _MAKE, clients, Wanted())

    def _clients(self, home: Layout) -> Clients:
        programs = MachinePrograms()
        edges = (self.addresses["cdn_a"], self.addresses["cdn_b"])
        client = AnonymousClient(
            self.addresses["cdn"], self.addresses["docs_cdn"], edges,
            home.work / "verify" / "visits.json", bounds=Bounds(10.0, 20_000, 5.0),
        )  # fmt: skip
        upstream = GitRemote(str(self.world / "upstream.git"), programs)
        return Clients(
            client,
            SiteReader(client),
            GitHistory(home.work / "verify" / "upstream", upstream, self.folder, programs),
            FolderHost(self.staging),
            GitClone(home.clone, programs),
            programs,
            GnupgKeyring(self.keyring),
            SigstoreClient(self.settings.signing.sigstore_trust),
            Quiet(),
        )

    @property
    def stranger(self) -> Layout:
        """Another machine: nothing is there but what was fetched before."""
        return Layout(self.folder / "stranger" / "3.13.6", self.release.version)

    @property
    def local(self) -> Layout:
        """The release manager's machine, once ``export`` was called."""
        return Layout(self.folder / "local" / "3.13.6", self.release.version)

    @property
    def staging(self) -> Path:
        """The downloads host as the release manager reaches it, once ``stage`` was called."""
        return self.folder / "staging"

    def export(self) -> None:
        """The export is on the release manager's machine."""
        shutil.copytree(
            self._pristine_local, self.local.work, symlinks=True,
            ignore=shutil.ignore_patterns("bundles"),
        )  # fmt: skip

    def stage(self) -> None:
        """The files wait in the hidden folders."""
        self.export()
        bundles = self.local.bundles
        shutil.copytree(self._pristine_local / bundles.name, bundles)
        remote = RemoteLayout(self.release.version)
        for area in (remote.downloads, remote.docs_archives):
            # The evidence is made when all else is public.
            shutil.copytree(
                self.root / area.final, self.staging / area.staging,
                ignore=shutil.ignore_patterns("*.intoto.jsonl"),
            )  # fmt: skip

    # ── the files ──────────────────────────────────────────────────────────────────────────

    @property
    def root(self) -> Path:
        """The downloads."""
        return self.world / "hosts/downloads/srv/www.python.org/ftp/python"

    @property
    def docs(self) -> Path:
        """The documentation's pages."""
        return self.world / "hosts/docs/srv/docs.python.org/release/3.13.6"

    def file(self, name: str) -> PublishedFile:
        return next(each for each in self.contract.files if each.name == name)

    def path(self, file: PublishedFile) -> Path:
        return self.root / file.remote

    def here(self, file: PublishedFile) -> Path:
        """Where the export has it."""
        path = local_path(file, replace(self.release, layout=self.local))
        assert path is not None
        return path

    def purge(self) -> None:
        """No cache keeps anything, so that it serves what its origin has."""
        shutil.rmtree(self.world / "state" / "cdn", ignore_errors=True)

    def put(self, file: PublishedFile, content: bytes) -> None:
        """The file has other bytes, and everybody knows: rows and caches, but no signature."""
        path = self.path(file)
        path.write_bytes(content)
        path.chmod(0o664)
        self.tell(file, filesize=len(content), sha256_sum=hashlib.sha256(content).hexdigest())
        self.purge()

    # ── who signs ──────────────────────────────────────────────────────────────────────────

    def sign(self, file: PublishedFile, home: GnupgHome, key: str, *words: str) -> None:
        """The signature beside the file is by this key of this home."""
        path = self.path(file)
        made = home.gpg(
            *words, "--pinentry-mode", "loopback", "--passphrase", "", "--local-user", key,
            "--armor", "--detach-sign", "--output", "-", str(path),
        )  # fmt: skip
        path.with_name(f"{path.name}.asc").write_text(made)
        self.purge()

    @property
    def manager(self) -> GnupgHome:
        return GnupgHome(self._true_keyring)

    @property
    def key(self) -> str:
        return self.settings.signing.gpg_key

    def bundle(self, file: PublishedFile, by: Account, sha256: str = "") -> bytes:
        """A new bundle by this account, of the file as it is or of another digest."""
        self._run()
        store = Store(self.world / "state")
        sigstore.write_token(store, by, datetime.now(UTC) + timedelta(hours=1))
        token = Secret(f"file:{sigstore.token_file(store)}")
        client = SigstoreClient(sigstore.trust_file(store), token)
        wanted = sha256 or sha256_of(self.path(file))
        ((_, made),) = client.sign([wanted], SigstoreIdentity(by.email, by.connector))
        return made

    # ── the source archives ────────────────────────────────────────────────────────────────

    def rewrite(self, edit: Callable[[Members], Members], only: str = "") -> None:
        """Both archives, or one, hold other members; signed by the manager, listed by the site."""
        sources = [each for each in self.contract.files if each.kind is Kind.SOURCE]
        stream = self._stream(edit)
        for each in sources:
            if only in ("", each.name):
                content = packed(stream, "gz" if each.name.endswith("tgz") else "xz")
                self.put(each, content)
                self.sign(each, self.manager, self.key)

    def _stream(self, edit: Callable[[Members], Members]) -> bytes:
        with tarfile.open(self.root / "3.13.6/Python-3.13.6.tgz", tarinfo=TarEntry) as tar:
            members = []
            for info in tar:
                source = tar.extractfile(info) if info.isreg() else None
                members.append((info, source.read() if source is not None else b""))
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for info, content in edit(members):
                if info.isreg():
                    info.size = len(content)
                tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
        return out.getvalue()

    # ── the site ───────────────────────────────────────────────────────────────────────────

    def site(self, change: Callable[[dict[str, Any]], None]) -> None:
        """The site's tables are changed behind its back; no cache keeps an older page."""
        path = self.world / "state" / "site.json"
        tables = json.loads(path.read_bytes())
        change(tables)
        path.write_text(json.dumps(tables))
        self.purge()

    def tell(self, file: PublishedFile, **fields: object) -> None:
        """The file's row has these fields; a file without a row is left out."""

        def change(tables: dict[str, Any]) -> None:
            for row in tables["release_file"].values():
                if row["url"] == file.url:
                    row.update(fields)

        self.site(change)

    def flag(self, **fields: object) -> None:
        """The release's own row has these fields."""

        def change(tables: dict[str, Any]) -> None:
            for row in tables["release"].values():
                if row["slug"] == self.contract.page.slug:
                    row.update(fields)

        self.site(change)

    # ── the caches ─────────────────────────────────────────────────────────────────────────

    def keep(self, edge: str, url: str, status: int, body: bytes, kind: str = "") -> None:
        """One cache serves this at the address, whatever its origin has."""
        path = "/" + url.partition("://")[2].partition("/")[2]
        headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:12]}-old"'}
        headers["content-type"] = kind or "application/octet-stream"
        cache.keep(
            Store(self.world / "state"), edge, cache.WWW, path, cache.Kept(status, headers, body)
        )

    # ── upstream ───────────────────────────────────────────────────────────────────────────

    def git(self, *words: str, stdin: bytes = b"") -> str:
        """What git says in upstream's repository."""
        ended = subprocess.run(
            ["git", *words], cwd=self.world / "upstream.git", input=stdin, check=True,
            capture_output=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
        )  # fmt: skip
        return ended.stdout.decode().strip()

    @property
    def tag_payload(self) -> str:
        raw = self.git("cat-file", "tag", "v3.13.6")
        return raw.partition("-----BEGIN PGP SIGNATURE-----")[0]

    def put_tag(self, payload: str, home: GnupgHome | None, key: str = "") -> None:
        """The tag's object is this, signed by this key or by nobody."""
        signature = ""
        if home is not None:
            signature = home.gpg(
                "--pinentry-mode", "loopback", "--passphrase", "", "--local-user", key,
                "--armor", "--detach-sign", "--output", "-", stdin=payload.encode(),
            )  # fmt: skip
        made = self.git(
            "hash-object", "-w", "-t", "tag", "--literally", "--stdin",
            stdin=(payload + signature).encode(),
        )  # fmt: skip
        self.git("update-ref", "refs/tags/v3.13.6", made)


def mirror(source: Path, target: Path) -> None:
    """The target is as the source, times and modes included; what is so already is left."""
    target.mkdir(parents=True, exist_ok=True)
    with os.scandir(source) as entries:
        wanted = {each.name: each for each in entries}
    with os.scandir(target) as entries:
        there = {each.name: each for each in entries}
    for name, each in there.items():
        is_folder = each.is_dir(follow_symlinks=False)
        as_before = name in wanted and wanted[name].is_dir(follow_symlinks=False) == is_folder
        if not as_before and is_folder:
            shutil.rmtree(each.path)
        elif not as_before:
            Path(each.path).unlink()
    there = {name: each for name, each in there.items() if os.path.lexists(each.path)}
    for name, each in wanted.items():
        if each.is_dir(follow_symlinks=False):
            mirror(source / name, target / name)
        elif name not in there or _marks(there[name]) != _marks(each):
            (target / name).unlink(missing_ok=True)
            shutil.copy2(each.path, target / name, follow_symlinks=False)
    if target.stat().st_mode != source.stat().st_mode:
        target.chmod(source.stat().st_mode & 0o7777)


def _marks(entry: os.DirEntry[str]) -> tuple[int, int, int]:
    about = entry.stat(follow_symlinks=False)
    return about.st_mode, about.st_size, about.st_mtime_ns


def rules_of(report: Report) -> set[str]:
    """The rules that found something."""
    return {each.rule for each in report.findings}
