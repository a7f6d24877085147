"""Simulated runner: one run of the workflow of steps, in a process of its own.

``python -m plugins.rehearsal.step_runner ORDER``, a JSON file, does what the jobs of the workflow
do: the parts of ``plugins.worker``, and then what actions/attest does, with the rehearsed Sigstore.
Beside the order it leaves ``bundle.json``, and ``result`` with the files of the artifact.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from plugins.model.action import action_of
from plugins.model.attested import demanded, products_of
from plugins.model.strict_json import canonical
from plugins.rehearsal import machine

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["attest", "main", "signed"]

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
    if order["fork"] and step == "build_docs":
        tools = ("--tools", order["tools"]) if order.get("tools") else ()
        given = ("--out", results, "--throw-away", "--any-machine", "--fork", order["fork"])
        _work("docs", action, room / "work", *given, *tools)
    elif order["fork"] and step == "build_tarballs":
        _work("archives", action, room / "work", "--fork", order["fork"])
        shutil.copytree(room / "work" / "src", results, dirs_exist_ok=True)
    elif order["fork"]:
        _work("archives", action, room / "work", "--fork", order["fork"])
        words = ("--out", results, "--throw-away", "--any-machine")
        _work("test", action, room / "work", *words)
    else:
        _say_so(results, json.loads(order["action"]))
    _work("state", action, results, "--out", made, "--run", order["run"], "--tool", order["tool"])
    bundle = attest(made, Path(order["trust"]), order["token"])
    results.rename(room / "result")
    write_whole(room / "bundle.json", bundle.encode())


def _say_so(results: Path, action: Mapping[str, Any]) -> None:
    """What it would have made, for whoever rehearses the asking and not what is done."""
    if action["step"] != "test_source":
        asked = action_of(canonical(dict(action)))
        for name in products_of(asked):
            write_whole(results / name, f"not really {name}\n".encode())
        write_whole(results / "facts.json", canonical(demanded(asked)))
        return
    found = {"level": action["params"]["level"], "python": action["version"], "tests": "make test"}
    text = json.dumps({**found, "ran": "44"}, sort_keys=True, separators=(",", ":"))
    write_whole(results / "tests.json", text.encode())


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
