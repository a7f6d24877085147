"""Answer: an action that came over ssh is done on this machine, and its owner signs the result.

``python -m plugins.worker.answer --who LOGIN --key FINGERPRINT`` is the one command that the owner
allows the release manager's ssh key (``command=`` in authorized_keys; docs/how-to/rebuild.md). The
action comes by standard input, the answer goes to standard output.

Whoever asks decides which release, and nothing else: where the tag comes from, whose key signs and
where all of it is made are the owner's words. The programs of the tree run confined.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ReleaseError, StepFailed
from plugins.model.action import BUILD_TARBALLS, action_of
from plugins.model.answer import Answer
from plugins.model.ledger import SIGNATURE, SUMS, sums_of
from plugins.ports.foreign_folder import foreign_folder
from plugins.services.git_history import address_for_all
from plugins.services.gnupg_signer import GnupgSigner
from plugins.services.programs import MachinePrograms
from plugins.worker import doing

if TYPE_CHECKING:
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signer

__all__ = ["answered", "main"]

_UPSTREAM: Final = "https://github.com/python/cpython"
_MOST_BYTES: Final = 65_536


class _Shown:
    """Progress on standard error, which ssh brings to whoever asked."""

    def say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def main(words: list[str]) -> int:
    """What was asked for is answered; exit status 1 and one line if it could not be."""
    parser = argparse.ArgumentParser(prog="python -m plugins.worker.answer", description=__doc__)
    parser.add_argument("--who", required=True, help="your login: your folder in the ledger")
    parser.add_argument("--key", required=True, help="the full fingerprint of the key that signs")
    parser.add_argument("--gnupg-home", type=Path, default=Path("~/.gnupg"))
    parser.add_argument("--repository", default=_UPSTREAM, help="who has the tags")
    parser.add_argument(
        "--unconfined", action="store_true", help="run blurb although nothing here can confine it"
    )
    given = parser.parse_args(words)
    signer = GnupgSigner(given.gnupg_home.expanduser(), given.key)
    programs = MachinePrograms(may_be_unconfined=lambda: given.unconfined)
    repository = address_for_all(given.repository)
    try:
        raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
        answer = answered(raw, given.who, repository, signer, programs, _Shown())
    except (ReleaseError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(answer)
    return 0


def answered(
    raw: bytes, who: str, repository: str, signer: Signer, programs: Programs, progress: Progress
) -> bytes:
    """The answer to the action: the sha256 of both archives as made here, signed by ``who``.

    Nothing else stays. Raises StepFailed for any other action, and for a tag of another commit.
    """
    action = action_of(raw)
    if (action.step, action.step_version) != (BUILD_TARBALLS, 1):
        raise StepFailed(
            where="action",
            problem=f"is {action.step}, version {action.step_version}, and this machine makes"
            " archives again and nothing else",
            remedy="ask for build_tarballs",
        )
    with foreign_folder("pep101-worker-") as room:
        archives = doing.rebuild(action, repository, room / "work", programs, progress)
        sums, signature = room / SUMS, room / SIGNATURE
        sums.write_bytes(sums_of({path.name: sha256_of(path) for path in archives}))
        signer.sign(sums, signature)
        made = Answer(who, sums.read_text(), signature.read_text(), action.digest)
    return made.to_bytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
