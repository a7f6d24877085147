"""Expert keys of the simulated environment: what somebody signs beside the files that they made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from plugins.rehearsal.gnupg_home import GnupgHome

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["signature"]


def signature(store: Store, role: str, content: bytes) -> bytes:
    """The detached OpenPGP signature of these bytes by the expert of this role, armoured.

    Where nobody has such a key it is text that is no signature.
    """
    known = store.load("experts", {"keys": {}})
    if role not in known["keys"]:
        return b"no signature\n"
    home = GnupgHome(Path(known["home"]))
    made = home.gpg(
        "--armor", "--local-user", known["keys"][role], "--detach-sign", "--output", "-",
        stdin=content,
    )  # fmt: skip
    return made.encode()
