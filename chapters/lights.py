"""5. Green lights: the experts' files and approvals, and nobody forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chapters.before import deadline
from chapters.build import build_docs, check_build, check_docs
from chapters.clone import commit
from chapters.hand_over import awaited, open_inboxes, push_fork, request_windows, tell_experts
from chapters.release import (
    SYSTEMS,
    later,
    plan,
    promised,
    release,
    roles,
    services,
    settings,
)
from checks import declared
from doit_receipts.calls import call
from plugins.steps import experts

if TYPE_CHECKING:
    from doit_receipts.declaration import Declared
    from plugins.model.contract import Origin

FULFILLED = {
    "windows": ("X03 X06 X07 X09 X12 X16", "X20 G01 S01"),
    "macos": ("X21 X23", "X24 G02 S01"),
}
"""What the arrival of an expert's files fulfils, and what their approval does."""


def declare_expert(origin: Origin) -> tuple[Declared, Declared]:
    """The expert's files are awaited, and tested by the expert."""
    role, system = origin.value, SYSTEMS[origin]
    arrival, tested = FULFILLED[role]

    @plan.step(
        name=f"await_{role}",
        title=f"Wait until the {system} expert's files are on the host, as they were signed for.",
        after=[push_fork, open_inboxes, tell_experts, request_windows],
        pep=arrival,
        only=role in roles,
    )
    def await_files():
        return call(
            experts.arrived,
            release,
            services.downloads,
            services.verifier,
            promised,
            awaited[role],
            services.clock,
            commit=commit,
            until=deadline,
        )

    @plan.approval(
        name=f"approve_{role}",
        title=f"The {system} expert has tested the installers.",
        who=role,
        of=await_files,
        pep=tested,
        only=role in roles,
    )
    def approve_files():
        return None

    return await_files, approve_files


awaited_files = {}
approvals = []
for each in SYSTEMS:
    awaited_files[each], approval = declare_expert(each)
    approvals.append(approval)


@plan.approval(
    who="docs",
    of=[build_docs, check_docs],
    pep="U15 G03",
    only=release.ships_docs and any(each.role == "docs" for each in settings.experts),
)
def approve_docs():
    """The documentation expert has looked at the documentation."""


@plan.gate(after=[check_build, *approvals, approve_docs], pep="R06 R07 S01 G04")
def check_lights():
    """Stop unless everybody whose files this release promises is named, or comes later."""
    return call(declared.nobody_is_forgotten, release, promised, roles, later)
