"""20. The archive: when all is over, what is known of the release in one signed file to keep."""

from __future__ import annotations

from chapters.manifest import signer
from chapters.release import experts, plan, release, services, settings
from doit_receipts.calls import call, deferred
from plugins.model.closing_archive import closing_files
from plugins.steps import closing

archived = closing_files(release)
own = {"RM": settings.signing.gpg_key} if settings.signing.gpg_key else {}
people = {who: (key,) for who, key in own.items()} | {each.role: each.keys for each in experts}
kept = deferred(plan.receipts.artifact, archived[0])


def report_page() -> str:
    """The release as ``doit report`` writes it, in one page, as it is at this moment."""
    from doit_receipts.page import Page  # noqa: PLC0415 - only a report is drawn

    return Page(plan).text()


# The tasks that no other task waits for; all others stand before one of them.
@plan.step(
    after=[
        "export",
        "warn_experts",
        "write_invitation",
        "check_site",
        "purge_evidence",
        "purge_manifest",
        "mail_list",
        "mail_announce",
        "mail_dev",
        "mail_committers",
        "post_forum",
        "open_blog",
        "date_pep",
        "await_schedule",
        "flip_blockers",
        "make_labels",
        "lift_reservation",
        "restrict_branch",
        "write_triage",
        "delete_branch",
        "retain_windows_build",
        "await_feed",
        "await_nuget",
        "approve_store",
        "await_store",
        "await_docs",
        "await_followers",
        "propose_defaults",
        "await_new_builders",
        "await_branch_runs",
        "write_late",
    ],
    writes=[release.layout.report, archived[0]],
    pep="V07",
)
def write_archive():
    """Write the report of the release, and one archive of receipts, approvals and texts."""
    return call(
        closing.write,
        release,
        deferred(plan.on_record, "write_archive"),
        deferred(report_page),
        people,
        services.verifier,
        services.progress,
    )


@plan.shared(
    after=[write_archive],
    reads=[archived[0]],
    writes=archived[1:],
    look=closing.look_signed,
    pep="V07",
)
def sign_archive():
    """Sign the archive as the files of its series are signed; the release is closed."""
    return call(closing.sign, release, kept, signer, services.sigstore, services.progress)
