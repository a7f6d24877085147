"""Action: what a step does on another machine, as one value whose digest is its key.

Two people who ask for the same work ask for the same action, so what was done for one of them
counts for the other. Where and by whom it is done is no part of it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.strict_json import BrokenJson, canonical, only_keys, read_object
from plugins.model.zipped import is_plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.layout import Layout
    from plugins.model.release import Release

__all__ = [
    "BUILD_DOCS", "BUILD_TARBALLS", "BUNDLE", "HERE", "NOBODY", "PASSED", "RESULT", "TEST_SOURCE",
    "TIER_1", "Action", "action_of", "bundle_file", "here_file", "platform_here",
    "rebuild_action", "result_of", "room_of",
]  # fmt: skip

TIER_1: Final = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "i686-pc-windows-msvc",
)
"""The platforms that PEP 11 lists in tier 1, by its names."""
TEST_SOURCE: Final = "test_source"
BUILD_DOCS: Final = "build_docs"
BUILD_TARBALLS: Final = "build_tarballs"
RESULT: Final = "result"
"""What a run calls its one artifact, and the folder that its files are kept in."""
BUNDLE: Final = "attestation.json"
HERE: Final = "here.json"
PASSED: Final = "passed"
NOBODY: Final = "nobody did it"
"""What a receipt says of an action, wherever it was done."""
_MOST_BYTES: Final = 65_535
"""What GitHub takes as the inputs of a run, all together."""
_FIELDS: Final[Mapping[str, type]] = {
    "step": str, "step_version": int, "version": str, "tag": str, "commit": str,
    "inputs": dict, "params": dict, "platform": str,
}  # fmt: skip
_COMMIT: Final = r"[0-9a-f]{40}(?:[0-9a-f]{24})?"
_SHA256: Final = r"[0-9a-f]{64}"
_MACHINES: Final = {"arm64": "aarch64", "amd64": "x86_64", "x86": "i686"}
_SYSTEMS: Final = {
    "linux": "unknown-linux-gnu",
    "darwin": "apple-darwin",
    "win32": "pc-windows-msvc",
}


@frozen
class Action:
    """One step of one release on one platform.

    ``step_version`` goes up when the step does something else. ``inputs`` are names of files to
    their sha256, ``params`` what else decides the result.
    """

    step: str
    step_version: int
    version: str
    tag: str
    commit: str
    inputs: Mapping[str, str]
    params: Mapping[str, str]
    platform: str

    def plain(self) -> dict[str, Any]:
        """The action as JSON has it."""
        plain = {name: getattr(self, name) for name in _FIELDS}
        return {**plain, "inputs": dict(self.inputs), "params": dict(self.params)}

    def to_bytes(self) -> bytes:
        """Its canonical JSON: equal actions, equal bytes."""
        return canonical(self.plain())

    @property
    def digest(self) -> str:
        """The sha256 of its canonical JSON, by which everybody knows it."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def action_of(raw: bytes) -> Action:
    """The action that these bytes are. Raises StepFailed unless they are its canonical JSON."""
    try:
        content = read_object(raw, _MOST_BYTES)
        only_keys(content, set(_FIELDS), "the action")
    except BrokenJson as error:
        raise _refused(problem=str(error)) from error
    for name, kind in _FIELDS.items():
        if type(content[name]) is not kind:
            raise _refused(problem=f"has a {name} of another kind than expected")
    for name in ("inputs", "params"):
        if not all(isinstance(text, str) for text in content[name].values()):
            raise _refused(problem=f"has {name} that are not text")
    found = Action(**content)
    if not re.fullmatch(_COMMIT, found.commit):
        raise _refused(problem="names no full commit")
    if not all(re.fullmatch(_SHA256, digest) for digest in found.inputs.values()):
        raise _refused(problem="names an input without its sha256")
    if not all(map(is_plain_name, found.inputs)):
        raise _refused(problem="names an input by more than a plain name")
    return found


def rebuild_action(release: Release, *, commit: str, platform: str = "any") -> Action:
    """The archives of the tag, made again: on any machine, for the same bytes are wanted."""
    params = {"kind": release.type.name.lower()}
    version, tag = str(release.version), release.version.tag
    return Action(BUILD_TARBALLS, 1, version, tag, commit, {}, params, platform)


def room_of(layout: Layout, action: Action) -> Path:
    """The folder of what came of the action: of tests one for each platform."""
    return layout.elsewhere / (action.platform if action.step == TEST_SOURCE else action.step)


def bundle_file(layout: Layout, action: Action) -> Path:
    """Where the attestation is kept by which the action counts."""
    return room_of(layout, action) / BUNDLE


def result_of(layout: Layout, action: Action) -> dict[str, str]:
    """The files that came of the action and are here, by name, with the sha256 of each."""
    folder = room_of(layout, action) / RESULT
    return {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}


def here_file(layout: Layout, action: Action) -> Path:
    """There if this machine did the action itself, since nobody else had in time."""
    return room_of(layout, action) / HERE


def platform_here() -> str:
    """The platform of this machine, by PEP 11's names; made up alike where PEP 11 has none."""
    machine = os.uname().machine.lower()
    return f"{_MACHINES.get(machine, machine)}-{_SYSTEMS.get(sys.platform, sys.platform)}"


def _refused(*, problem: str) -> StepFailed:
    return StepFailed(
        where="action",
        problem=problem,
        remedy="ask the release manager to start the run again with the same pep101 commit",
    )
