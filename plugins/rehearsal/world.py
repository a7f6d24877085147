"""Environment of a rehearsal: a toy CPython with remotes, a throw-away key, a release.toml."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from plugins.model.series import series_of
from plugins.model.version import Level, Version
from plugins.rehearsal import ci_packages, hub, peps, phases, sigstore, ssh_hosts
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.own_clone import copy_clone
from plugins.rehearsal.serving import reserve_ports
from plugins.rehearsal.site_people import people
from plugins.rehearsal.store import Store
from plugins.rehearsal.toy_cpython import make_toy

if TYPE_CHECKING:
    from plugins.model.release import ReleaseType

__all__ = ["before", "branch_of", "ci_files", "home_of", "make_world"]

_USER: Final = "rehearsal"
_STAGES_A_LOOK: Final = 8
"""How fast the pipeline of Windows is, so that a rehearsal need not look a dozen times."""

_DECLARATION: Final = """\
# A rehearsal: nothing outside this folder is touched.
version = "{version}"

[repository]
clone    = "world/cpython"
upstream = "./world/upstream.git"
fork     = "./world/fork.git"

[work]
folder    = "build"
rehearsal = true

[series]
phase = "{phase}"

[signing]
gpg_key           = "{key}"
gnupg_home        = "{home}"
sigstore_identity = "{signer.email}"
sigstore_issuer   = "{signer.connector}"
sigstore_trust    = "{trust}"

[manager]
said = "world/manager.toml"

[tests]
source = "quick"

[docs]
formats = [{formats}]

[hosts]
downloads  = "{downloads}"
docs       = "{docs}"
ssh_config = "{login}"
site       = "{of[site]}"
cdn        = "{of[cdn]}"
cdn_edges  = ["{of[cdn_a]}", "{of[cdn_b]}"]
docs_cdn   = "{of[docs_cdn]}"
blog       = "{of[blog]}"
github     = "{of[github]}"
buildbots  = "{of[buildbots]}"
peps       = "{of[peps]}"
mail       = "{of[mail]}"
forum      = "{of[forum]}"
azure      = "{of[azure]}"
nuget      = "{of[nuget]}"

[credentials]
site       = "file:world/secrets/site"
site_admin = "file:world/secrets/site_admin"
github     = "file:world/secrets/github"
mail       = "file:world/secrets/mail"
forum      = "file:world/secrets/forum"
azure      = "file:world/secrets/azure"
sigstore   = "file:{token}"

[announce]
sender         = "rm@example.org"
list           = "list@example.org"
announce       = "announce@example.org"
dev            = "dev@example.org"
committers     = "committers@example.org"
author         = "Rita Manager"
heads_up       = true
"""

_NEXT: Final = """
[next_series]
manager = "Nina Next"
login   = "nina"
pep     = 845
"""

_SAID: Final = """\
# What is asked of a release manager once.
private_list = 2026-01-15
channel      = 2026-01-15
"""

_EXPERT: Final = """
[experts.{role}]
name = "{name}"
keys = ["{key}"]
mail = "{role}@example.org"
"""
_EXPERTS: Final = {"windows": "Wanda Windows", "macos": "Max Mac"}


_FARM: Final = """
[farm]
engine = "github"
steps  = ["test_source", "build_docs", "build_tarballs"]
tests  = "quick"
attested = ["source"]
"""
_WAIVER: Final = """
[[waivers]]
rule   = "tools.compiler"
reason = "the toy is built without a compiler"
by     = "the rehearsal"
until  = {until}
"""


def make_world(
    folder: Path,
    version: Version,
    clone: Path | None = None,
    habit: str = "manifests",
    kind: ReleaseType | None = None,
    *,
    farm: bool = False,
) -> Path:
    """Make the environment under ``folder`` unless it exists already; returns its release.toml.

    What is released is a toy that is one release before ``version``, or a copy of
    ``clone``. By ``habit`` experts bring their files with signed manifests, or put them where
    users see them (``uploads``). With ``farm`` the sources are tested, documentation is built and
    the archives are made again by seven more processes, as on other machines. With ``kind`` the
    branch of X.Y.0 is about to enter another phase, and nothing is released. What is there is kept
    as it is, so a rehearsal that was interrupted goes on where it stopped. Raises ValueError for a
    clone without the branch of the version, and FileNotFoundError where the key of an earlier run
    is gone, as after a start of the machine: without it nothing can be signed, or go on.
    """
    declaration = folder / "release.toml"
    if declaration.exists():
        if not home_of(folder).is_dir():
            message = f"its keys were in {home_of(folder)}, which is gone; delete {folder}"
            raise FileNotFoundError(message)
        return declaration
    series, version = version.series, phases.next_version(version, kind) if kind else version
    world = folder / "world"
    if world.exists():  # left incomplete
        shutil.rmtree(world)
    if clone is None:
        # Four days of commits followed the last release, and the newest is not stale (Z05).
        released = datetime.now(UTC).date() - timedelta(days=9)  # noqa: TID251 - the simulated side
        make_toy(world, version=str(before(version)), released=released)
    else:
        copy_clone(world, clone, branch_of(version))
    home = home_of(folder)
    key = _key(home)
    formats = ["html", "text", "epub", *(["texinfo"] if shutil.which("makeinfo") else [])]
    store = Store(world / "state")
    addresses = reserve_ports(store)
    theirs = _experts(store, version, world, home)
    _certify(home, key, next(iter(theirs.values()), ""))
    store.save("experts", {**store.load("experts", {}), "habit": habit})
    store.save("azure", {**store.load("azure", {}), "speed": _STAGES_A_LOOK})
    tools = str(folder / "build" / str(version) / "docs-tools")
    steps = {"polls": 1, "works": True, "runs": [], "tools": tools}
    store.save("steps", {**steps, "foreign_tree": clone is not None})
    _let_ci_build(store, folder / "build" / str(version), version, world / "ci")
    _write_secrets(world / "secrets", store)
    write_whole(world / "manager.toml", _SAID.encode())
    sigstore.seed(store, addresses)
    sigstore.sign_in(store)
    text = _DECLARATION.format(
        **ssh_hosts.ADDRESSES,
        login=ssh_hosts.login(store).relative_to(folder),
        of=addresses,
        signer=sigstore.RELEASE_MANAGER,
        trust=sigstore.trust_file(store).relative_to(folder),
        token=sigstore.token_file(store).relative_to(folder),
        version=version,
        phase=peps.phase_of(version).value,
        key=key,
        home=home,
        formats=", ".join(f'"{each}"' for each in formats),
    )
    if clone is not None:
        text = text.replace("rehearsal = true\n", "rehearsal = true\nforeign_tree = true\n", 1)
    if kind is not None:
        today = datetime.now(UTC).date()  # noqa: TID251 - the simulated side
        phases.seed(store, series, kind, today)
        write_whole(declaration, phases.declared(text, series, kind).encode())
        return declaration
    text += _FARM if farm else ""
    text += _NEXT if version.level is Level.ALPHA else ""
    text += "".join(
        _EXPERT.format(role=role, name=_EXPERTS[role], key=key) for role, key in theirs.items()
    )
    if shutil.which("cc") is None:
        until = datetime.now(UTC).date() + timedelta(days=30)  # noqa: TID251 - the simulated side
        text += _WAIVER.format(until=until)
    write_whole(declaration, text.encode())
    return declaration


def _experts(store: Store, version: Version, world: Path, home: Path) -> dict[str, str]:
    """The experts are there and the release manager has their public keys: fingerprints by role."""
    others = GnupgHome(home / "experts")
    if others.folder.exists():  # of an environment that is gone
        others.remove()
    pep = series_of(version).release_pep
    theirs = hub.seed(store, version, world, others.folder, roles=tuple(_EXPERTS), pep=pep)
    for fingerprint in theirs.values():
        GnupgHome(home).gpg("--import", stdin=others.public(fingerprint).encode())
    return theirs


def _certify(home: Path, key: str, by: str) -> None:
    """The release manager's key is certified by this one of a colleague, as PEP 101 hopes for."""
    if not by:
        return
    others, ours = GnupgHome(home / "experts"), GnupgHome(home)
    others.gpg("--import", stdin=ours.public(key).encode())
    others.gpg("--yes", "--local-user", by, "--quick-sign-key", key)
    ours.gpg("--import", stdin=others.public(key).encode())


def _let_ci_build(store: Store, work: Path, version: Version, folder: Path) -> None:
    """CI will build the very archives that the release manager builds, as it should.

    Its packages for mobile systems are in the folder.
    """
    jobs = dict.fromkeys(("build-source", "build-docs", "test-source"), "success")
    files = {"source": ci_files(work, version), **ci_packages.write(folder, version)}
    store.save("ci", {"polls": 1, "jobs": jobs, "runs": [], "files": files})


def ci_files(work: Path, version: Version) -> list[str]:
    """Where the archives will be that the release manager builds, and CI too."""
    return [str(work / "src" / f"Python-{version}{suffix}") for suffix in (".tgz", ".tar.xz")]


def _write_secrets(folder: Path, store: Store) -> None:
    """The secrets that the parts accept are in files that only their owner may read."""
    person = people(store)["rm"]
    secrets = {**hub.SECRETS, "site": person["token"], "site_admin": f"rm:{person['password']}"}
    for name, secret in secrets.items():
        write_whole(folder / name, f"{secret}\n".encode(), mode=0o600)


def home_of(folder: Path) -> Path:
    """Where the throw-away key is kept: a short path, for gpg-agent's socket has to fit in it."""
    name = sha256(str(folder.absolute()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"pep101-{name}"


def _key(folder: Path) -> str:
    """The fingerprint of the one key in the home, made if there is none."""
    folder.mkdir(mode=0o700, exist_ok=True)
    home = GnupgHome(folder)
    listed = home.gpg("--with-colons", "--list-secret-keys")
    found = [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")]
    return found[0] if found else home.key(_USER, expires="1y")


def before(version: Version) -> Version:
    """A version after which this one is the next."""
    major, minor, micro = version.major, version.minor, version.micro
    if version.serial > 1:
        return Version(major, minor, micro, version.level, version.serial - 1)
    match version.level:
        case Level.ALPHA:
            return Version(major, minor, 0, Level.ALPHA, 0)
        case Level.BETA:
            return Version(major, minor, 0, Level.ALPHA, 7)
        case Level.CANDIDATE if not micro:
            return Version(major, minor, 0, Level.BETA, 4)
        case Level.FINAL if not micro:
            return Version(major, minor, 0, Level.CANDIDATE, 3)
        case _:
            return Version(major, minor, micro - 1)


def branch_of(version: Version) -> str:
    """The branch that the version is released from, as PEP 101 says."""
    early = version.level is Level.ALPHA or (version.level is Level.BETA and version.serial == 1)
    return "main" if early else version.series
