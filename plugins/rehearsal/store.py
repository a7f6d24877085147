"""Store: the state of the simulated environment, in files, so that it survives a restart.

One folder holds three kinds of files: a JSON document for each part of the environment, the
pending faults (``faults.json``), and ``happened.jsonl``, a line for each request that a part
received.
"""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ALWAYS", "Store"]

ALWAYS: Final = -1
"""As a number of times: until it is taken back."""


class Store:
    """The state of one environment. Every change is on the disk before the call returns."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def load(self, name: str, default: Any) -> Any:
        """The document of this name, or ``default`` if there is none yet."""
        try:
            return json.loads((self.folder / f"{name}.json").read_bytes())
        except FileNotFoundError:
            return default

    def save(self, name: str, document: Any) -> None:
        """Keep the document; a reader sees the old one or this one, never a part."""
        text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
        write_whole(self.folder / f"{name}.json", text.encode())

    def record(self, part: str, event: str, **more: Any) -> None:
        """Add a line to the log: which part of the environment received which request.

        No header and no body of a request belongs in it unless the part chose it: it is shown.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")  # noqa: TID251 - the simulated side
        line = json.dumps({"at": now, "part": part, "event": event, **more}, ensure_ascii=False)
        path = self.folder / "happened.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode() + b"\n")
        finally:
            os.close(descriptor)
        self._kill_if_it_is_time()

    def aim(self, pid: int, records: int) -> None:
        """Kill the process ``pid`` at once when so many more things were recorded.

        If it leads a session, all of that die with it: of a run, the worker that acts. They die
        before they get the answer to their request: the environment has the change and the client
        does not know it, which a client has to survive at every one of its writes.
        """
        self.save("aim", {"pid": pid, "left": records})

    def _kill_if_it_is_time(self) -> None:
        aim = self.load("aim", {})
        if not aim:
            return
        aim["left"] -= 1
        self.save("aim", aim if aim["left"] else {})
        if not aim["left"]:
            os.kill(aim["pid"], signal.SIGKILL)
            for each in _in_session_of(aim["pid"]):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)

    def happened(self, part: str = "") -> Iterator[dict[str, Any]]:
        """What happened, oldest first; of one part of the environment, or of all."""
        path = self.folder / "happened.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            entry = json.loads(line)
            if not part or entry["part"] == part:
                yield entry

    def order_fault(self, name: str, *, times: int = 1, argument: str = "") -> None:
        """The fault ``name`` happens the next ``times`` times that it can."""
        faults = self.load("faults", {})
        faults[name] = {"times": times, "argument": argument}
        self.save("faults", faults)

    def fault(self, name: str) -> str | None:
        """The fault's argument ("" if it has none) if it is to happen now, else None.

        A fault that is returned here counts as having happened.
        """
        faults: Mapping[str, Any] = self.load("faults", {})
        ordered = faults.get(name)
        if ordered is None or not ordered["times"]:
            return None
        if ordered["times"] != ALWAYS:
            self.save("faults", {**faults, name: {**ordered, "times": ordered["times"] - 1}})
        self.record("faults", name, argument=ordered["argument"])
        argument: str = ordered["argument"]
        return argument


def _in_session_of(leader: int) -> Iterator[int]:
    """The processes of the session that it leads, where the system lists them in /proc."""
    for each in Path("/proc").glob("[0-9]*"):
        number = int(each.name)
        with suppress(ProcessLookupError):
            if number != leader and os.getsid(number) == leader:
                yield number
