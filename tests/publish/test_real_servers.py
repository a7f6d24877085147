"""A whole day with OpenSSH's own server in place of the rehearsed one, and git over ssh.

Hosts and both remotes are reached through a real sshd, whose disk is this machine's: what users
get at the end is what they get on an undisturbed day.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal import places
from tests.host_world import an_openssh_server, own_group
from tests.publish.day import DONE
from tests.publish.evening import acts, world_of
from tests.publish.walk import EXPORTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.host_world import OpenSsh
    from tests.publish.day import Day
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow

_SAME = ("site", "forum", "protection", "stale caches", "lease")


def reach_by(day: Day, server: OpenSsh) -> None:
    """From now on everything that has an ssh address is reached through this server."""
    text = day.declaration.read_text()
    at = "ssh://downloads.rehearsal"
    roots = {"downloads": places.downloads(day.store), "docs": places.docs(day.store)}
    for name, root in roots.items():
        text = re.sub(rf"(?m)^{name}( *)= .*$", rf'{name}\1= "{at}{root}"', text)
    for name in ("upstream", "fork"):
        text = re.sub(rf"(?m)^{name}( *)= .*$", rf'{name}\1= "{at}{day.world}/{name}.git"', text)
    config = f'ssh_config = "{server.ssh_config}"\n'
    groups = f'downloads_group = "{own_group()}"\ndocs_group = "{own_group()}"\n'
    text = re.sub(r"(?m)^ssh_config .*\n", config + groups, text)
    day.declaration.write_text(text)
    clone = day.world / "cpython" / ".git" / "config"
    clone.write_text(
        clone.read_text().replace(str(day.world / "upstream.git"), f"{at}{day.world}/upstream.git")
    )


def contents(world: dict[str, object]) -> dict[str, object]:
    """What users find by each name, whoever owns it there."""
    return {name: found[3] for name, found in world.items() if isinstance(found, tuple)}


def test_whole_release_over_a_real_ssh_server(
    walk: Walk, tmp_path: Path, observed: Callable[[str, str], None]
) -> None:
    day = walk.day
    day.restore(EXPORTED)
    with an_openssh_server(tmp_path / "sshd") as server:
        reach_by(day, server)
        ended = day.go_on()
        log = (server.folder / "sshd.log").read_text()
    assert ended.status == DONE, ended
    found = world_of(day)
    assert contents(found) == contents(walk.world)
    assert {name: found[name] for name in _SAME} == {name: walk.world[name] for name in _SAME}
    refs = [name for name in walk.world if name.startswith(("upstream ", "fork "))]
    assert {name: found[name] for name in refs} == {name: walk.world[name] for name in refs}
    shown = {name for name in acts(day) if not name.startswith(("mail", "ssh"))}
    assert shown == {name for name in walk.acts if not name.startswith(("mail", "ssh"))}
    logins = log.count("Accepted publickey")
    assert logins
    observed(
        "a real OpenSSH server, git over ssh", f"ends as with the rehearsed one, {logins} logins"
    )
