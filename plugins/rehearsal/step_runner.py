"""Simulated runner: one run of the workflow of steps.

``python -m plugins.rehearsal.step_runner ORDER``, a JSON file, does what the jobs of the workflow
do: the parts of ``plugins.worker``, and then what actions/attest does, with the rehearsed Sigstore.
Beside the order it leaves ``bundle.json``, and ``result`` with the files of the artifact.
A run that only says what it would have made needs no process: see ``SayingRun``.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import traceback
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from plugins.model.action import TEST_SOURCE, action_of
from plugins.model.attested import FACTS_FILE, Attested, demanded, products_of, statement_of
from plugins.model.strict_json import canonical
from plugins.rehearsal import machine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.action import Action

__all__ = ["SayingRun", "attest", "main", "signed"]

_HERE: Final = Path(__file__).parents[2]
_TYPE: Final = "https://github.com/python/release-tools/pep101-step/v1"


def main(file: Path) -> None:
    """The order is done. Raises CalledProcessError for a part that failed."""
    machine.end_with_parent()
    order = json.loads(file.read_bytes())
    room, action = file.parent, file.parent / "action.json"
    write_whole(action, order["action"].encode())
    results, made = room / "tested", room / "made"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    step = json.loads(order["action"])["step"]
    # This is the machine of whoever rehearses, and only the toy is known to do it no harm.
    alone = () if order.get("foreign_tree") else ("--throw-away",)
    if step == "build_docs":
        tools = ("--tools", order["tools"]) if order.get("tools") else ()
        given = ("--out", results, *alone, "--any-machine", "--fork", order["fork"])
        _work("docs", action, room / "work", *given, *tools)
    elif step == "build_tarballs":
        _work("archives", action, room / "work", "--fork", order["fork"])
        shutil.copytree(room / "work" / "src", results, dirs_exist_ok=True)
    else:
        _work("archives", action, room / "work", "--fork", order["fork"])
        _work("test", action, room / "work", "--out", results, *alone, "--any-machine")
    _work("state", action, results, "--out", made, "--run", order["run"], "--tool", order["tool"])
    bundle = attest(made, Path(order["trust"]), order["token"])
    results.rename(room / "result")
    write_whole(room / "bundle.json", bundle.encode())


class SayingRun(threading.Thread):
    """A run that leaves what it would have made, for whoever rehearses the asking alone.

    It begins at once, and needs a fifth of the time of a process that imports Sigstore first. The
    Fulcio and the Rekor that it asks may answer in another thread of this process.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self._file = file
        self._writes = threading.Lock()
        self._ended = False
        self._failed = 0
        self.start()

    def poll(self) -> int | None:
        """None while it goes on; 0, or 1 if it failed, as of a process."""
        return None if self.is_alive() else self._failed

    def end(self) -> None:
        """It writes nothing any more."""
        with self._writes:
            self._ended = True

    def run(self) -> None:
        """What the process of a run does, with the reason of a failure in its log."""
        try:
            left = self._left()
        except Exception:  # noqa: BLE001 - whatever a process would have ended with
            self._failed = 1
            left = {"log.txt": traceback.format_exc().encode()}
        with self._writes:
            for name, content in left.items():
                if not self._ended:
                    write_whole(self._file.parent / name, content)

    def _left(self) -> dict[str, bytes]:
        """The files that it leaves beside the order; the last says that all are there."""
        order = json.loads(self._file.read_bytes())
        action = action_of(order["action"].encode())
        files, facts = _said_of(action)
        products = {name: sha256(content).hexdigest() for name, content in files.items()}
        made = statement_of(action, Attested(order["run"], order["tool"], products, facts))
        bundle = signed(json.loads(made.payload()), Path(order["trust"]), order["token"])
        return {
            **{f"result/{name}": content for name, content in files.items()},
            "made/predicate.json": canonical(dict(made.predicate)),
            "bundle.json": bundle.encode(),
        }


def _said_of(action: Action) -> tuple[dict[str, bytes], dict[str, str]]:
    """Products that only say that it works, and the facts that are attested of them."""
    if action.step == TEST_SOURCE:
        facts = {**demanded(action), "tests": "make test", "ran": "44"}
        return {"tests.json": canonical(facts)}, facts
    facts = demanded(action)
    files = {name: f"not really {name}\n".encode() for name in products_of(action)}
    return {**files, FACTS_FILE: canonical(facts)}, facts


def _work(part: str, *words: str | Path) -> None:
    machine.run_aloud(_HERE, sys.executable, "-m", "plugins.worker", part, *words)


def attest(made: Path, trust_file: Path, token: str) -> str:
    """The bundle of the predicate about the subjects in ``made``, as actions/attest makes it."""
    lines = (made / "subjects.sha256").read_text().splitlines()
    named = [line.split("  ", 1) for line in lines]
    content = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for digest, name in named],
        "predicateType": _TYPE,
        "predicate": json.loads((made / "predicate.json").read_bytes()),
    }
    return signed(content, trust_file, token)


def signed(content: Mapping[str, Any], trust_file: Path, token: str) -> str:
    """The bundle of this statement by whoever the token is of."""
    from sigstore.dsse import Statement  # noqa: PLC0415 - half a second, for a run that passed
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415
    from sigstore.oidc import IdentityToken  # noqa: PLC0415
    from sigstore.sign import SigningContext  # noqa: PLC0415

    statement = Statement(json.dumps(content).encode())
    trust = ClientTrustConfig.from_json(trust_file.read_text())
    context = SigningContext.from_trust_config(trust)
    with context.signer(IdentityToken(token)) as signer:
        text: str = signer.sign_dsse(statement).to_json()
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]))
