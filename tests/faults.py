"""Single faults of a release, generated where that makes them stronger, each with its rule."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import shutil
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plugins.model.contract import Kind, Origin, PublishedFile, contract_of
from plugins.model.layout import Layout
from plugins.model.release import Release, type_of
from plugins.model.remote_layout import RemoteLayout
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.rehearsal.gnupg_home import GnupgHome
from tests.bundle_faults import bundle_faults
from tests.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Members, Released

__all__ = ["FAULTS"]

_VERSION: Final = Version.parse("3.13.6")
_ROOT: Final = "Python-3.13.6"
_TGZ: Final = f"{_ROOT}.tgz"
_XZ: Final = f"{_ROOT}.tar.xz"
_HTML: Final = "python-3.13.6-docs-html"


def _files() -> tuple[PublishedFile, ...]:
    layout = Layout(Path("nowhere"), _VERSION)
    release = Release(_VERSION, type_of(_VERSION), series_of(_VERSION), layout)
    return contract_of(release).files


FILES: Final = _files()
# One of every kind and size class, and both archives of everything that has two.
_ONE_OF_EACH: Final = tuple(
    each
    for each in FILES
    if each.kind in (Kind.SOURCE, Kind.SBOM, Kind.MANIFEST)
    or each.name.endswith((".tgz.asc", "html.zip", "html.tar.bz2", ".epub", ".pkg", "amd64.exe"))
)
_OURS: Final = tuple(each for each in FILES if each.origin is Origin.EXPORT)


# ── any file, as users get it ────────────────────────────────────────────────────────────────


def _every_file() -> Iterator[Fault]:
    for number, file in enumerate(FILES):
        # The doors take turns, so that each is stale and lacks something of every kind.
        one, other = ("a", "b") if number % 2 else ("b", "a")
        rule = "cache.stale"
        yield Fault(f"{file.name} is gone", "file.missing", _gone(file))
        yield Fault(f"{file.name} is an older one at edge {one}", rule, _stale(file, one))
        yield Fault(f"{file.name} is not there for edge {other}", rule, _not_there(file, other))
    for file in _ONE_OF_EACH:
        yield Fault(f"{file.name} is empty", "file.size", _with(file, lambda _: b""))
        yield Fault(f"{file.name} is not for all to read", "file.closed", _closed(file))
        yield Fault(f"{file.name} has a flipped bit", _rule_of(file), _with(file, _flipped))
        yield Fault(f"{file.name} is cut in half", _cut_rule(file), _with(file, _cut))


def _rule_of(file: PublishedFile) -> str:
    """What tells that bytes which belong to a file are not its own; rows are as they were."""
    if file.row is not None:
        return "row.digest"
    return {
        Kind.SIGNATURE: "signature.unreadable",
        Kind.SBOM: "sbom.content",
        Kind.DOCS: "docs.unreadable",
    }[file.kind]


def _cut_rule(file: PublishedFile) -> str:
    if file.kind is Kind.SOURCE:
        return "archive.unreadable"
    if file.row is not None:
        return "row.size"
    return "sbom.unreadable" if file.kind is Kind.SBOM else _rule_of(file)


def _gone(file: PublishedFile) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.path(file).unlink()
        world.purge()

    return do


def _closed(file: PublishedFile) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.path(file).chmod(0o600)
        world.purge()

    return do


def _with(file: PublishedFile, change: Callable[[bytes], bytes]) -> Callable[[Released], None]:
    """The file's bytes are others, and nothing else is: caches serve them, rows tell the old."""

    def do(world: Released) -> None:
        path = world.path(file)
        path.write_bytes(change(path.read_bytes()))
        world.purge()

    return do


def _flipped(content: bytes) -> bytes:
    """One bit in the middle of what matters: of an SBOM in a digest, else halfway."""
    place = content.rfind(b'"checksumValue": "') + 20 if content[:1] == b"{" else -1
    place = place if place > 20 else len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _stale(file: PublishedFile, edge: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.keep(edge, file.url, 200, b"what stood there before\n" * 9)

    return do


def _not_there(file: PublishedFile, edge: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.keep(edge, file.url, 404, b"Not Found", "text/plain")

    return do


# ── the set ──────────────────────────────────────────────────────────────────────────────────


def _stray(name: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"stray\n" * 20)
        world.purge()

    return do


def _swapped(one: str, other: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        first, second = (world.path(_file(each)) for each in (one, other))
        content = first.read_bytes(), second.read_bytes()
        first.write_bytes(content[1])
        second.write_bytes(content[0])
        world.purge()

    return do


def _file(name: str) -> PublishedFile:
    return next(each for each in FILES if each.name == name)


def _closed_folder(world: Released) -> None:
    (world.root / "3.13.6").chmod(0o2770)
    world.purge()


def _set() -> Iterator[Fault]:
    for name in (
        "3.13.6/python-3.13.6-amd64.exe.old",
        "3.13.6/Python-3.13.6.tar.bz2",
        "3.13.6/index.php",
        "3.13.6/amd64/evil.exe",
        "3.13.6/python-3.13.5.exe",
        "3.13.6/Python-3.13.6.tgz.asc.asc",
        "3.13.6/SHA256SUMS",
        "doc/3.13.6/python-3.13.6-docs-pdf-a4.zip",
        "doc/3.13.6/notes <b>.txt",
    ):
        yield Fault(f"{name} stands there as well", "file.unrecognised", _stray(name))
    for one, other, rule in (
        (_TGZ, _XZ, "archive.unreadable"),
        ("python-3.13.6.exe", "python-3.13.6-amd64.exe", "row.digest"),
        (f"{_TGZ}.asc", f"{_XZ}.asc", "signature.bytes"),
        (f"{_TGZ}.spdx.json", f"{_XZ}.spdx.json", "sbom.archive"),
        (f"{_HTML}.zip", "python-3.13.6-docs-text.zip", "docs.different"),
        ("python-3.13.6-embed-win32.zip", "python-3.13.6-embed-amd64.zip", "row.digest"),
    ):
        yield Fault(f"{one} and {other} are swapped", rule, _swapped(one, other))
    yield Fault("the folder is closed to users", "file.closed", _closed_folder)


# ── signatures ───────────────────────────────────────────────────────────────────────────────


def _signed_by(
    make: Callable[[GnupgHome], tuple[str, tuple[str, ...]]], *, may: bool = False
) -> Callable[[Released], None]:
    """The .tgz is signed by another key, which ``make`` makes; it may sign this version or not."""

    def do(world: Released) -> None:
        # The path of an agent's socket may have 107 bytes at most.
        home = GnupgHome(Path(f"/tmp/pep101-fault-{world.folder.stat().st_ino}"))
        shutil.rmtree(home.folder, ignore_errors=True)
        home.folder.mkdir(mode=0o700)
        home.gpg("--import", stdin=world.manager.public(world.key).encode())
        key, words = make(home)
        world.sign(_file(_TGZ), home, key, *words)
        home.stop()
        world.keyring = home.folder
        if may:
            world.signers = replace(world.signers, manager=(world.key, key))

    return do


def _expired(home: GnupgHome) -> tuple[str, tuple[str, ...]]:
    key = home.key("late", expires="1d", made="20200101T000000!")
    return key, ("--faked-system-time", "20200101T010000!")


def _revoked(home: GnupgHome) -> tuple[str, tuple[str, ...]]:
    key = home.key("gone")
    twin = home.folder / "twin.asc"
    twin.write_text(home.public(key))
    return key, ()


def _foreign(home: GnupgHome) -> tuple[str, tuple[str, ...]]:
    return home.key("somebody"), ()


def _short_lived(home: GnupgHome) -> tuple[str, tuple[str, ...]]:
    key = home.key("brief", made="20200101T000000!")
    return key, ("--faked-system-time", "20200101T010000!", "--default-sig-expire", "1d")


def _revoked_signature(world: Released) -> None:
    _signed_by(_foreign, may=True)(world)
    GnupgHome(world.keyring).revoke(world.signers.manager[1])


def _unknown(world: Released) -> None:
    """The key that signed is in nobody's keyring."""
    _signed_by(_foreign)(world)
    world.keyring = world.manager.folder


def _expert_signs(world: Released) -> None:
    expert = GnupgHome(world.manager.folder / "experts")
    world.sign(_file(_XZ), expert, dict(world.signers.experts)["windows"][0])


def _sig(content: bytes) -> Callable[[Released], None]:
    return _with(_file(f"{_TGZ}.asc"), lambda _: content)


def _two_signatures(world: Released) -> None:
    path = world.path(_file(f"{_TGZ}.asc"))
    path.write_text(path.read_text() * 2)
    world.purge()


def _clear_signed(world: Released) -> None:
    made = world.manager.gpg("--local-user", world.key, "--clearsign", stdin=b"hello\n")
    world.path(_file(f"{_TGZ}.asc")).write_text(made)
    world.purge()


def _other_signed(world: Released) -> None:
    """The archive is another one, rows and caches know, the signature does not."""
    path = world.path(_file(_TGZ))
    world.put(_file(_TGZ), gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=7))


def _signatures() -> Iterator[Fault]:
    for name in (_TGZ, _XZ):
        signature = _file(f"{name}.asc")
        yield Fault(f"{name} has no signature", "signature.missing", _gone(signature))
        yield Fault(f"{name}.asc signs nothing", "signature.missing", _gone(_file(name)))
    rule = "signature.identity"
    yield Fault("a foreign key that is known", rule, _signed_by(_foreign))
    yield Fault("a foreign key that nobody knows", rule, _unknown)
    yield Fault("an expert signed the sources", rule, _expert_signs)
    yield Fault("a key that expired", "signature.expired", _signed_by(_expired, may=True))
    yield Fault("a signature that expired", "signature.expired", _signed_by(_short_lived, may=True))
    yield Fault("a key that is revoked", "signature.revoked", _revoked_signature)
    rule = "signature.unreadable"
    yield Fault("a page of HTML", rule, _sig(b"<!doctype html><title>404</title>" * 5))
    yield Fault("zeros", rule, _sig(bytes(228)))
    yield Fault("an armour around nothing", rule, _sig(
        b"-----BEGIN PGP SIGNATURE-----\n\n=njUN\n-----END PGP SIGNATURE-----\n"))  # fmt: skip
    yield Fault("two signatures in one file", rule, _two_signatures)
    yield Fault("a signed text", rule, _clear_signed)
    yield Fault("packed anew after it was signed", "signature.bytes", _other_signed)


# ── members of the source archives ───────────────────────────────────────────────────────────


def _member(name: str, content: bytes = b"", **more: Any) -> Callable[[Members], Members]:
    """One more member, like the others unless ``more`` says otherwise."""

    def edit(members: Members) -> Members:
        like = members[-1][0]
        made = tarfile.TarInfo(name)
        made.mtime, made.mode = like.mtime, 0o644
        for key, value in more.items():
            setattr(made, key, value)
        return [*members, (made, content)]

    return edit


def _changed(name: str, **more: Any) -> Callable[[Members], Members]:
    """One member that is otherwise."""

    def edit(members: Members) -> Members:
        found = next(each for each, _ in members if each.name == f"{_ROOT}/{name}")
        for key, value in more.items():
            setattr(found, key, value)
        return members

    return edit


def _content(name: str, content: bytes) -> Callable[[Members], Members]:
    def edit(members: Members) -> Members:
        return [(each, content if each.name == f"{_ROOT}/{name}" else old) for each, old in members]

    return edit


def _without(name: str) -> Callable[[Members], Members]:
    def edit(members: Members) -> Members:
        return [pair for pair in members if pair[0].name != f"{_ROOT}/{name}"]

    return edit


def _renamed(members: Members) -> Members:
    for each, _ in members:
        each.name = each.name.replace(_ROOT, "Python-3.13.5", 1)
    return members


def _twice(members: Members) -> Members:
    return [*members, members[-1]]


def _same(members: Members) -> Members:
    return members


def _archives() -> Iterator[Fault]:
    link, device = tarfile.SYMTYPE, tarfile.CHRTYPE
    edits: list[tuple[str, str, Callable[[Members], Members]]] = [
        ("a .pyc", "archive.pyc", _member(f"{_ROOT}/Lib/stray.pyc", b"x")),
        ("a __pycache__", "archive.pyc", _member(f"{_ROOT}/Lib/__pycache__/a.txt", b"x")),
        ("a world-writable member", "archive.mode", _changed("LICENSE", mode=0o666)),
        ("a member for its owner alone", "archive.mode", _changed("LICENSE", mode=0o600)),
        ("a setuid member", "archive.mode", _changed("install-sh", mode=0o4755)),
        ("a closed folder", "archive.mode", _changed("Lib", mode=0o700)),
        ("an owner's number", "archive.owner", _changed("LICENSE", uid=1000)),
        ("an owner's name", "archive.owner", _changed("LICENSE", uname="thomas")),
        ("a group's number", "archive.owner", _changed("LICENSE", gid=20)),
        ("another time", "archive.time", _changed("LICENSE", mtime=1)),
        ("a time to come", "archive.time", _changed("LICENSE", mtime=4_000_000_000)),
        ("an absolute name", "archive.root", _member("/etc/evil", b"x")),
        ("a name that leads up", "archive.name", _member(f"{_ROOT}/../evil", b"x")),
        ("a second folder", "archive.root", _member("evil/setup.py", b"x")),
        ("another version's folder", "archive.root", _renamed),
        ("a link out of it", "archive.link",
         _member(f"{_ROOT}/out", type=link, linkname="../../etc/passwd")),
        ("an absolute link", "archive.link",
         _member(f"{_ROOT}/out", type=link, linkname="/etc/passwd")),
        ("a file below a link", "archive.link",
         lambda members: _member(f"{_ROOT}/ln/x", b"x")(
             _member(f"{_ROOT}/ln", type=link, linkname="Lib")(members))),
        ("a hard link", "archive.type",
         _member(f"{_ROOT}/hard", type=tarfile.LNKTYPE, linkname=f"{_ROOT}/LICENSE")),
        ("a device", "archive.type", _member(f"{_ROOT}/null", type=device)),
        ("a pipe", "archive.type", _member(f"{_ROOT}/pipe", type=tarfile.FIFOTYPE)),
        ("names that differ in case", "archive.name", _member(f"{_ROOT}/license", b"x")),
        ("a member twice", "archive.name", _twice),
        ("a name that Windows keeps", "archive.name", _member(f"{_ROOT}/Lib/aux.py", b"x")),
        ("a name with a colon", "archive.name", _member(f"{_ROOT}/Lib/a:b", b"x")),
        ("a name with a new line", "archive.name", _member(f"{_ROOT}/Lib/a\nb", b"x")),
        ("a name with a space at its end", "archive.name", _member(f"{_ROOT}/Lib/a ", b"x")),
        ("a very long name", "archive.name", _member(f"{_ROOT}/{'x' * 256}", b"x")),
        ("a file that the tag lacks", "archive.tree", _member(f"{_ROOT}/Lib/extra.py", b"x")),
        ("a file less", "archive.tree", _without("Lib/spam.py")),
        ("no NEWS", "archive.tree", _without("Misc/NEWS")),
        ("other content", "archive.tree", _content("Lib/spam.py", b"import os\n")),
        ("an empty file", "archive.tree", _content("LICENSE", b"")),
        ("a program that cannot be run", "archive.tree", _changed("install-sh", mode=0o644)),
        ("a text that can be run", "archive.tree", _changed("LICENSE", mode=0o755)),
        ("files of git", "archive.tree", _member(f"{_ROOT}/.gitattributes", b"x")),
    ]  # fmt: skip
    for name, rule, edit in edits:
        yield Fault(f"archives with {name}", rule, _rewritten(edit))
    extra = _member(f"{_ROOT}/Lib/extra.py", b"x")
    for name in (_TGZ, _XZ):
        yield Fault(f"{name} alone holds more", "archive.differ", _rewritten(extra, name))
    for what, change in (
        ("something behind its end", lambda packed: packed + b"evil"),
        ("two streams", lambda packed: packed + packed),
        ("no end", lambda packed: packed[:-8]),
        ("a page of HTML in its place", lambda _: b"<html>" * 2_000),
        ("a zip in its place", lambda _: _zip({"a": b"x"})),
    ):
        for name in (_TGZ, _XZ):
            yield Fault(f"{name} has {what}", "archive.unreadable", _put(name, change))


def _rewritten(edit: Callable[[Members], Members], only: str = "") -> Callable[[Released], None]:
    return lambda world: world.rewrite(edit, only)


def _put(name: str, change: Callable[[bytes], bytes]) -> Callable[[Released], None]:
    """The archive is changed and signed, and the site knows."""

    def do(world: Released) -> None:
        file = _file(name)
        world.put(file, change(world.path(file).read_bytes()))
        world.sign(file, world.manager, world.key)

    return do


def _zip(content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, each in content.items():
            opened.writestr(name, each)
    return out.getvalue()


# ── SBOMs ────────────────────────────────────────────────────────────────────────────────────


def _sbom(change: Callable[[dict[str, Any]], None]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.path(_file(f"{_TGZ}.spdx.json"))
        told = json.loads(path.read_bytes())
        change(told)
        path.write_text(json.dumps(told))
        world.purge()

    return do


def _other_file_digest(told: dict[str, Any]) -> None:
    for each in told["files"][5]["checksums"]:
        each["checksumValue"] = "0" * len(each["checksumValue"])


def _other_archive(told: dict[str, Any]) -> None:
    cpython = next(each for each in told["packages"] if each["SPDXID"].endswith("PACKAGE-cpython"))
    for each in cpython["checksums"]:
        each["checksumValue"] = "0" * len(each["checksumValue"])


def _bundled(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in told["files"] if each["fileName"].startswith("Modules/toyzip/")]


def _without_bundled(told: dict[str, Any]) -> None:
    for each in _bundled(told):
        told["files"].remove(each)


def _other_bundled(told: dict[str, Any]) -> None:
    for each in _bundled(told):
        each["checksums"][-1]["checksumValue"] = "0" * 64


def _sboms() -> Iterator[Fault]:
    def less(told: dict[str, Any]) -> None:
        del told["files"][3]

    def more(told: dict[str, Any]) -> None:
        told["files"].append({**told["files"][0], "fileName": "Lib/evil.py"})

    def nothing(told: dict[str, Any]) -> None:
        told.clear()

    def no_files(told: dict[str, Any]) -> None:
        told["files"] = "none"

    def no_packages(told: dict[str, Any]) -> None:
        told["packages"] = [None]

    yield Fault("a file less", "sbom.content", _sbom(less))
    yield Fault("a file more", "sbom.content", _sbom(more))
    yield Fault("another digest of a file", "sbom.content", _sbom(_other_file_digest))
    yield Fault("another archive's digest", "sbom.archive", _sbom(_other_archive))
    yield Fault("no bundled file", "sbom.missing_file", _sbom(_without_bundled))
    yield Fault("another bundled file", "sbom.changed_file", _sbom(_other_bundled))
    rule = "sbom.unreadable"
    yield Fault("an empty object", rule, _sbom(nothing))
    yield Fault("no list of files", rule, _sbom(no_files))
    yield Fault("no packages", rule, _sbom(no_packages))
    raw = _file(f"{_XZ}.spdx.json")
    yield Fault("no JSON", rule, _with(raw, lambda _: b"<html>" * 300))
    yield Fault("JSON without an end of brackets", rule, _with(raw, lambda _: b"[" * 200_000))


# ── documentation ────────────────────────────────────────────────────────────────────────────


def _paged(
    change: Callable[[dict[str, bytes]], None], *, both: bool = True
) -> Callable[[Released], None]:
    """The pages of the HTML archives are others, of both or of the zip alone."""

    def do(world: Released) -> None:
        packed, tarred = _file(f"{_HTML}.zip"), _file(f"{_HTML}.tar.bz2")
        with zipfile.ZipFile(world.path(packed)) as opened:
            pages = {
                each.filename: opened.read(each) for each in opened.infolist() if not each.is_dir()
            }
        change(pages)
        world.put(packed, _zip(pages))
        if both:
            world.put(tarred, bz2.compress(_tar(pages)))

    return do


def _tar(pages: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in pages.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _page(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda pages: pages.update({f"{_HTML}/{name}": content})


def _no_page(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda pages: pages.__delitem__(f"{_HTML}/{name}")


def _hosted(name: str, content: bytes | None) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        path = world.docs / name
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        shutil.rmtree(world.world / "state" / "cdn" / "docs", ignore_errors=True)

    return do


def _tar_with(kind: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(f"{_HTML}/out")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    return bz2.compress(out.getvalue())


def _docs() -> Iterator[Fault]:
    page = b"<html><body>new</body></html>"
    rule = "docs.different"
    yield Fault("the zip lacks a page", rule, _paged(_no_page("license.html"), both=False))
    yield Fault("the zip has a page more", rule, _paged(_page("new.html", page), both=False))
    yield Fault("the zip has another page", rule, _paged(_page("license.html", page), both=False))
    text = b"<html><p>New in version 3.13.6 (unreleased)</p></html>"
    rule = "docs.unreleased"
    yield Fault("a page says (unreleased)", rule, _paged(_page("license.html", text)))
    rule = "docs.link"
    for told, link in (
        ("page", b"nowhere.html"),
        ("folder", b"nowhere/"),
        ("file up", b"../x.html"),
    ):
        broken = b'<html><a class="x" href="' + link + b'">x</a></html>'
        yield Fault(f"a link to a {told} that is not there", rule, _paged(_page("a.html", broken)))
    yield Fault("a page is gone that others lead to", rule, _paged(_no_page("license.html")))
    up = {f"{_HTML}/../../evil": b"x", f"{_HTML}/index.html": page}
    zipped = _file(f"{_HTML}.zip")
    tarred = _file(f"{_HTML}.tar.bz2")
    rule = "docs.unreadable"
    yield Fault("a zip that leads up", rule, _with(zipped, lambda _: _zip(up)))
    yield Fault("a zip without pages", rule, _with(zipped, lambda _: _zip({"a": b"x"})))
    yield Fault("an epub that is HTML", rule,
                _with(_file("python-3.13.6-docs.epub"), lambda _: b"<html>" * 300))  # fmt: skip
    for name, kind in (("link", tarfile.SYMTYPE), ("device", tarfile.CHRTYPE)):
        content = _tar_with(kind)
        yield Fault(f"a tar with a {name}", rule, _with(tarred, lambda _, it=content: it))  # type: ignore[misc]
    rule = "docs.hosted"
    yield Fault("a hosted page is another", rule, _hosted("contents.html", page))
    yield Fault("a hosted page is gone", rule, _hosted("whatsnew/changelog.html", None))
    yield Fault("the search index is older", rule, _hosted("searchindex.js", b"Search({})"))
    yield Fault("an archive is not there", "docs.missing", _gone(zipped))
    yield Fault("the epub is not there", "docs.missing", _gone(_file("python-3.13.6-docs.epub")))


# ── the website ──────────────────────────────────────────────────────────────────────────────


def _row(listed: str, **fields: Any) -> Callable[[Released], None]:
    return lambda world: world.tell(_file(listed), **fields)


def _rows(
    change: Callable[[dict[str, Any], dict[str, Any], str], None],
) -> Callable[[Released], None]:
    """The rows of the release are changed by ``change(rows, one of them, its number)``."""

    def do(world: Released) -> None:
        def tables(all_: dict[str, Any]) -> None:
            rows = all_["release_file"]
            url = _file(_TGZ).url
            number = next(key for key, row in rows.items() if row["url"] == url)
            change(rows, rows[number], number)

        world.site(tables)

    return do


def _listed() -> Iterator[Fault]:
    for file in FILES:
        if file.row is None:
            continue
        other = {"sha256_sum": "0" * 64}
        yield Fault(f"another digest of {file.name}", "row.digest", _row(file.name, **other))
        yield Fault(f"another size of {file.name}", "row.size", _row(file.name, filesize=1))
    url = "https://www.python.org/ftp/python/3.13.5/"
    for fields, rule in (
        ({"sha256_sum": ""}, "row.digest"),
        ({"sha256_sum": "md5:0"}, "row.digest"),
        ({"filesize": 0}, "row.size"),
        ({"gpg_signature_file": ""}, "row.sidecar"),
        ({"gpg_signature_file": f"{url}{_TGZ}.asc"}, "row.sidecar"),
        ({"sbom_spdx2_file": ""}, "row.sidecar"),
        ({"sigstore_bundle_file": f"{url}{_TGZ}.sigstore"}, "row.sidecar"),
        ({"download_button": True}, "row.button"),
        ({"is_source": False}, "row.text"),
        ({"name": "Gzipped tarball"}, "row.text"),
        ({"slug": "3136-other"}, "row.text"),
        ({"description": "for nobody"}, "row.text"),
        ({"os": 1}, "row.system"),
        ({"url": f"{url}{_TGZ}"}, "row.missing"),
        ({"url": f"{url}{_TGZ}"}, "row.surplus"),
        ({"url": f"{url}{_TGZ}"}, "page.lacks"),
    ):
        told = ", ".join(f"{key}={value!r}" for key, value in fields.items())
        yield Fault(f"a row with {told}", rule, _row(_TGZ, **fields))
    yield Fault("no button for macOS", "row.button",
                _row("python-3.13.6-macos11.pkg", download_button=False))  # fmt: skip
    yield Fault("a row less", "row.missing", _rows(lambda rows, _, key: rows.__delitem__(key)))
    yield Fault("a row twice", "row.surplus", _rows(
        lambda rows, row, _: rows.update({"999": {**row, "slug": "again"}})))  # fmt: skip
    more = {"url": "https://www.python.org/ftp/python/3.13.6/more.zip", "slug": "more"}
    yield Fault("a row more", "row.surplus", _rows(
        lambda rows, row, _: rows.update({"999": {**row, **more}})))  # fmt: skip


def _flags() -> Iterator[Fault]:
    rule = "site.flags"
    for fields in (
        {"is_published": False},
        {"pre_release": True},
        {"show_on_download_page": False},
        {"slug": "python-31360"},
    ):
        told = ", ".join(f"{key}={value!r}" for key, value in fields.items())
        yield Fault(f"a release with {told}", rule, lambda world, it=fields: world.flag(**it))  # type: ignore[misc]

    def twice(tables: dict[str, Any]) -> None:
        row = next(each for each in tables["release"].values() if each["slug"] == "python-3136")
        tables["release"]["999"] = dict(row)

    def nobody(tables: dict[str, Any]) -> None:
        for row in tables["release"].values():
            row["is_latest"] = False

    def another(tables: dict[str, Any]) -> None:
        row = next(each for each in tables["release"].values() if each["slug"] == "python-3136")
        tables["release"]["999"] = {**row, "slug": "python-3120", "name": "Python 3.12.0"}

    def gone(tables: dict[str, Any]) -> None:
        keys = [key for key, each in tables["release"].items() if each["slug"] == "python-3136"]
        for key in keys:
            del tables["release"][key]

    yield Fault("two releases of one address", rule, lambda world: world.site(twice))
    yield Fault("the release is gone", rule, lambda world: world.site(gone))
    rule = "site.latest"
    yield Fault("no release is the latest", rule, lambda world: world.site(nobody))
    yield Fault("two releases are the latest", rule, lambda world: world.site(another))


# ── caches of pages ──────────────────────────────────────────────────────────────────────────


def _old_page(edge: str, path: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.keep(edge, f"https://www.python.org{path}", 200, b"<html>old</html>", "text/html")

    return do


def _pages() -> Iterator[Fault]:
    for edge in ("a", "b"):
        for path in (
            "/downloads/release/python-3136/",
            "/downloads/",
            "/downloads/source/",
            "/downloads/windows/",
            "/downloads/macos/",
            "/ftp/python/3.13.6/",
            "/ftp/python/",
            "/ftp/python/doc/",
            "/ftp/python/doc/3.13.6/",
        ):
            yield Fault(f"{path} is old at edge {edge}", "cache.stale_page", _old_page(edge, path))

    def hidden(world: Released) -> None:
        (world.root / "index.html").write_text("<html>nothing here</html>")
        world.purge()

    yield Fault("the list of all releases lacks it", "page.lacks", hidden)


# ── tag and branch ───────────────────────────────────────────────────────────────────────────


def _ref(*words: str) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.git("update-ref", *words)

    return do


def _tagged(change: Callable[[str], str], who: str = "manager") -> Callable[[Released], None]:
    """The tag's object says something else, signed by the manager, an expert or nobody."""

    def do(world: Released) -> None:
        payload = change(world.tag_payload.rstrip("\n") + "\n")
        homes = {
            "manager": (world.manager, world.key),
            "expert": (
                GnupgHome(world.manager.folder / "experts"),
                dict(world.signers.experts)["windows"][0],
            ),
            "nobody": (None, ""),
        }
        world.put_tag(payload, *homes[who])

    return do


def _moved(to: str) -> Callable[[Released], None]:
    """The manager signs a tag of the same name for another commit."""

    def do(world: Released) -> None:
        old, new = world.git("rev-parse", "v3.13.6^{commit}"), world.git("rev-parse", to)
        _tagged(lambda payload: payload.replace(old, new))(world)

    return do


def _edited_tag(world: Released) -> None:
    """The object is changed after it was signed."""
    raw = world.git("cat-file", "tag", "v3.13.6") + "\n"
    changed = raw.replace("tagger ", "tagger Not ", 1)
    made = world.git("hash-object", "-w", "-t", "tag", "--literally", "--stdin",
                     stdin=changed.encode())  # fmt: skip
    world.git("update-ref", "refs/tags/v3.13.6", made)


def _new_commit(world: Released) -> None:
    """The tag names a commit of the same tree that stands on no branch."""
    tree = world.git("rev-parse", "v3.13.6^{tree}")
    made = world.git(
        "-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", tree, "-m", "x"
    )
    _moved(made)(world)


def _refs() -> Iterator[Fault]:
    yield Fault("no tag", "tag.missing", _ref("-d", "refs/tags/v3.13.6"))
    yield Fault("no branch", "tag.missing", _ref("-d", "refs/heads/3.13"))
    yield Fault("a light tag", "tag.light", _ref("refs/tags/v3.13.6", "v3.13.6^{commit}"))
    yield Fault("another release's tag object", "tag.name", _tagged(
        lambda payload: payload.replace("tag v3.13.6", "tag v3.13.7")))  # fmt: skip
    yield Fault("another release's message", "tag.name", _tagged(
        lambda payload: payload.replace("Python 3.13.6", "Python 3.13.60")))  # fmt: skip
    same = _tagged(lambda payload: payload, "expert")
    yield Fault("a tag signed by an expert", "tag.signature", same)
    unsigned = _tagged(lambda payload: payload, "nobody")
    yield Fault("a tag signed by nobody", "tag.signature", unsigned)
    yield Fault("a tag changed after it was signed", "tag.signature", _edited_tag)
    yield Fault("a tag on the commit before", "tag.version", _moved("v3.13.6^{commit}^"))
    yield Fault("a tag on the release before", "tag.version", _moved("v3.13.5^{commit}"))
    yield Fault("a tag on the commit before, by its tree", "archive.tree",
                _moved("v3.13.6^{commit}^"))  # fmt: skip
    yield Fault("a folder that the release before had", "archive.previous", _lost_folder)
    yield Fault("a tenth of the files of the release before", "archive.previous", _lost_files)
    yield Fault("a tag on no branch", "tag.branch", _new_commit)
    yield Fault("a branch set back", "tag.branch", _ref("refs/heads/3.13", "v3.13.6^{commit}^"))


def _before(world: Released, lines: list[str]) -> None:
    """The release before held these as well, each as ``git mktree`` reads it."""
    listed = world.git("ls-tree", "v3.13.6^{commit}").splitlines()
    tree = world.git("mktree", stdin="\n".join([*listed, *lines, ""]).encode())
    made = world.git(
        "-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", tree, "-m", "before"
    )
    world.git("update-ref", "refs/tags/v3.13.5", made)


def _lost_folder(world: Released) -> None:
    listed = world.git("rev-parse", "v3.13.6^{commit}:Lib")
    _before(world, [f"040000 tree {listed}\tDemo"])


def _lost_files(world: Released) -> None:
    blob = world.git("hash-object", "-w", "--stdin", stdin=b"x")
    _before(world, [f"100644 blob {blob}\tnotes-{number}.txt" for number in range(400)])


# ── the export, before anything is public ────────────────────────────────────────────────────


def _here(file: PublishedFile, act: Callable[[Path], object]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.export()
        act(world.here(file))

    return do


def _linked(path: Path) -> None:
    path.rename(path.with_name(f".{path.name}"))
    path.symlink_to(f".{path.name}")


def _sums(change: Callable[[str], str]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.export()
        path = world.local.checksums
        path.write_text(change(path.read_text()))

    return do


def _no_sums(world: Released) -> None:
    world.export()
    world.local.checksums.unlink()


def _stray_here(world: Released) -> None:
    world.export()
    (world.local.src / "notes.txt").write_text("x")


def _no_tag_here(world: Released) -> None:
    world.export()
    for path in (world.local.clone / ".git").rglob("v3.13.6"):
        path.unlink()


def _exported() -> Iterator[Fault]:
    at = "local"
    for file in _OURS:
        yield Fault(f"{file.name} is gone", "file.missing", _here(file, Path.unlink), at)
    for file in _OURS[:4]:
        yield Fault(f"{file.name} may be written by all", "file.mode",
                    _here(file, lambda path: path.chmod(0o666)), at)  # fmt: skip
    tgz = _file(_TGZ)
    yield Fault("an archive is a link", "file.mode", _here(tgz, _linked), at)
    yield Fault("an archive can be run", "file.mode",
                _here(tgz, lambda path: path.chmod(0o755)), at)  # fmt: skip
    yield Fault("a file that no task made", "file.unrecognised", _stray_here, at)
    yield Fault("no SHA256SUMS", "checksums.missing", _no_sums, at)
    rule = "checksums.form"
    yield Fault("an empty line", rule, _sums(lambda text: text + "\n"), at)
    yield Fault("a line cut short", rule, _sums(lambda text: text[:-3]), at)
    yield Fault("a path in it", rule, _sums(lambda text: text.replace("  ", "  ../", 1)), at)
    yield Fault("a line twice", rule, _sums(lambda text: text + text.splitlines()[0] + "\n"), at)
    rule = "checksums.unlisted"
    yield Fault("a line less", rule, _sums(lambda text: text.partition("\n")[2]), at)
    more = f"{'0' * 64}  more.zip\n"
    yield Fault("a line more", rule, _sums(lambda text: text + more), at)
    yield Fault("another digest", "checksums.differs",
                _sums(lambda text: "0" * 64 + text[64:]), at)  # fmt: skip
    yield Fault("an archive changed since", "checksums.differs", _here(
        tgz, lambda path: path.write_bytes(_flipped(path.read_bytes()))), at)  # fmt: skip
    yield Fault("no tag in the clone", "tag.missing", _no_tag_here, at)


def _staged(name: str, act: Callable[[Path], object]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.stage()
        act(world.staging / RemoteLayout(_VERSION).downloads.staging / name)

    return do


def _waiting() -> Iterator[Fault]:
    at = "staged"
    yield Fault("a staged file is gone", "file.missing", _staged(_XZ, Path.unlink), at)
    yield Fault("an installer is gone", "file.missing",
                _staged("python-3.13.6-macos11.pkg", Path.unlink), at)  # fmt: skip
    yield Fault("a staged file is empty", "file.size",
                _staged(_XZ, lambda path: path.write_bytes(b"")), at)  # fmt: skip
    yield Fault("a staged file may be written by all", "file.mode",
                _staged(_XZ, lambda path: path.chmod(0o666)), at)  # fmt: skip
    yield Fault("a staged file is closed", "file.mode",
                _staged(_XZ, lambda path: path.chmod(0o600)), at)  # fmt: skip
    yield Fault("a staged file is a link", "file.mode", _staged(_XZ, _relinked), at)
    yield Fault("a staged file nobody knows", "file.unrecognised",
                _staged("evil.exe", lambda path: path.write_bytes(b"x" * 99)), at)  # fmt: skip
    half = _staged(f"{_XZ}.partial", lambda path: path.write_bytes(b"x" * 99))
    yield Fault("a half upload", "file.unrecognised", half, at)
    for name in (_TGZ, _XZ, f"{_TGZ}.asc", f"{_TGZ}.spdx.json"):
        yield Fault(f"another {name} is staged", "staged.differs",
                    _staged(name, lambda path: path.write_bytes(_flipped(path.read_bytes()))),
                    at)  # fmt: skip


def _relinked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _at_home(world: Released) -> None:
    """Users get another file than the one that was exported; everything public agrees."""
    world.export()
    file = _file("python-3.13.6-docs-text.zip")
    path = world.path(file)
    with zipfile.ZipFile(path) as opened:
        pages = {each.filename: opened.read(each) for each in opened.infolist()}
    world.put(file, _zip(pages))


def _tag_at_home(world: Released) -> None:
    world.export()
    _tagged(lambda payload: payload.replace(" +0000", " +0100"))(world)


def _rebuilt(world: Released) -> None:
    """Nothing is wrong with the archive but that the tag gives another: packed otherwise."""
    _other_signed(world)
    world.sign(_file(_TGZ), world.manager, world.key)


def _elsewhere() -> Iterator[Fault]:
    at = "public"
    yield Fault("users get another file than was exported", "file.other_here", _at_home, at)
    yield Fault("upstream has another tag than was made", "tag.other_here", _tag_at_home, at)
    yield Fault("packed otherwise than the tag gives", "rebuild.differs", _rebuilt, "rebuilt")


FAULTS: Final[tuple[Fault, ...]] = (
    *_every_file(),
    *_set(),
    *_signatures(),
    *bundle_faults(FILES),
    *_archives(),
    *_sboms(),
    *_docs(),
    *_listed(),
    *_flags(),
    *_pages(),
    *_refs(),
    *_exported(),
    *_waiting(),
    *_elsewhere(),
)
"""Every fault, in the order in which a release could have them."""
