"""6b. Documentation built on another machine, while the archives are made here."""

from __future__ import annotations

from typing import Any

from chapters.commit import commit
from chapters.hand_over import owner, push_fork
from chapters.release import at, plan, release, services, settings
from checks import machines
from doit_receipts.calls import call, deferred
from plugins.steps import docs_elsewhere, elsewhere

farm = settings.farm
are_elsewhere = release.ships_docs and bool(settings.docs.formats) and farm.runs("build_docs")
docs_actions = deferred(
    docs_elsewhere.actions,
    release,
    settings.docs.formats,
    (settings.docs.constraints, settings.docs.python, settings.docs.lock),
    commit=commit,
)
docs_errand = deferred(
    elsewhere.errand_of, at, farm, docs_actions, services.machines, services.sigstore
)


@plan.shared(after=[push_fork], look=elsewhere.look_asked, pep="B03", only=are_elsewhere)
def start_docs():
    """Ask for a run that builds the documentation, unless somebody has one already."""
    return call(elsewhere.start, docs_errand, services.clock, services.progress, owner=owner)


@plan.step(after=[start_docs], pep="B03", only=are_elsewhere)
def fetch_docs():
    """Wait until the documentation is built, and fetch it with the proof of who built it."""
    return call(
        docs_elsewhere.fetch, docs_errand, services.clock, plan.context.journal, services.progress
    )


@plan.gate(after=[fetch_docs], pep="B03", only=are_elsewhere)
def check_fetched_docs():
    """Stop unless the fetched documentation is what its run attested, and report which run."""
    here = deferred(elsewhere.done_here, plan.context.journal)
    return call(machines.docs_are_attested, at, farm, docs_actions, services.sigstore, here)


def take_docs(*given: Any) -> dict[str, str]:
    """Take what was judged into docs/, with the facts of what fetched it beside what is given."""
    return docs_elsewhere.take(*given, judged=plan.receipts.facts("fetch_docs"))
