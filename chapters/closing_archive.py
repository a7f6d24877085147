"""20. The closing archive: what is known of the release, in one signed file to keep."""

from __future__ import annotations

from chapters.release import approving, plan, release, services, settings, signer
from doit_receipts.calls import call, deferred
from plugins.model.closing_archive import closing_files, report_file
from plugins.steps import closing

archived = closing_files(release)
own = {"RM": settings.signing.gpg_key} if settings.signing.gpg_key else {}
people = {who: (key,) for who, key in own.items()} | {each.role: each.keys for each in approving}
kept = deferred(plan.receipts.artifact, archived[0])


def report_page() -> str:
    """The release as ``doit report`` writes it, in one page, as it is at this moment."""
    from doit_receipts.page import Page  # noqa: PLC0415 - only a report is drawn

    return Page(plan).text()


# This chapter is read last: all tasks of the release stand before one that is named here.
@plan.step(
    after=plan.ends(),
    writes=[report_file(release), archived[0]],
    pep="V07",
)
def write_archive():
    """Write the report of the release, and a closing archive of receipts, approvals and texts."""
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
    """Sign the closing archive as the files of its series are signed; the release is closed."""
    return call(closing.sign, release, kept, signer, services.sigstore, services.progress)
