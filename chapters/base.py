"""3. The base: what is released from is upstream's, and the release clone is made of it."""

from __future__ import annotations

from chapters.before import check_key, check_tools
from chapters.release import at, plan, release, services, settings
from checks import base as base_checks
from checks import clone_state, docs_lock, docs_python
from doit_receipts.calls import call
from doit_receipts.task import Effect
from plugins.steps import release_clone

base = {"base": call(release_clone.base_of, services.base)}


@plan.gate(
    extra_inputs=base,
    volatile=True,
    takes={"cores": 1},
    pep="R02 Q09 E00 Z05",
)
def check_base():
    """Stop unless the base is upstream's head, leads to this version, and that is the next one."""
    ours, chosen = (release, services.base), settings.repository.base
    return [
        call(clone_state.base_leads_to_version, *ours),
        call(clone_state.version_is_next, *ours),
        call(clone_state.tag_is_free, *ours, services.clone),
        call(clone_state.base_is_recent, *ours, services.clock),
        call(base_checks.base_is_upstreams_head, *ours, services.upstream_now, chosen),
        call(base_checks.identity_is_known, *ours),
        call(docs_python.docs_python_is_here, *ours, services.programs, settings.docs),
        call(docs_lock.tools_are_locked, *ours, settings.docs.lock),
    ]


@plan.step(
    effect=Effect.CLONE,
    after=[check_tools, check_key, check_base],
    extra_inputs=base,
    writes=[at.clone_ref("base")],
    pep="Q10 Q11 Q12 Q13",
)
def make_clone():
    """Make the release clone from yours, which is only read, with the cherry-picks if any."""
    return call(
        release_clone.make,
        services.clone,
        services.base,
        services.progress,
        cherry_picks=settings.repository.cherry_picks,
        step="base",
    )
