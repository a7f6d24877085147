"""Verify: would somebody who knows only what is public trust this release? No task, no receipt.

`doit verify` judges the artifacts and what is public as they are at this moment, for anybody.
"""

from __future__ import annotations

from chapters.release import contract, release, remote, services, settings
from checks import archived, rebuilds, verify_context, whole_release, whole_series
from doit_receipts.calls import call
from plugins.command.verify_calls import declare_verification
from plugins.steps import tarball


@declare_verification
def judgements():
    """This release, all published ones of its series, and a closing archive; files or none."""
    # late: only doit verify looks
    from plugins.model.report import Wanted  # noqa: PLC0415

    signers = verify_context.Signers(
        (settings.signing.gpg_key,),
        tuple((expert.role, expert.keys) for expert in settings.experts),
    )
    clients = verify_context.Clients(
        services.public_client,
        services.public_site,
        services.history,
        services.downloads,
        services.clone,
        services.programs,
        services.verifier,
        services.sigstore,
        services.progress,
    )
    kept = call(archived.judge, release, clients, release.layout.closing)
    if release.type.begins:
        return None, None, kept
    area, docs_area = remote.downloads, remote.docs_archives
    formats = settings.docs.formats
    key, farm = settings.signing.gpg_key, settings.farm
    others = rebuilds.Others(settings.rebuilds, farm, services.machines, key)
    make = verify_context.Makers(tarball.build, tarball.merged_news, others)
    return (
        call(
            whole_release.verify,
            release,
            contract,
            formats if release.ships_docs else (),
            signers,
            (area, docs_area) if release.ships_docs else (area,),
            make,
            clients,
            Wanted(),
        ),
        call(whole_series.audit, release, formats, signers, make, clients, Wanted()),
        kept,
    )
