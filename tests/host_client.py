"""A client that puts a small release on a rehearsed host, looking before each act.

``host_client.py`` reads JSON lines: where the ssh configuration and the files are. For each it
forks a process that does it all, reports its number, waits for a line, and answers with how it
ended: its exit status, or the signal as a negative number. So what takes longest, imports, is
done once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.probe import Probe, RemoteState
from plugins.model.layout import Layout
from plugins.model.release import Release, type_of
from plugins.model.remote_layout import RemoteLayout
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.services.ssh_host import SshHost
from plugins.services.ssh_line import Address
from plugins.steps import docs_hosting, staging, staging_folders
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plugins.model.content import NamedFile

VERSION = Version.parse("3.13.6")


def publish(ssh_config: Path, source: Path, root: str) -> None:
    """Do what is to be done, each step only if a look says so, as the engine does it."""
    host = SshHost(
        Address("downloads.rehearsal", "", 0, root), "downloads", ssh_config=ssh_config,
        connections=1,
    )  # fmt: skip
    layout = RemoteLayout(VERSION)
    release = Release(
        VERSION, type_of(VERSION), series_of(VERSION), Layout(source / "build", VERSION)
    )
    files, archives = (_wanted(source / name) for name in ("src", "docs"))
    zipped = next(file for file in archives if file.name.endswith("-html.zip"))
    if zipped.source is None:
        raise ValueError(zipped)
    pages = Artifact(zipped.source, zipped.content.size_bytes, zipped.content.sha256)
    quiet = Quiet()
    for area, wanted in ((layout.downloads, files), (layout.docs_archives, archives)):
        _do(
            partial(staging_folders.look_reserved, area, host),
            partial(staging_folders.reserve, area, host),
        )
        _do(
            partial(staging.look_staged, wanted, area, host),
            partial(staging.stage, wanted, area, host, quiet),
        )
        _do(
            partial(staging.look_switched, wanted, area, host),
            partial(staging.switch, wanted, area, host, quiet),
        )
    _do(
        lambda: docs_hosting.look_current(release, layout, host),
        lambda: docs_hosting.point_current(release, layout, host),
    )
    _do(
        lambda: docs_hosting.look_docs_hosted(pages, layout.docs, host),
        lambda: docs_hosting.host_docs(pages, layout.docs, host, quiet),
    )
    host.close()


def _do(look: Callable[[], Probe], act: Callable[[], Mapping[str, str]]) -> None:
    if (first := look()).state is RemoteState.IDENTICAL:
        return
    # What is reserved is gone once it was shown; then the steps behind it have nothing to do.
    if first.state is not RemoteState.ABSENT:
        raise RuntimeError(first)
    act()
    if (second := look()).state is not RemoteState.IDENTICAL:
        raise RuntimeError(second)


def _wanted(folder: Path) -> tuple[NamedFile, ...]:
    return staging.wanted(
        Artifact(path, path.stat().st_size, sha256_of(path)) for path in folder.iterdir()
    )


def serve() -> None:
    """Fork for each line."""
    import fabric  # noqa: F401, PLC0415 - what every child would import
    import stamina  # noqa: F401, PLC0415 - as above

    for line in sys.stdin:
        asked = json.loads(line)
        ready, go = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                os.close(go)
                os.read(ready, 1)
                publish(Path(asked["ssh_config"]), Path(asked["source"]), asked["root"])
                status = 0
            except BaseException:  # noqa: BLE001 - reported, and the parent has the status
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(ready)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdin.readline()
        os.write(go, b"g")
        os.close(go)
        _, ended = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
