"""Everything that a release can reach, opened at first use.

Making a reach connects to nothing and imports nothing heavy; ``doit list`` works on a train.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.flow.desk import StepLog
    from plugins.model.release import Release
    from plugins.model.settings import Settings
    from plugins.ports import Base, Clock, Clone, Programs, Progress, Sboms, Signer

__all__ = ["Reach"]


class Reach:
    """The ports of one release; each attribute is named after its port."""

    def __init__(self, settings: Settings, release: Release, log: StepLog, clock: Clock) -> None:
        self._settings = settings
        self._release = release
        self._log = log
        self._lent: tuple[int, ...] = ()
        self.clock = clock

    def lend(self, descriptor: int) -> None:
        """Programs that are started from now on inherit the descriptor."""
        self._lent = (descriptor,)

    @property
    def progress(self) -> Progress:
        """Where long work says what it is doing."""
        return self._log

    @cached_property
    def programs(self) -> Programs:
        """The programs of this machine."""
        from plugins.services.programs import MachinePrograms

        return MachinePrograms(self._log.record, lambda: self._lent)

    @cached_property
    def base(self) -> Base:
        """The release manager's own clone, only ever read."""
        from plugins.services.git_base import GitBase

        repository = self._settings.repository
        return GitBase(
            repository.clone,
            self.programs,
            branch=self._release.branch,
            wanted=repository.base,
            upstream=repository.upstream,
        )

    @cached_property
    def clone(self) -> Clone:
        """The release clone."""
        from plugins.services.git_clone import GitClone

        return GitClone(self._release.layout.clone, self.programs)

    @cached_property
    def signer(self) -> Signer:
        """OpenPGP with the release manager's key."""
        from plugins.services.gnupg_signer import GnupgSigner

        signing = self._settings.signing
        return GnupgSigner(signing.gnupg_home, signing.gpg_key)

    @cached_property
    def sboms(self) -> Sboms:
        """The maker of software bills of materials."""
        from plugins.services.spdx import SpdxDocuments

        return SpdxDocuments()
