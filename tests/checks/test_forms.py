"""Tests of what others' forms ask for: the workflow of CI, and the pipeline of Windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from checks import forms
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Severity

if TYPE_CHECKING:
    from tests.conftest import Builds

WORKFLOW = """\
on:
  workflow_dispatch:
    inputs:
      git_remote:
        type: choice
        options:
          - python
          - hugovk
      git_commit:
        type: string
      cpython_release:
        type: string
jobs:
  x:
    runs-on: [a]
"""
BOXES = (
    ("SourceTag", "Git tag"), ("SourceCommit", "Git commit"), ("DoPublish", "Publish release"),
    ("Post315OutputDir", "Separate outputs (3.15 and later)"),
    ("DoTailCalling", "Tail calls (3.15 and later)"), ("DoMSI", "Installer (3.15 and earlier)"),
    ("DoJIT", "JIT (3.14 and later)"), ("DoGPG", "Signatures (3.13 and earlier)"),
    ("DoMSIX", "Store (3.13 and earlier)"), ("DoFreethreaded", "Free-threaded builds"),
)  # fmt: skip
PIPELINE = (
    "name: Release\n\nparameters:\n\n"
    "- name: GitRemote\n  displayName: 'Git remote'\n  default: python\n  values:\n"
    "  - 'python'\n  - 'hugovk'\n  - '(Other)'\n"
    "- name: GitRemote_Other\n  displayName: Other\n"
    "- name: SigningCertificate\n  displayName: Certificate\n  values:\n"
    "  - 'PythonSoftwareFoundation'\n  - 'Unsigned'\n"
    + "".join(f'- name: {name}\n  displayName: "{label}"\n' for name, label in BOXES)
    + "\nresources:\n  pipelines:\n  - name: NotAField\n"
)


@dataclass
class Tools:
    """python/release-tools, as far as its forms go."""

    files: dict[str, bytes] = field(
        default_factory=lambda: {
            forms.WORKFLOW: WORKFLOW.encode(),
            forms.PIPELINE: PIPELINE.encode(),
        }
    )
    down: bool = False

    def text(self, path: str, ref: str = "") -> bytes | None:  # noqa: ARG002 - as the port has it
        if self.down:
            raise ServiceFailed(service="github", action="read", problem="answered 500")
        return self.files.get(path)


def test_fork_that_the_workflow_offers_passes() -> None:
    assert forms.ci_form_takes_the_fork(Tools(), "hugovk") == ()


def test_fork_that_the_workflow_does_not_offer_blocks_in_the_morning() -> None:
    """GitHub would answer 422 in the middle of the day."""
    (finding,) = forms.ci_form_takes_the_fork(Tools(), "me")
    assert (finding.rule, finding.severity) == ("forms.owner", Severity.BLOCK)
    assert "it offers python, hugovk" in finding.message


@pytest.mark.parametrize("version", ["3.13.17", "3.14.9", "3.15.0rc2", "3.16.0a1"])
@pytest.mark.parametrize("owner", ["hugovk", "somebody"])
def test_form_of_windows_as_it_is_today_passes(version: str, owner: str, a_release: Builds) -> None:
    assert forms.windows_form_is_as_known(a_release(version), Tools(), owner) == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("DoTailCalling", "UseTailCalls", "has no field DoTailCalling"),
        (
            "(3.15 and earlier)",
            "(3.14 and earlier)",
            "DoMSI is not for 3.15 according to its label",
        ),
        ("'PythonSoftwareFoundation'", "'PSF'", "SigningCertificate accepts PSF, Unsigned"),
    ],
)
def test_form_that_changed_blocks_and_says_where(
    old: str, new: str, told: str, a_release: Builds
) -> None:
    tools = Tools({forms.PIPELINE: PIPELINE.replace(old, new).encode()})
    finding, *more = forms.windows_form_is_as_known(a_release("3.15.0rc2"), tools, "hugovk")
    assert (finding.rule, finding.severity) == ("forms.changed", Severity.BLOCK)
    assert told in finding.message
    assert "plugins/model/windows_build.py" in finding.remedy
    # the name that it has now is a box that nobody ticks
    assert [each.message[:12] for each in more] == ([new] if new == "UseTailCalls" else [])


@pytest.mark.parametrize(
    ("added", "severity", "told"),
    [
        (
            "- name: DoTrace\n  displayName: 'Trace (3.15 and later)'\n  default: false\n",
            Severity.BLOCK,
            "DoTrace is for 3.15 according to its label",
        ),
        (
            "- name: DoTrace\n  displayName: Trace (3.14 and earlier)\n  default: true\n",
            Severity.BLOCK,
            "DoTrace is not for 3.15 according to its label",
        ),
        (
            "- name: DoTrace\n  displayName: 'Trace (only 3.15)'\n  default: false\n",
            Severity.BLOCK,
            'DoTrace names series in a way that this tool does not know: "Trace (only 3.15)"',
        ),
        (
            "- name: DoTrace\n  displayName: Trace\n  type: boolean\n  default: false\n",
            Severity.WARN,
            "DoTrace (Trace) is new; this tool leaves its default, false",
        ),
        (
            "- name: DoPyManager\n  displayName: Packages\n  default: 'False'  # for now\n",
            Severity.BLOCK,
            "DoPyManager is false by default, and was true",
        ),
        (
            "- name: DoEmbed\n  displayName: Zip (3.14 and earlier)\n  default: true\n",
            Severity.BLOCK,
            "DoEmbed is not for 3.15 according to its label",
        ),
        ("- name: vmImage\n  displayName: Image\n  default: windows-2031\n", None, ""),
        ("- name: DoTrace\n  displayName: Trace (3.15 and later)\n  default: True\n", None, ""),
    ],
)
def test_field_that_is_not_filled_in_has_the_default_that_is_known(
    added: str, severity: Severity | None, told: str, a_release: Builds
) -> None:
    """A box that is new is never ticked; one that is left alone has to be as it always was."""
    text = PIPELINE.replace("\nresources:", f"{added}\nresources:")
    found = forms.windows_form_is_as_known(
        a_release("3.15.0rc2"), Tools({forms.PIPELINE: text.encode()}), "hugovk"
    )
    assert [each.severity for each in found] == ([severity] if severity else [])
    assert all(told in each.message and each.rule == "forms.changed" for each in found)


def test_box_whose_series_cannot_be_understood_blocks(a_release: Builds) -> None:
    text = PIPELINE.replace("(3.15 and earlier)", "(3.13 to 3.15)")
    tools = Tools({forms.PIPELINE: text.encode()})
    (finding,) = forms.windows_form_is_as_known(a_release("3.15.0rc2"), tools, "hugovk")
    assert "DoMSI names series in a way that this tool does not know" in finding.message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cpython_release:", "release:", "has no input cpython_release any more"),
        ("git_commit:", "commit:", "has no input git_commit any more"),
        ("git_remote:", "remote:", "has no input git_remote any more"),
        ("jobs:", "      why:\n        required: true\njobs:", "demands why, which is new"),
        ("jobs:", "      why:\n        required: true\n        default: x\njobs:", ""),
        ("jobs:", "  push:\n    inputs:\n      why:\n        required: true\njobs:", ""),
    ],
)
def test_workflow_has_every_input_that_is_filled_in(old: str, new: str, told: str) -> None:
    """GitHub answers 422 to an input that the workflow lacks, and without one that it demands."""
    tools = Tools({forms.WORKFLOW: WORKFLOW.replace(old, new).encode()})
    found = forms.ci_form_takes_the_fork(tools, "hugovk")
    assert [each.message for each in found] == ([told] if told else [])
    assert all(each.severity is Severity.BLOCK for each in found)


@pytest.mark.parametrize(
    "tools", [Tools({}), Tools(down=True), Tools({forms.PIPELINE: b"x" * (1 << 21)})]
)
def test_form_that_cannot_be_read_blocks(tools: Tools, a_release: Builds) -> None:
    for findings in (
        forms.ci_form_takes_the_fork(tools, "hugovk"),
        forms.windows_form_is_as_known(a_release("3.15.0rc2"), tools, "hugovk"),
    ):
        (finding,) = findings
        assert (finding.rule, finding.severity) == ("forms.unseen", Severity.BLOCK)


def test_text_that_is_no_form_blocks(a_release: Builds) -> None:
    tools = Tools({forms.PIPELINE: b"\xff\x00 - - name:", forms.WORKFLOW: b"git_remote: 1"})
    assert forms.ci_form_takes_the_fork(tools, "hugovk")
    assert forms.windows_form_is_as_known(a_release("3.15.0rc2"), tools, "hugovk")
