"""Single faults of bundles: whoever made them, whatever they are of, whatever is in them."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plugins.model.published_file import Kind
from plugins.rehearsal.identity import GITHUB, GOOGLE, Account
from plugins.rehearsal.sigstore import RELEASE_MANAGER
from tests.faults.fault import FILES, TGZ, Fault, file_of
from tests.faults.files import gone
from tests.rehearsal.sigstore_client import a_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["bundle_faults"]

_PKG: Final = "python-3.13.6-macos11.pkg"
_OLD: Final = hashlib.sha256(b"Python-3.13.5.tgz").hexdigest()


def _made(name: str, by: Account, sha256: str = "") -> Callable[[Released], None]:
    """The file's bundle is another one: by this account, or of a file with another digest."""

    def do(world: Released) -> None:
        file = world.file(name)
        _write(world, name, world.bundle(file, by, sha256))

    return do


def _write(world: Released, name: str, bundle: bytes) -> None:
    world.path(world.file(f"{name}.sigstore")).write_bytes(bundle)
    world.purge()


def _bytes(name: str, content: bytes) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        _write(world, name, content)

    return do


def _read(world: Released, name: str) -> Any:
    return json.loads(world.path(world.file(f"{name}.sigstore")).read_bytes())


def _edited(edit: Callable[[Any], None]) -> Callable[[Released], None]:
    """Something in the bundle of the .tgz is otherwise."""

    def do(world: Released) -> None:
        told = _read(world, TGZ)
        edit(told)
        _write(world, TGZ, json.dumps(told).encode())

    return do


def _entry(told: Any) -> Any:
    return told["verificationMaterial"]["tlogEntries"][0]


def _put(place: Callable[[Any], Any], key: str, value: Any) -> Callable[[Released], None]:
    def edit(told: Any) -> None:
        place(told)[key] = value

    return _edited(edit)


def _from_another(place: Callable[[Any], Any], *keys: str) -> Callable[[Released], None]:
    """A part of the bundle is that of another file's bundle, which is a good one."""

    def do(world: Released) -> None:
        told, other = _read(world, TGZ), _read(world, _PKG)
        for key in keys:
            place(told)[key] = place(other)[key]
        _write(world, TGZ, json.dumps(told).encode())

    return do


def _swapped(world: Released) -> None:
    first, second = _read(world, TGZ), _read(world, _PKG)
    _write(world, TGZ, json.dumps(second).encode())
    _write(world, _PKG, json.dumps(first).encode())


def _elsewhere(world: Released) -> None:
    """Somebody runs a Sigstore of their own, where they are whoever they like."""
    with tempfile.TemporaryDirectory() as folder, a_client(Path(folder) / "world") as client:
        (made,) = client.sign(world.path(world.file(TGZ)).read_bytes())
    _write(world, TGZ, made.to_json().encode())


def _replaced(world: Released) -> None:
    """The installer is another one, and rows and caches know: nothing else signs it."""
    file = world.file(_PKG)
    world.put(file, world.path(file).read_bytes() + b"evil")


def bundle_faults() -> Iterator[Fault]:
    manager = RELEASE_MANAGER
    for file in FILES:
        if file.kind is Kind.BUNDLE:
            yield Fault(f"{file.name} is not there", "bundle.missing", gone(file))
    for name in (TGZ, _PKG):
        alone = f"the bundle of {name} stands alone"
        yield Fault(alone, "bundle.missing", gone(file_of(name)))
    rule = "bundle.identity"
    yield Fault("somebody else", rule, _made(TGZ, Account("evil@example.org", GITHUB)))
    yield Fault("the same address elsewhere", rule, _made(TGZ, Account(manager.email, GOOGLE)))
    yield Fault("an expert", rule, _made(_PKG, Account("macos@example.org", GITHUB)))
    close = Account(f"{manager.email}.example.net", GITHUB)
    yield Fault("an address that begins alike", rule, _made(TGZ, close))
    yield Fault("an issuer that begins alike", rule, _made(
        TGZ, Account(manager.email, f"{GITHUB}.example.net")))  # fmt: skip
    rule = "bundle.bytes"
    yield Fault("of the release before", rule, _made(TGZ, manager, _OLD))
    yield Fault("two bundles are swapped", rule, _swapped)
    yield Fault("an installer that was replaced", rule, _replaced)
    rule = "bundle.untrusted"
    yield Fault("by a Sigstore of one's own", rule, _elsewhere)
    message = lambda told: told["messageSignature"]  # noqa: E731 - the place, by its name
    material = lambda told: told["verificationMaterial"]  # noqa: E731 - as above
    yield Fault("another file's signature", rule, _from_another(message, "signature"))
    yield Fault("another file's entry", rule, _from_another(material, "tlogEntries"))
    yield Fault("another file's place in the log", rule, _from_another(_entry, "logIndex"))
    yield Fault("another file's proof", rule, _from_another(_entry, "inclusionProof"))
    yield Fault("another file's promise", rule, _from_another(_entry, "inclusionPromise"))
    yield Fault("another file's body", rule, _from_another(_entry, "canonicalizedBody"))
    yield Fault("a time to come", rule, _put(_entry, "integratedTime", "4000000000"))
    yield Fault("a time before the key", rule, _put(_entry, "integratedTime", "1500000000"))
    yield Fault("a log that nobody knows", rule, _put(_entry, "logId", {"keyId": "AAAA"}))
    rule = "bundle.unreadable"
    yield Fault("no entry of the log", rule, _put(material, "tlogEntries", []))
    yield Fault("no certificate", rule, _edited(_without_certificate))
    yield Fault("a kind to come", rule, _edited(lambda told: told.update(mediaType="sigstore/9")))
    for told, content in (
        ("a page of HTML", b"<!doctype html><title>404</title>" * 5),
        ("zeros", bytes(8_000)),
        ("an empty object", b"{}" + b" " * 100),
        ("an OpenPGP signature", b"-----BEGIN PGP SIGNATURE-----\n\n=njUN\n" * 4),
        ("60,000 brackets", b"[" * 60_000),
    ):
        yield Fault(f"as bundle {told}", rule, _bytes(TGZ, content))
    yield Fault("a bundle of 1 MB", "file.closed", _bytes(TGZ, b" " * 1_000_000))


def _without_certificate(told: Any) -> None:
    material = told["verificationMaterial"]
    for key in ("certificate", "x509CertificateChain"):
        material.pop(key, None)
