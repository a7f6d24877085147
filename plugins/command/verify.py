"""The verify command, which checks whether anybody can trust this release.

It is a command and no task. A task leaves a receipt, and a receipt says that something was done
once and for all; what is judged here is what is public at this moment, from any machine, without a
lock and without a trace but a folder of what was fetched.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.command.option import option
from doit_receipts.loader import plan_of
from doit_receipts.typed import started_in
from plugins.command.reports import FORMATS
from plugins.command.verify_calls import declared_verification
from plugins.model.report import Report, Situation, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doit_receipts.calls import Call
    from doit_receipts.finding import Finding
    from doit_receipts.plan import Plan
    from plugins.command.verify_calls import Verification
    from plugins.ports.signing import Verifier

__all__ = ["Verify"]

_FOUND: Final = 1
_SITUATIONS: Final = {
    situation.value: situation
    for situation in Situation
    if situation not in (Situation.NOTHING, Situation.ARCHIVED)
}
_OPT_FORMAT: Final = option(
    "form", f"{', '.join(FORMATS)} [default: %(default)s]", default="table", long="format"
)
_OPT_SITUATION: Final = option(
    "situation",
    f"judge it as {', '.join(_SITUATIONS)} [default: what is recognised]",
    default="",
    long="as",
    metavar="SITUATION",
)
_OPT_FRESH: Final = option("fresh", "fetch everything again, even what has not changed")
_OPT_REBUILD: Final = option(
    "rebuild", "rebuild the archives from the tag and compare them byte for byte; say who else did"
)
_OPT_EVIDENCE: Final = option(
    "evidence", "require signed evidence of who built, tested and approved the release"
)
_OPT_KEYS: Final = option(
    "keys",
    "a file of public keys, used instead of the declared keyring",
    default=[],
    metavar="FILE",
)


_OPT_AUDIT: Final = option("audit", "judge every published release of the series, not this one")
_OPT_ARCHIVE: Final = option(
    "archive",
    "judge this closing archive, of any release, and not this release",
    default="",
    metavar="FILE",
)


class Verify(OptionsAnywhere):
    """Judge the release as anybody can, and report all findings."""

    name = "verify"
    example = "doit verify"
    doc_purpose = "check whether anybody can trust this release"
    doc_usage = ""
    doc_description = None
    cmd_options = (
        _OPT_FORMAT, _OPT_SITUATION, _OPT_FRESH, _OPT_REBUILD, _OPT_EVIDENCE, _OPT_KEYS, _OPT_AUDIT,
        _OPT_ARCHIVE,
    )  # fmt: skip

    def _execute(
        self,
        form: str,
        situation: str,
        fresh: bool,
        rebuild: bool,
        evidence: bool,
        keys: list[str],
        audit: bool,
        archive: str,
        pos_args: Any = None,
    ) -> int:
        if pos_args:
            message = "doit verify takes no task name; it checks the complete release"
            raise InvalidCommand(message)
        if form not in FORMATS:
            message = f"--format {form} is not one of {', '.join(FORMATS)}"
            raise InvalidCommand(message)
        if situation and situation not in _SITUATIONS:
            message = f"--as {situation} is not one of {', '.join(_SITUATIONS)}"
            raise InvalidCommand(message)
        if audit and situation:
            message = "--audit checks what is published; it cannot be combined with --as"
            raise InvalidCommand(message)
        if archive and (audit or situation):
            message = "--archive judges one file; it cannot be combined with --audit or --as"
            raise InvalidCommand(message)
        files = tuple(started_in() / Path(key).expanduser() for key in keys)
        seen = _SITUATIONS.get(situation)
        wanted = Wanted(seen, rebuild, fresh, evidence=evidence, keys=files)
        plan = plan_of(self)
        began = time.monotonic()
        report = (
            judged_archive(plan, started_in() / Path(archive).expanduser(), files)
            if archive
            else judged(plan, wanted, audit=audit)
        )
        self.outstream.write(FORMATS[form](report, time.monotonic() - began))
        plan.state.close()
        return 0 if report.holds else _FOUND


def judged(plan: Plan, wanted: Wanted, *, audit: bool = False) -> Report:
    """What `doit verify` reports. Raises InvalidCommand if no chapter declares a verification."""
    found = _declared(plan)
    call = found.audit if audit else found.judge
    if call is None:
        message = (
            f"{plan.project.version} publishes no file to verify; doit check judges its gates, and"
            " doit verify --archive FILE its closing archive"
        )
        raise InvalidCommand(message)
    report = _performed(plan, call, wanted, wanted.keys)
    # What was waived for one release is not for the others.
    waivers = () if audit else plan.receipts.covering_waivers()
    judgements = tuple(
        dataclasses.replace(judgement, findings=_to_type(plan, judgement.findings))
        for judgement in report.judgements
    )
    return dataclasses.replace(report, judgements=judgements, waivers=waivers)


def judged_archive(plan: Plan, file: Path, keys: Sequence[Path] = ()) -> Report:
    """What `doit verify --archive` reports of a closing archive; nothing in it is waived.

    Signatures are judged with the public keys in these files, or else with those in the archive.
    """
    declared = _declared(plan).archived
    if keys:
        return _performed(plan, declared, file, keys)
    from plugins.services.archived_keys import archived_keyring

    with archived_keyring(file) as keyring:
        return _made(plan, declared, file, keyring)


def _declared(plan: Plan) -> Verification:
    found = declared_verification()
    if found is None:
        message = f"no chapter of {plan.project.version} declares what to verify"
        raise InvalidCommand(message)
    return found


def _performed(plan: Plan, declared: Call, last: object, keys: Sequence[Path]) -> Report:
    """The call was made with another last argument, and with these keys if there are any."""
    if not keys:
        return _made(plan, declared, last)
    from plugins.services.gnupg_signer import keyring_of

    with keyring_of(keys) as keyring:
        return _made(plan, declared, last, keyring)


def _made(plan: Plan, declared: Call, last: object, keyring: Verifier | None = None) -> Report:
    arguments = [*declared.arguments[:-1], last]
    if keyring is not None:
        arguments = [
            dataclasses.replace(argument, verifier=keyring)
            if hasattr(argument, "verifier")
            else argument
            for argument in arguments
        ]
    call = dataclasses.replace(declared, arguments=tuple(arguments))
    report: Report = call.perform(plan.receipts.fact_text)
    return report


def _to_type(plan: Plan, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, each with a remedy that can be typed as it is."""
    return tuple(
        dataclasses.replace(finding, remedy=plan.completed(finding.remedy)) for finding in findings
    )
