"""Forms of the simulated environment: what python/release-tools asks for when a build is started,
and its table of who signs.

In the form of the real files (state of 2026-07-22), short and with names of our own; the checks
read the same fields of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugins.model.windows_build import LEFT_OUT, REMOTES
from plugins.rehearsal.sigstore import RELEASE_MANAGER

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["seed"]

_TOOLS: Final = "python/release-tools"
# The fork of a rehearsal is a folder of its environment.
_OWNERS: Final = (*REMOTES, "world", "rm", "me")
_SERIES: Final = range(8, 30)
_WORKFLOW: Final = """\
on:
  workflow_dispatch:
    inputs:
      git_remote:
        type: choice
        options:
{options}
      git_commit:
        type: string
      cpython_release:
        type: string
name: "Build"
env:
  GIT_REMOTE: ${{{{ github.event.inputs.git_remote || 'python' }}}}
  GIT_COMMIT: ${{{{ github.event.inputs.git_commit || '{commit}' }}}}
  CPYTHON_RELEASE: ${{{{ github.event.inputs.cpython_release || '3.12.0' }}}}
"""
_FIELDS: Final = (
    ("SourceTag", "Tag"),
    ("SourceCommit", "Commit"),
    ("DoPublish", "Publish"),
    ("Post315OutputDir", "Outputs apart (3.15 and later)"),
    ("DoTailCalling", "Tail calls (3.15 and later)"),
    ("DoMSI", "Installer (3.15 and earlier)"),
    ("DoJIT", "Compiler (3.14 and later)"),
    ("DoGPG", "Signatures (3.13 and earlier)"),
    ("DoMSIX", "Store (3.13 and earlier)"),
    ("DoFreethreaded", "Free-threaded"),
)


def seed(store: Store) -> None:
    """Both forms can be read at the simulated GitHub."""
    known = store.load("github", {})
    options = "\n".join(f"          - {each}" for each in _OWNERS)
    remotes = "".join(f"  - '{each}'\n" for each in (*REMOTES, "(Other)"))
    pipeline = f"name: Release\n\nparameters:\n- name: GitRemote\n  values:\n{remotes}"
    pipeline += "- name: GitRemote_Other\n  displayName: Other\n"
    pipeline += "- name: SigningCertificate\n  values:\n  - 'PythonSoftwareFoundation'\n"
    pipeline += "".join(f'- name: {name}\n  displayName: "{label}"\n' for name, label in _FIELDS)
    pipeline += "".join(
        f"- name: {name}\n  displayName: As always\n  default: '{value}'\n"
        for name, value in LEFT_OUT.items()
        if name != "GitRemote_Other"
    )
    workflow = _WORKFLOW.format(options=options, commit="1" * 40)
    forms = {
        f"{_TOOLS}/.github/workflows/build-release.yml": workflow,
        f"{_TOOLS}/windows-release/azure-pipelines.yml": pipeline + "\nstages: []\n",
        f"{_TOOLS}/add_to_pydotorg.py": _signers(),
    }
    store.save("github", {**known, "texts": {**known.get("texts", {}), **forms}})


def _signers() -> str:
    """The table of who signs the bundles of each series."""
    rows = "".join(
        f'    "3.{minor}": ("{RELEASE_MANAGER.email}", provider),\n' for minor in _SERIES
    )
    return f'provider = "{RELEASE_MANAGER.connector}"\n\nsigners = {{\n{rows}}}\n'
