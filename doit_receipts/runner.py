"""The performance of one task: do it, prove it, and leave its receipt last."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.acting import acts_recorded, change_world
from doit_receipts.approvals import facts_of, judge_again, signature_of
from doit_receipts.errors import ReleaseError, StepFailed, Waiting
from doit_receipts.finding import Finding, Severity, blocking
from doit_receipts.gate_evidence import doubted
from doit_receipts.intents import inputs_digest
from doit_receipts.judged import held_to, judged_files
from doit_receipts.plain_file import NoRegularFile
from doit_receipts.receipt import BrokenReceipt, Receipt
from doit_receipts.state import Outcome
from doit_receipts.task import Kind
from doit_receipts.task_times import stops_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit.exceptions import TaskFailed

    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = [
    "BlockedError",
    "failed",
    "perform",
    "refused_by_disk",
    "shown_subject",
    "situation",
    "subject_of",
]

_OF_THE_DISK: Final = (
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM,
)  # fmt: skip
_IN_THE_WAY: Final = (
    errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENOTEMPTY,
)  # fmt: skip


def perform(plan: Plan, task: Task) -> TaskFailed | None:
    """Do the task and write its receipt; a ReleaseError becomes one line and an outcome.

    So does a disk that takes no more. Anything else that is raised is a bug and goes on to
    doit, which shows its traceback.
    """
    now_s, began_s = plan.context.clock.now().timestamp(), time.monotonic()
    try:
        with plan.context.log.of(task.name), plan.context.running.of(task.name, now_s):
            try:
                _do(plan, task, began_s)
            except ReleaseError as error:
                return failed(plan, task, error)
    except OSError as error:
        return failed(plan, task, refused_by_disk(error, plan.folder.work))
    finally:
        plan.receipts.look_again()
    plan.state.keep_outcome(task.name, None)
    return None


def refused_by_disk(error: OSError, work: Path) -> StepFailed:
    """What to tell of an error of the disk, or of what is in the way below the work folder.

    Raises any other again.
    """
    reason = (error.strerror or str(error)).lower()
    # Of a rename the second one is the name that was wanted.
    path = Path(os.fsdecode(error.filename2 or error.filename or work))
    is_ours = error.errno in _IN_THE_WAY and path.is_relative_to(work)
    if is_ours or isinstance(error, NoRegularFile):
        return StepFailed(
            where=str(_no_folder(path)),
            problem=reason,
            remedy="move it away, then run the same command again",
        )
    # tempfile tries to write in each folder that it knows, and tells of no reason.
    if reason.startswith("no usable temporary directory"):
        return StepFailed(
            where="temporary files",
            problem=reason,
            remedy="make room in one of these, or name a folder that has it in TMPDIR,"
            " then run the same command again",
        )
    if error.errno not in _OF_THE_DISK:
        raise error
    return StepFailed(
        where=os.fsdecode(error.filename or work),
        problem=reason,
        remedy=f"see to {_disks(error, work)}, then run the same command again",
    )


def _no_folder(path: Path) -> Path:
    """The first part of the path that stands there and is no folder, or else the path."""
    parts = (*reversed(path.parents), path)
    return next((each for each in parts if os.path.lexists(each) and not each.is_dir()), path)


def _disks(error: OSError, work: Path) -> str:
    """The disks that the error may be about, each by a folder that is on it."""
    if error.filename is not None and not isinstance(error.filename, int):
        file = work / os.fsdecode(error.filename)
        return f"the disk of {work if file.is_relative_to(work) else file.parent}"
    import tempfile

    # What failed was a file that is open already, which may as well be a temporary one. Looking
    # for their folder writes to it, and fails where there is no room.
    with suppress(OSError):
        temporary = tempfile.gettempdir()
        if Path(temporary).stat().st_dev != work.stat().st_dev:
            return f"the disks of {work} and of {temporary}"
    return f"the disk of {work}"


def failed(plan: Plan, task: Task, error: ReleaseError) -> TaskFailed:
    """The task's last word is the error; for doit, which is told nothing more of it."""
    from doit.exceptions import TaskFailed

    outcome = _outcome_of(error, plan, task)
    began = _began(plan, task, outcome)
    now = plan.context.clock.now().isoformat(timespec="seconds")
    outcome = replace(outcome, since=began or now)
    plan.state.keep_outcome(task.name, outcome)
    for line in (str(error), *error.details):
        plan.context.log.say(plan.completed(line, task.name))
    # A journal that cannot be written says less of a failure than the failure itself.
    with suppress(OSError):
        more = {"since": began} if began else {}
        if task.kind is Kind.APPROVAL and (shown := shown_subject(plan, task)):
            more["subject"] = shown
        plan.context.journal.append(
            outcome.event, sealed=False, task=task.name, said=str(error), **more
        )
    return TaskFailed(str(error), report=False)


def _began(plan: Plan, task: Task, outcome: Outcome) -> str:
    """When the first of the tries ended so that did in a row before this one; "" if none did."""
    before = plan.state.outcome(task.name)
    if before is not None and (before.since or before.event != outcome.event):
        return before.since if before.event == outcome.event else ""
    event, since = stops_in(plan.folder).get(task.name, ("", ""))
    return since if event == outcome.event else ""


def situation(plan: Plan, task: Task) -> str:
    """A digest of all that decides how the task would end now; "" if that cannot be told.

    Before that of an approval stands what it is about: see ``shown_subject``.
    """
    try:
        inputs = plan.receipts.inputs(task)
    except ReleaseError:
        return ""
    if task.kind is Kind.APPROVAL:
        statement = plan.folder.approval(task.name)
        for path in (statement, signature_of(statement)):
            inputs[path.name] = plan.state.digest(path)
        return f"{subject_of(inputs)} {inputs_digest(inputs)}"
    if task.kind is Kind.GATE:
        inputs |= {
            f"waiver {each.rule}": each.describe() for each in plan.receipts.covering_waivers()
        }
    return inputs_digest(inputs)


def shown_subject(plan: Plan, approval: Task) -> str:
    """What the last run that asked for the approval was asking it for; "" if that is not known."""
    outcome = plan.state.outcome(approval.name)
    return outcome.inputs.rpartition(" ")[0] if outcome is not None else ""


def _do(plan: Plan, task: Task, began_s: float) -> None:
    plan.context.see_lock()
    plan.receipts.refuse_foreign(task)
    plan.receipts.refuse_altered(task)
    if task.signs or (task.look is not None and plan.receipts.receipt(task.name) is None):
        _judge_gates_again(plan, task)
        _judge_approvals_again(plan, task)
    before = plan.receipts.inputs(task)
    facts: dict[str, str] = {}
    findings: tuple[str, ...] = ()
    waived: dict[str, str] = {}
    adopted = False
    match task.kind:
        case Kind.GATE:
            findings, waived = _judge(plan, task)
        case Kind.APPROVAL:
            facts = facts_of(plan.project, plan.folder, task, subject_of(before))
        case _ if task.look is not None:
            facts, adopted = change_world(plan, task, before)
        case _:
            with (
                held_to(judged_files(plan, task) if task.signs else {}),
                acts_recorded(plan) if task.asks_others else nullcontext(),
            ):
                for each in task.calls:
                    facts |= _checked(task, each.perform(plan.receipts.fact_text))
    after = plan.receipts.inputs(task)
    if after != before:
        changed = sorted(name for name in before if after.get(name) != before[name])
        raise StepFailed(
            where=task.name,
            problem=f"{', '.join(changed)} changed while it ran, so its result is of neither",
            remedy="run the same command again",
        )
    receipt = _receipt_of(plan, task, after | waived)
    _leave(plan, replace(receipt, facts=facts, findings=findings, adopted=adopted), began_s)


def _receipt_of(plan: Plan, task: Task, inputs: Mapping[str, str]) -> Receipt:
    return Receipt(
        step=task.name,
        version=plan.project.version,
        project=plan.project.name,
        inputs=inputs,
        outputs=_products(plan, task),
        rehearsal=plan.project.rehearsal,
    )


def _judge_gates_again(plan: Plan, act: Task) -> None:
    """Every gate before the act has a receipt that a run left, or judges. Raises BlockedError."""
    for gate, why in doubted(plan, act):
        began_s = time.monotonic()
        plan.context.log.say(f"{gate.name}: {why}, so it judges again")
        inputs = plan.receipts.inputs(gate)
        findings, waived = _judge(plan, gate)
        _leave(plan, replace(_receipt_of(plan, gate, inputs | waived), findings=findings), began_s)


def _judge_approvals_again(plan: Plan, act: Task) -> None:
    """Everything that people had to approve before the act is approved, by their signatures.

    An approval that has served is of no use to anybody any more. Raises Waiting.
    """
    for name in plan.needs(act):
        task = plan.tasks[name]
        receipt = plan.receipts.receipt(name) if task.kind is Kind.APPROVAL else None
        if receipt is not None and not plan.receipts.has_served(task):
            now = situation(plan, task)
            if not now or plan.judged.get(name) != now:
                judge_again(plan.project, plan.folder, task, subject_of(receipt.inputs))
                plan.judged[name] = now


def subject_of(inputs: Mapping[str, str]) -> str:
    """What an approval is bound to: one digest of the results it approves."""
    return inputs_digest({name: each for name, each in inputs.items() if name.startswith("after ")})


def _judge(plan: Plan, gate: Task) -> tuple[tuple[str, ...], dict[str, str]]:
    """What the gate's checks found, and the waivers that let some of it pass, as inputs."""
    found: list[Finding] = []
    for each in gate.calls:
        name = getattr(each.function, "__name__", "it holds")
        plan.context.log.say(f"whether {name.replace('_', ' ')}")
        found += each.perform(plan.receipts.fact_text)
    found.sort(key=lambda finding: (-finding.severity, finding))
    for finding in found:
        plan.context.log.say(str(finding))
    stopping = blocking(found, plan.receipts.covering_waivers())
    if stopping:
        first = stopping[0]
        more = f" (and {len(stopping) - 1} more)" if len(stopping) > 1 else ""
        raise BlockedError(
            where=first.rule,
            problem=f"{first.where + ': ' if first.where else ''}{first.message}{more}",
            remedy=first.remedy or f"mend it, or waive {first.rule} in {plan.project.declaration}",
            details=tuple(str(finding) for finding in stopping[1:]),
        )
    waivers = {each.rule: each for each in plan.receipts.covering_waivers()}
    leaned_on = {each.rule for each in found if each.severity is Severity.BLOCK}
    reported = tuple(
        f"{each} (waived by {waivers[each.rule].by} until {waivers[each.rule].until})"
        if each.rule in leaned_on
        else str(each)
        for each in found
    )
    return reported, plan.receipts.waiver_inputs(leaned_on)


class BlockedError(StepFailed):
    """A gate is shut: a finding blocks and nobody waived it."""


def _outcome_of(error: ReleaseError, plan: Plan, task: Task) -> Outcome:
    message = str(error)
    match error:
        case Waiting():
            kind = f"waiting {error.who}"
            message = error.what
        case BlockedError():
            kind = "blocked"
        case _:
            kind = "failed"
    message = plan.completed(message, task.name)
    details = tuple(plan.completed(line, task.name) for line in error.details)
    return Outcome(kind, situation(plan, task), message, details)


def _checked(task: Task, facts: Any) -> dict[str, str]:
    if not isinstance(facts, dict) or not all(
        isinstance(word, str) for pair in facts.items() for word in pair
    ):
        message = f"{task.name} gave {facts!r} where facts (text to text) are wanted"
        raise TypeError(message)
    return facts


def _products(plan: Plan, task: Task) -> dict[str, str]:
    products = plan.receipts.outputs(task)
    missing = sorted(name for name, digest in products.items() if not digest)
    if missing:
        raise StepFailed(
            where=task.name,
            problem=f"ended well and made no {_listed(missing)}",
            remedy=f"see {plan.folder.log(task.name)}",
        )
    return products


def _leave(plan: Plan, receipt: Receipt, began_s: float) -> None:
    task = plan.tasks[receipt.step]
    if task.look is None:
        # What was done outside is recorded in any case: without, it might be done again.
        plan.context.see_lock()
    try:
        same = plan.receipts.receipt(task.name) == receipt
    except BrokenReceipt:
        same = False
    if task.kind is Kind.GATE:
        # First: a receipt of which the journal does not tell is taken for somebody else's.
        content = None if same else receipt.to_bytes()
        _note(plan, receipt, began_s, hashlib.sha256(content).hexdigest() if content else "")
    if not same:
        plan.receipts.leave(receipt)
    if task.kind is not Kind.GATE:
        _note(plan, receipt, began_s)


def _note(plan: Plan, receipt: Receipt, began_s: float, digest: str = "") -> None:
    """The journal says that the task was done; of a gate that outlives a power cut.

    ``digest`` is that of the receipt's file if it is not there yet.
    """
    is_gate = plan.tasks[receipt.step].kind is Kind.GATE
    digest = digest or plan.state.digest(plan.receipts.receipt_path(receipt.step))
    seal = {"seal": plan.seal_of(receipt.step, digest)} if is_gate else {}
    plan.context.journal.append(
        "done",
        sealed=is_gate,
        task=receipt.step,
        result=receipt.result,
        receipt=digest,
        **seal,
        tool=plan.project.revision(),
        took_s=f"{time.monotonic() - began_s:.2f}",
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
