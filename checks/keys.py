"""Keys: whether the release manager's OpenPGP key can sign, and who vouches for it (P01, P02)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.signing import Signer

__all__ = ["another_person_certified_the_key", "signing_key_is_usable"]


@judges("key.revoked", "key.secret", "key.expired", "key.expiring", blind="key.absent")
def signing_key_is_usable(
    release: Release, signer: Signer, clock: Clock, days: int = 14
) -> tuple[Finding, ...]:
    """The key is in the keyring with its secret part, and valid for ``days`` days from now.

    A series without OpenPGP signatures needs none (PEP 761). Source: P01, "will not expire
    before the release window closes"; users' gpg calls signatures of an expired key doubtful.
    """
    if not release.signs_with_gpg:
        return ()
    name = signer.fingerprint
    listed = signer.keys()
    key = next((each for each in listed if each.fingerprint == name), None)
    now = clock.now()
    if key is None:
        return _block(
            "key.absent", name, "is not in the keyring",
            "set [signing] gpg_key and gnupg_home; gpg --list-secret-keys shows what is there",
        )  # fmt: skip
    extend = f"extend it, then publish it again: {key.extending}"
    if key.revoked:
        found = _block("key.revoked", name, "is revoked", "name another key in [signing] gpg_key")
    elif not key.secret:
        problem = "has no secret key here that can sign"
        found = _block(
            "key.secret", name, problem, "insert its smart card, or import the secret key"
        )
    elif key.expires is not None and key.expires <= now:
        found = _block("key.expired", name, f"expired on {key.expires:%Y-%m-%d}", extend)
    elif key.expires is not None and key.expires < now + timedelta(days=days):
        problem = f"expires on {key.expires:%Y-%m-%d}, within {days} days"
        found = _block("key.expiring", name, problem, extend)
    else:
        found = ()
    return found


@judges("key.uncertified", blind="key.absent")
def another_person_certified_the_key(
    release: Release, signer: Signer, clock: Clock
) -> tuple[Finding, ...]:
    """Somebody else's key certifies the one that signs, as far as the keyring here can tell (P02).

    PEP 101 hopes for it and no more, so its absence is a note. That key has to be in the keyring,
    or nothing can be said of what it signed.
    """
    name = signer.fingerprint
    if not release.signs_with_gpg:
        return ()
    listed = signer.keys()
    if all(each.fingerprint != name for each in listed) or signer.certifiers(clock.now()):
        return ()
    return (
        Finding(
            "key.uncertified",
            Severity.NOTE,
            "is certified by nobody else whose key is in the keyring",
            where=f"key {name}",
            remedy="import the keys of other release managers, or ask one of them to certify it: "
            f"gpg --quick-sign-key {name}",
        ),
    )


def _block(rule: str, name: str, problem: str, remedy: str) -> tuple[Finding, ...]:
    return (Finding(rule, Severity.BLOCK, problem, where=f"key {name}", remedy=remedy),)
