"""People: who may write to the rehearsed python.org, and how API and admin know them."""

from __future__ import annotations

import hmac
import secrets
import time
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["Person", "Throttle", "by_password", "by_token", "people"]

Person: TypeAlias = "dict[str, Any]"


def people(store: Store) -> dict[str, Person]:
    """Everybody by user name, with token and password; a release manager if there is none."""
    found: dict[str, Person] = store.load("site_people", {})
    if not found:
        own = {name: secrets.token_hex(20) for name in ("token", "password")}
        found = {"rm": {**own, "staff": True, "active": True}}
        store.save("site_people", found)
    return found


def by_token(store: Store, token: str) -> str:
    """Whose token it is, whether that person is active or not; "" if nobody's."""
    for name, person in people(store).items():
        if hmac.compare_digest(person["token"].encode(), token.encode()):
            return name
    return ""


def by_password(store: Store, name: str, password: str) -> str:
    """The name, if this is the password of an active member of the staff; "" otherwise."""
    person = people(store).get(name)
    if person is None or not (person["active"] and person["staff"]):
        return ""
    return name if hmac.compare_digest(person["password"].encode(), password.encode()) else ""


class Throttle:
    """How often each caller may call in a window of time; forgotten at a restart."""

    def __init__(self, calls: int, window_s: int) -> None:
        self._calls = calls
        self._window_s = window_s
        self._seen: dict[str, list[float]] = {}

    def wait_s(self, caller: str) -> int:
        """How long the caller has to wait; 0 if it may call now."""
        now = time.monotonic()
        seen = [each for each in self._seen.get(caller, []) if each > now - self._window_s]
        self._seen[caller] = seen
        return 0 if len(seen) < self._calls else int(seen[0] + self._window_s - now) + 1

    def count(self, caller: str) -> None:
        """The caller has called once more."""
        self._seen.setdefault(caller, []).append(time.monotonic())
