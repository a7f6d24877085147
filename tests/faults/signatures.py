"""Faults of signatures, by key, time and bytes."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.rehearsal.gnupg_home import GnupgHome
from tests.faults.fault import TGZ, XZ, Fault, file_of
from tests.faults.files import changed_to, gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.released import Released

__all__ = ["other_signed", "signature_faults"]


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
        world.sign(file_of(TGZ), home, key, *words)
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
    world.sign(file_of(XZ), expert, dict(world.signers.experts)["windows"][0])


def _sig(content: bytes) -> Callable[[Released], None]:
    return changed_to(file_of(f"{TGZ}.asc"), lambda _: content)


def _two_signatures(world: Released) -> None:
    path = world.path(file_of(f"{TGZ}.asc"))
    path.write_text(path.read_text() * 2)
    world.purge()


def _clear_signed(world: Released) -> None:
    made = world.manager.gpg("--local-user", world.key, "--clearsign", stdin=b"hello\n")
    world.path(file_of(f"{TGZ}.asc")).write_text(made)
    world.purge()


def other_signed(world: Released) -> None:
    """The archive is another one, rows and caches know, the signature does not."""
    path = world.path(file_of(TGZ))
    world.put(file_of(TGZ), gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=7))


def signature_faults() -> Iterator[Fault]:
    for name in (TGZ, XZ):
        signature = file_of(f"{name}.asc")
        yield Fault(f"{name} has no signature", "signature.missing", gone(signature))
        yield Fault(f"{name}.asc signs nothing", "signature.missing", gone(file_of(name)))
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
    yield Fault("packed anew after it was signed", "signature.bytes", other_signed)
