"""PEP 101, "Doing Python Releases 101", as one graph of tasks: this is where to begin reading.

``doit list --status`` shows where the release stands. Its tasks are in ``chapters/``, in the
order in which a release runs; each has one sentence, and the arguments of its ``call`` are all that
it can touch. ``pep`` names the obligations of the PEP that a task fulfils. What is ``volatile`` is
asked again in each run until all that stands behind it is done.
"""

from __future__ import annotations

from pathlib import Path

from plugins.command.opening import open_release

release, settings, plan, services = open_release(Path(__file__).with_name("release.toml"))
DOIT_CONFIG = plan.doit_config("export")

# before (with logins) · heads_up · clone (base) · commit · hand_over · windows_build ·
# docs_elsewhere · build (archives) · elsewhere · lights (installers) · stage · texts (page) ·
# merge · switch (go) · upstream · rebuilds · website · evidence (publication) · manifest ·
# announce · close · afterwards · closing_archive; of a change of phase: moment · bugfix_mode ·
# security_only · end_of_life · end_of_tracker · recorded · closing_archive. release says what is
# released, and verify has no task: it judges what others see. In brackets: a chapter's second
# module, whose tasks come first; publication has none, and serves evidence and manifest
# The functions of checks and steps are imported only when a task runs.
plan.read_chapters("chapters", late=("checks", "plugins.steps"))


ONLY_A_PHASE = release.type.begins is not None


@plan.group(
    of=["choose_day", "check_words", "make_end_tag", "list_tracker"]
    if ONLY_A_PHASE
    else ["check_export"]
)
def export():
    """Every local artifact: commit, tag, archives, signatures and checksums, all checked."""


# What is archived at last are the receipts of all that came before.
@plan.group(of=["export", "sign_archive"])
def publish():
    """The whole release, to the announcement and what follows it."""
