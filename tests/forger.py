"""Forger: writes what a run would have left of tasks that no run did, as their files are now.

Beside a dodo.py: ``python forger.py TASK...`` gives each of them a receipt with a true seal, made
from what is there, with the facts of the one that it replaces, and a line in the journal.
``OLD=NEW`` among them is what becomes of a fact's text.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path

from doit_receipts.receipt import Receipt


def main(names: list[str]) -> None:
    """Each task counts as done."""
    sys.path.insert(0, str(Path.cwd()))
    plan = importlib.import_module("dodo").plan
    receipts, project = plan.receipts, plan.project
    plan.import_all()
    facts = dict(each.split("=", 1) for each in names if "=" in each)
    for name in (each for each in names if "=" not in each):
        task = plan.tasks[name]
        before = receipts.receipt(name) or Receipt(
            name, project.version, project=project.name, rehearsal=project.rehearsal
        )
        waived = {each: text for each, text in before.inputs.items() if each[:7] == "waiver "}
        made = replace(
            before,
            inputs=receipts.inputs(task) | waived,
            outputs=receipts.outputs(task),
            facts={each: facts.get(text, text) for each, text in before.facts.items()},
        )
        plan.context.journal.append(
            "done", task=name, result=made.result, receipt=made.write(receipts.receipt_path(name)),
            seal="0" * 32, tool=project.revision(), took_s="0.10",
        )  # fmt: skip
        receipts.look_again()
    plan.state.close()


if __name__ == "__main__":
    main(sys.argv[1:])
