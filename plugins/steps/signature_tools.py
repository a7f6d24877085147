"""The programs that can tell who signed an installer: which of them are here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.programs import Programs

__all__ = ["tools_here"]

_TOOLS: Final = ("osslsigncode", "pkgutil", "openssl")


def tools_here(release: Release, programs: Programs) -> str:  # noqa: ARG001 - as every extra input
    """Which of the programs are here; one that is installed later has the signatures looked at."""
    return " ".join(name for name in _TOOLS if programs.find(name))
