"""How a file that is made after the switch comes to stand beside the others.

The evidence (chapter 15) and the manifest (chapter 16) are both published in this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chapters.release import plan, services
from doit_receipts.calls import call, deferred
from plugins.steps import purging, staging

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doit_receipts.declaration import Declared
    from plugins.model.remote_layout import StagingArea

__all__ = ["declare_publication", "files_of"]


def files_of(paths: Sequence[Path]) -> Any:
    """The files here, as the receipts of their tasks have them."""
    return deferred(staging.wanted, deferred(plan.receipts.artifacts, paths))


def declare_publication(
    what: str,
    after: Declared,
    paths: Sequence[Path],
    area: StagingArea,
    contract: Any,
    known: Any,
    *,
    stands: Sequence[Declared] = (),
    only: bool,
) -> Declared:
    """The files are public in their area, and no cache has the list of the folder without them.

    ``paths`` are the files here; without ``stands`` they are staged, and not published.
    """
    files = files_of(paths)

    @plan.shared(
        name=f"stage_{what}",
        title=f"Upload the {what} to a hidden folder of its own.",
        after=[after],
        reads=paths,
        look=staging.look_staged,
        only=only,
    )
    def stage():
        return call(staging.stage, files, area, services.downloads, services.progress)

    @plan.public(
        name=f"publish_{what}",
        title=f"Publish the {what} beside the files; a published file is never replaced.",
        after=[stage, *stands],
        look=staging.look_switched,
        only=only,
    )
    def publish():
        return call(staging.switch, files, area, services.downloads, services.progress)

    @plan.shared(
        name=f"purge_{what}",
        title=f"Purge the {what} and the list of its folder, and check that each edge serves them.",
        after=[publish],
        look=purging.look_purged,
        only=only,
    )
    def purge():
        return call(
            purging.purge,
            contract,
            services.downloads,
            services.cdn,
            services.progress,
            known=known,
        )

    return purge
