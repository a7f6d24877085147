"""GnuPG homes of a rehearsal: keys that are worth nothing, in a folder that goes away."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugins.rehearsal.machine import run

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GnupgHome", "gnupg_home"]

# The least that the agent takes; it would try out what keeps this machine busy for a while, twice
# for each passphrase.
_CHEAP_PASSPHRASES: Final = "s2k-count 65536"


class GnupgHome:
    """A keyring and its agent in one folder; keys are ed25519 and sign."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def gpg(self, *words: str, stdin: bytes = b"") -> str:
        """What gpg wrote. Raises CalledProcessError on any status but 0."""
        argv = ("gpg", "--batch", "--quiet", "--no-tty", "--homedir", str(self.folder), *words)
        return run(self.folder, *argv, stdin=stdin)

    def key(
        self, name: str, *, expires: str = "never", made: str = "", passphrase: str = ""
    ) -> str:
        """The fingerprint of a new key of ``name <name@example.org>``, made then and that long."""
        self.gpg(
            *(["--faked-system-time", made] if made else []),
            "--pinentry-mode", "loopback", "--passphrase", passphrase,
            "--quick-generate-key", f"{name} <{name}@example.org>", "ed25519", "sign", expires,
        )  # fmt: skip
        listed = self.gpg("--with-colons", "--list-keys", f"={name} <{name}@example.org>")
        return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))

    def revoke(self, fingerprint: str) -> None:
        """The key is revoked by the certificate that gpg made together with it."""
        file = self.folder / "openpgp-revocs.d" / f"{fingerprint}.rev"
        # gpg puts a colon in front so that nobody revokes a key by accident.
        self.gpg("--import", stdin=file.read_text().replace(":-----BEGIN", "-----BEGIN").encode())

    def public(self, fingerprint: str) -> str:
        """The public key, armoured."""
        return self.gpg("--armor", "--export", fingerprint)

    def agent(self, *lines: str) -> None:
        """The agent starts anew with these lines as its configuration."""
        text = "".join(f"{line}\n" for line in (_CHEAP_PASSPHRASES, *lines))
        (self.folder / "gpg-agent.conf").write_text(text)
        self.stop()

    def stop(self) -> None:
        """The agent has ended; it starts by itself when it is needed."""
        run(self.folder, "gpgconf", "--homedir", str(self.folder), "--kill", "all")

    def remove(self) -> None:
        """The home is gone, and its agent has been told to end."""
        self.stop()
        for _ in range(9):
            # An agent that ends removes its sockets, maybe while we do.
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                return
        shutil.rmtree(self.folder)


@contextmanager
def gnupg_home() -> Iterator[GnupgHome]:
    """A home of its own, gone with its agent when the block ends."""
    # Not below the work folder: the path of an agent's socket may have 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="gpg-"))
    home = GnupgHome(folder)
    home.agent()
    try:
        yield home
    finally:
        home.remove()
