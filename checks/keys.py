"""Keys: whether OpenPGP keys of release manager and experts can sign, who vouches (P01, P02)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plugins.model.people_settings import Expert
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.signing import Key, Keyring, Signer

__all__ = [
    "another_person_certified_the_key",
    "keys_of_experts_are_usable",
    "signing_key_is_usable",
]

_LASTS_DAYS: Final = 14


@judges("key.revoked", "key.secret", "key.expired", "key.expiring", blind="key.absent")
def signing_key_is_usable(
    signer: Signer, clock: Clock, days: int = _LASTS_DAYS
) -> tuple[Finding, ...]:
    """The key is in the keyring with its secret part, and valid for ``days`` days from now.

    It signs approvals in every series, archives and tag up to 3.13 (PEP 761). Source: P01, "will
    not expire before the release window closes"; users' gpg calls signatures of an expired key
    doubtful.
    """
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
        problem = f"expires on {key.expires:%Y-%m-%d}, within {counted(days, 'day')}"
        found = _block("key.expiring", name, problem, extend)
    else:
        found = ()
    return found


@judges("approver.absent", "approver.expiring", blind="key.absent")
def keys_of_experts_are_usable(
    experts: Iterable[Expert], keyring: Keyring, clock: Clock, days: int = _LASTS_DAYS
) -> tuple[Finding, ...]:
    """Each expert has a key in the release manager's keyring that is valid for ``days`` days.

    By it their approvals and manifests are verified, late on the day. One of several is enough.
    """
    keys = keyring.keys()
    listed = {key.fingerprint: key for key in keys}
    now = clock.now()
    found = []
    for expert in experts:
        who = f"{expert.name} ({expert.role})"
        known = [listed[name] for name in expert.keys if name in listed]
        if not known:
            problem = f"key {' or '.join(expert.keys)} is not in your keyring"
            remedy = "ask for the public key, then gpg --import it into [signing] gnupg_home"
            found.append(Finding("approver.absent", Severity.WARN, problem, who, remedy))
        elif not any(_lasts(key, now + timedelta(days=days)) for key in known):
            problem = " and ".join(_end_of(key, now) for key in known)
            remedy = "ask for a key that lasts, or for theirs extended, and gpg --import it"
            found.append(Finding("approver.expiring", Severity.WARN, problem, who, remedy))
    return tuple(found)


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


def _lasts(key: Key, until: datetime) -> bool:
    return not key.revoked and (key.expires is None or key.expires >= until)


def _end_of(key: Key, now: datetime) -> str:
    if key.revoked or key.expires is None:
        return f"key {key.fingerprint} is revoked"
    word = "expired" if key.expires <= now else "expires"
    return f"key {key.fingerprint} {word} on {key.expires:%Y-%m-%d}"


def _block(rule: str, name: str, problem: str, remedy: str) -> tuple[Finding, ...]:
    return (Finding(rule, Severity.BLOCK, problem, where=f"key {name}", remedy=remedy),)
