"""8. Installers: the files of the experts have arrived, are proved, and an expert tested them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chapters.before import deadline
from chapters.commit import commit
from chapters.hand_over import awaited, open_inboxes, push_fork, reserve_folder, tell_experts
from chapters.release import (
    SYSTEMS,
    at,
    plan,
    promised,
    release,
    roles,
    services,
)
from chapters.windows_build import (
    fetch_windows_digests,
    request_windows,
)
from checks import beside, brought
from doit_receipts.calls import call, deferred
from plugins.model.published_file import Origin
from plugins.steps import adoption, experts, installer_signatures, signature_tools

if TYPE_CHECKING:
    from doit_receipts.declaration import Declared


FULFILLED = {
    "windows": ("X12 X16", "X20 G01 S01"),
    "macos": ("X21 X23", "X24 G02 S01"),
}
"""What the arrival of an expert's files fulfils, and what their approval does."""


def declare_expert(origin: Origin) -> tuple[Declared, Declared, Declared]:
    """The expert's files have arrived, are on one list, and the expert has tested them."""
    role, system = origin.value, SYSTEMS[origin]
    arrival, tested = FULFILLED[role]

    @plan.step(
        name=f"await_{role}",
        title=f"Wait until the files of {system} are on the host, complete and proved.",
        after=[
            push_fork,
            reserve_folder,
            open_inboxes,
            tell_experts,
            request_windows,
            *([fetch_windows_digests] if origin is Origin.WINDOWS else []),
        ],
        pep=arrival,
        only=role in roles,
    )
    def await_files():
        return call(
            adoption.arrived,
            release,
            services.downloads,
            services.verifier,
            promised,
            awaited[role],
            services.clock,
            commit=commit,
            until=deadline,
        )

    @plan.step(
        name=f"list_{role}",
        title=f"Write the list of the files of {system} that count, with their digests.",
        after=await_files,
        writes=[at.adopted(role)],
        pep=arrival,
        only=role in roles,
    )
    def list_files():
        arrived = deferred(plan.receipts.facts, f"await_{role}")
        return call(experts.keep_adopted, release, role, arrived, commit=commit)

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

    return await_files, list_files, approve_files


awaited_files = {}
listed_files = {}
approvals = []
for each in SYSTEMS:
    awaited_files[each], listed_files[each], approval = declare_expert(each)
    approvals.append(approval)


@plan.step(
    after=list(listed_files.values()),
    reads=[at.adopted(role) for role in roles],
    extra_inputs={"tools": call(signature_tools.tools_here, release, services.programs)},
    only=bool(roles),
)
def verify_installers():
    """Look at who signed each installer, where a program for it is here."""
    return call(
        installer_signatures.verify,
        release,
        services.downloads,
        services.programs,
        services.progress,
        roles,
    )


@plan.gate(
    after=[*listed_files.values(), verify_installers],
    volatile=True,
    pep="X12 X22 Z17",
    only=bool(roles),
)
def check_brought():
    """Stop unless the experts' files are proven, consistent, and nothing else is there."""
    wrong, unverified = (plan.fact(verify_installers, name) for name in ("wrong", "unverified"))
    return [
        call(brought.brought_is_proved, release, promised, roles),
        call(brought.what_files_tell_is_true, release, services.downloads, roles),
        call(beside.experts_brought_sidecars, release, promised, roles),
        call(brought.brought_is_of_its_kind, release, services.downloads, roles),
        call(brought.installers_are_signed, promised, wrong, unverified),
        call(brought.nothing_unexpected_is_public, release, promised, services.downloads, roles),
    ]
