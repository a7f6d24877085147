"""A command over ssh on a host that never comes to an end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from plugins.services.sftp import Lost
from plugins.services.ssh_line import Line


class Talking:
    """A channel to a command that says a byte whenever it is listened to, in one of its streams."""

    exit_status = 0

    def __init__(self, *, errors: bool) -> None:
        self._errors = errors
        self.closed = False

    def recv(self, _most: int) -> bytes:
        return b"" if self._errors else b"."

    def recv_stderr(self, _most: int) -> bytes:
        return b"."

    def close(self) -> None:
        self.closed = True

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


@pytest.mark.parametrize("errors", [False, True])
def test_who_talks_on_and_on_is_left(*, errors: bool) -> None:
    channel = Talking(errors=errors)
    transport = SimpleNamespace(open_session=lambda **_: channel)
    line = Line(SimpleNamespace(transport=transport), "host")
    with pytest.raises(Lost, match="does not end"):
        line.command("pep101-worker", b"action", most_bytes=1 << 40, whole_s=0.05)
    assert channel.closed
