"""8. Green lights: everybody who builds or tests has said yes, and nobody is forgotten."""

from __future__ import annotations

from chapters.build import build_docs, check_build, check_docs
from chapters.elsewhere import check_tests, tested_elsewhere
from chapters.installers import approvals, check_brought
from chapters.release import (
    approving,
    builds_windows,
    later,
    plan,
    promised,
    release,
    roles,
    services,
)
from chapters.windows_build import (
    await_windows_build,
    windows_run,
)
from checks import declared, windows_jobs
from doit_receipts.calls import call


@plan.approval(
    who="docs",
    of=[build_docs, check_docs],
    pep="U15 G03",
    only=any(each.role == "docs" for each in approving),
)
def approve_docs():
    """The documentation expert has looked at the documentation."""


@plan.gate(
    after=[
        check_build,
        await_windows_build,
        check_brought,
        *approvals,
        approve_docs,
        *([check_tests] if tested_elsewhere else []),
    ],
    pep="R06 R07 S01 G04 X04 X08 X10 X11 WN10 WN11",
)
def check_lights():
    """Stop if nobody builds a promised file; report what the Windows build left out."""
    ran = call(windows_jobs.every_job_ran, release, services.pipeline, windows_run)
    return [
        call(declared.nobody_is_forgotten, release, promised, roles, later),
        *([ran] if builds_windows else []),
    ]
