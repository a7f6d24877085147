"""Windows build: the form that starts the pipeline of Windows, as it is for each series.

The release manager starts it (python/release-tools, run_release.py ``start_windows_build``). Its
stages build, sign, pack and test, and put the files straight into the folder that users see.
Parameters, labels, stages and jobs: windows-release/azure-pipelines.yml, state of 2026-07-22.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from plugins.model.release import Release

__all__ = [
    "CERTIFICATE",
    "DEFINITION",
    "LEFT_OUT",
    "REMOTES",
    "Box",
    "form_of",
    "is_named_for",
    "jobs_of",
    "makes_store_packages",
    "parameters_of",
    "range_of",
    "tells_series",
]

DEFINITION: Final = 21
"""The pipeline's number in the project https://dev.azure.com/Python/cpython."""
CERTIFICATE: Final = "PythonSoftwareFoundation"
"""The certificate that signs a release; its use has to be approved in each stage that signs."""
REMOTES: Final = (
    "python", "savannahostrowski", "hugovk", "Yhg1s", "pablogsal", "ambv", "zooba",
)  # fmt: skip
"""The Git remotes that the form offers by name; any other is written into a second field."""
_OTHER: Final = "(Other)"

# Label of the form, its parameter, and the series that need it: first and last minor, included.
_SERIES_BOXES: Final = (
    ("Separate free-threaded outputs", "Post315OutputDir", 15, 999),
    ("Build with tail-calling support", "DoTailCalling", 15, 999),
    ("Produce EXE/MSI installer", "DoMSI", 0, 15),
    ("Build the JIT compiler", "DoJIT", 14, 999),
    ("Include GPG signatures", "DoGPG", 0, 13),
    ("Produce Store packages", "DoMSIX", 0, 13),
    ("Include free-threaded builds", "DoFreethreaded", 13, 999),
)
LEFT_OUT: Final = {
    "GitRemote_Other": "",
    "DoARM64": "true",
    "DoPGO": "true",
    "DoPGOARM64": "true",
    "DoLayout": "true",
    "DoPyManager": "true",
    "DoNuget": "true",
    "DoEmbed": "true",
    "TestMSI": "true",
    "BuildToPublish": "current",
    "BuildToPackage": "current",
    "SigningDescription": "(default)",
    "vmImage": "",
    "SignNuget": "false",
    "DoJITEnabled": "false",
    "DoJITFreethreaded": "false",
}
"""What keeps the form's own default, which has to be this one; "" for any."""
# Job by its name on the page, what it is repeated for, and the series that have it.
_JOBS: Final = (
    ("Python PGO build", ("amd64", "arm64"), 0, 999),
    ("Pack Nuget bundles", ("amd64", "win32", "arm64"), 0, 999),
    ("Pack MSIX bundles", ("amd64", "amd64_store", "arm64", "arm64_store"), 0, 13),
    ("Test Embed", ("win32", "amd64"), 0, 999),
    ("Test MSI", ("win32_User", "win32_Machine", "amd64_User", "amd64_Machine"), 0, 15),
    ("Test Nuget", ("win32", "amd64"), 0, 999),
    ("Test PyManager", ("win32", "amd64"), 0, 999),
)
_RANGE: Final = r"\(3\.(?P<minor>[0-9]{1,3}) and (?P<way>later|earlier)\)"
_SERIES: Final = r"\b3\.[0-9]{1,3}"


@frozen
class Box:
    """One field of the form: its label, its parameter in the API, and what it has to hold."""

    label: str
    parameter: str
    value: str | bool

    @property
    def in_api(self) -> str:
        """The value as the API takes it: ``true`` and ``false`` for a box."""
        return str(self.value).lower() if isinstance(self.value, bool) else self.value


def form_of(release: Release, owner: str, commit: str) -> tuple[Box, ...]:
    """Every field of the form that matters, in the form's order.

    ``owner`` is the account of the fork that has the tag. What is left out keeps the form's own
    default, which fits every series that is released (``LEFT_OUT``).
    """
    remote: tuple[Box, ...] = (Box("Git remote", "GitRemote", owner),)
    if owner not in REMOTES:
        remote = (
            Box("Git remote", "GitRemote", _OTHER),
            Box("If Other, specify Git remote", "GitRemote_Other", owner),
        )
    minor = release.version.minor
    return (
        *remote,
        Box("Git tag", "SourceTag", release.version.tag),
        Box("Git commit", "SourceCommit", commit),
        Box("Publish release", "DoPublish", value=True),
        Box("Code signing certificate", "SigningCertificate", CERTIFICATE),
        *(
            Box(label, parameter, first <= minor <= last)
            for label, parameter, first, last in _SERIES_BOXES
        ),
    )


def parameters_of(form: tuple[Box, ...]) -> dict[str, str]:
    """The form as the API takes it."""
    return {box.parameter: box.in_api for box in form}


def makes_store_packages(release: Release) -> bool:
    """Whether the build leaves packages that somebody has to bring to the Microsoft Store."""
    boxes = {box.parameter: box.value for box in form_of(release, "", "")}
    return release.type.is_final and bool(boxes["DoMSIX"])


def jobs_of(release: Release) -> dict[str, tuple[str, ...]]:
    """The jobs that build, pack and test what is promised, by kind, as the run's page names them.

    Free-threaded ones are not among them. Source: stage-build.yml, stage-pack-*.yml and
    stage-test-*.yml of windows-release; a job of a matrix has its key behind its name, as the
    checks of CPython's own pipelines had ("Windows PR Tests win32"). Not tried on the service.
    """
    minor = release.version.minor
    return {
        kind: tuple(f"{kind} {key}" for key in keys)
        for kind, keys, first, last in _JOBS
        if first <= minor <= last
    }


def is_named_for(name: str, tag: str) -> bool:
    """Whether a run of this name was started for the tag: ``Release_v3.15.0rc1_20260728.01``."""
    return re.fullmatch(rf"Release_{re.escape(tag)}_[0-9]{{8}}\.[0-9]+", name) is not None


def range_of(label: str, minor: int) -> bool | None:
    """What a label of the form says of 3.``minor``: "(3.15 and later)"; None if it says nothing."""
    found = re.search(_RANGE, label)
    if found is None:
        return None
    bound = int(found["minor"])
    return minor >= bound if found["way"] == "later" else minor <= bound


def tells_series(label: str) -> bool:
    """Whether a label of the form names a series at all, understood by ``range_of`` or not."""
    return re.search(_SERIES, label) is not None
