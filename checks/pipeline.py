"""Pipeline: whether somebody else's Windows build would get in the way of this release's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.windows_build import is_named_for

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.pipeline import Pipeline

__all__ = ["nobody_else_publishes"]


@judges(blind="windows.busy")
def nobody_else_publishes(release: Release, pipeline: Pipeline) -> tuple[Finding, ...]:
    """No run of another release is under way that publishes too (NEW25).

    The install manager's feed has one writer: of two that publish at once, the second fails with
    "Lost a race with another publish step!" (merge-and-upload.py of python/release-tools).
    """
    tag = release.version.tag
    return tuple(
        Finding(
            "windows.busy",
            Severity.WARN,
            f"run {run.id}, {run.name}, is under way and publishes as well",
            where=run.url,
            remedy="wait until it has ended, or run the failed jobs again of whichever publishes "
            "second",
        )
        for run in pipeline.runs()
        if not run.result
        and not is_named_for(run.name, tag)
        and run.parameters.get("SourceTag") != tag
        and run.parameters.get("DoPublish", "true").lower() == "true"
    )
