"""Environment: what programs see of ours, and the one place where it is read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["attended_environment", "exported", "kept_environment", "neutral_environment"]

_KEPT: Final = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "GPG_AGENT_INFO", "GPG_TTY",
    "XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT",
    "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip

_DISPLAY: Final = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS")


def neutral_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What programs see: enough to find their files, nothing that changes their output."""
    return kept_environment(_KEPT, more)


def kept_environment(names: Sequence[str], more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of the environment what is named here, and what makes output the same on any machine."""
    kept = {name: os.environ[name] for name in names if name in os.environ}  # noqa: TID251 - the one place that reads it
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PYTHONHASHSEED": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **(more or {}),
    }


def attended_environment() -> dict[str, str]:
    """Where an agent's own dialogue may ask a person: this terminal or this desktop."""
    found = {name: os.environ[name] for name in _DISPLAY if name in os.environ}  # noqa: TID251 - as above
    terminal = next((number for number in (0, 1, 2) if os.isatty(number)), None)
    if "GPG_TTY" not in os.environ and terminal is not None:  # noqa: TID251 - as above
        found["GPG_TTY"] = os.ttyname(terminal)
    return found


def exported(name: str) -> str:
    """What a person exported for this tool itself; "" if nothing."""
    return os.environ.get(name, "")  # noqa: TID251 - as above
