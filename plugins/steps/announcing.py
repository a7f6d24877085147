"""Announcing: mailing lists get the settled text where release.toml names them; the release PEP
gets its day.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.model.release import ReleaseType
from plugins.steps import announcement_draft
from plugins.steps.emails import email
from plugins.steps.pull_requests import branch_of, look_proposed

if TYPE_CHECKING:
    from datetime import date

    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from plugins.ports.email import Email
    from plugins.ports.github import Proposals
    from plugins.ports.progress import Progress
    from plugins.ports.templates import Templates

__all__ = [
    "POLICY",
    "announcement_email",
    "committers_email",
    "dated",
    "look_pep",
    "propose_pep",
    "tells_policy",
    "write_policy",
]

POLICY: Final = "policy.md"
_POLICY: Final = (
    ReleaseType.NEW_BRANCH,
    ReleaseType.FIRST_CANDIDATE,
    ReleaseType.FEATURE_FINAL,
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def tells_policy(release: Release) -> bool:
    """Whether from this release on other changes are welcome than before (A07, A08).

    A candidate of a bugfix release begins no phase of its branch. Source: PEP 745 on 3.14.5rc1.
    """
    return release.type in _POLICY and not release.version.micro


def write_policy(release: Release, templates: Templates) -> dict[str, str]:
    """``made/policy.md`` tells the core team what their branch takes from now on (A07, A08)."""
    version = release.version
    words = {
        "kind": release.type.value,
        "series": version.series,
        "next": f"{version.major}.{version.minor + 1}",
    }
    text = templates.fill("policy.md", words)
    write_whole(release.layout.made / POLICY, text.encode())
    return {"digest": hashlib.sha256(text.encode()).hexdigest()}


def committers_email(release: Release, sender: str, to: str) -> Email:
    """The settled text as an email to the core team (A06), with the policy that begins now."""
    announcement = announcement_email(release, sender, to)
    if not tells_policy(release):
        return announcement
    policy = (release.layout.made / POLICY).read_text(encoding="utf-8")
    return replace(announcement, text=f"{announcement.text.rstrip()}\n\n{policy}")


def announcement_email(release: Release, sender: str, to: str) -> Email:
    """The settled text as an email to one list (A02-A04, A06); each list is a step of its own."""
    # lists of two hosts may have one name, and a long Message-ID is a fragile one
    name = re.sub(r"[^a-z0-9]+", "-", to.partition("@")[0].lower()).strip("-")
    purpose = f"announce-{name}-{hashlib.sha256(to.encode()).hexdigest()[:8]}"
    text = announcement_draft.text_of(release)
    return email(release, purpose, sender, (to,), announcement_draft.subject_of(release), text)


# ── the release PEP, by a pull request ──────────────────────────────────────────────────────


def look_pep(release: Release, proposals: Proposals, day: date) -> Probe:
    """Whether the release PEP has the day, or a pull request asks for it (A09)."""
    path = _pep(release)
    before = _text(proposals, path)
    return look_proposed(release, proposals, path, dated(before, release, day).encode())


def propose_pep(
    release: Release, proposals: Proposals, day: date, progress: Progress
) -> dict[str, str]:
    """A pull request asks to record the day in the release PEP (A09)."""
    progress.say("opening the pull request of the release PEP")
    path = _pep(release)
    content = dated(_text(proposals, path), release, day).encode()
    title = f"PEP {release.series.release_pep}: Python {release.version} is out"
    made = proposals.propose(branch_of(release), {path: content}, title, "")
    return {"pull request": str(made.number), "url": made.url}


def dated(text: str, release: Release, day: date) -> str:
    """The PEP's text with the release among those that happened, on its day.

    Its line moves from below ``Expected:`` to the end of the list below ``Actual:``; a line that
    tells the day already is left as it is.
    """
    line = f"- {_named(release)}: {_DAYS[day.weekday()]}, {day:%Y-%m-%d}"
    if re.search(rf"^{re.escape(line)}\s*$", text, flags=re.MULTILINE):
        return text
    form = rf"^- {re.escape(_named(release))}: .*\n?"
    rest = re.sub(form, "", text, flags=re.MULTILINE)
    actual = re.search(r"^Actual:\n\n(?:- .*\n(?:  .*\n)*)*", rest, flags=re.MULTILINE)
    if actual is not None:
        return f"{rest[: actual.end()]}{line}\n{rest[actual.end() :]}"
    expected = re.search(r"^Expected:\n", rest, flags=re.MULTILINE)
    at = expected.start() if expected else len(rest)
    return f"{rest[:at]}Actual:\n\n{line}\n\n{rest[at:]}"


def _named(release: Release) -> str:
    """How release PEPs name a release: 3.14.0 alpha 2, 3.14.0 candidate 1, 3.13.6."""
    version = release.version
    word = {"a": " alpha ", "b": " beta ", "rc": " candidate "}.get(version.level.letters, "")
    if not version.is_prerelease:
        return f"{version} final" if version.micro == 0 else str(version)
    return f"{version.folder}{word}{version.serial}"


def _pep(release: Release) -> str:
    if not release.series.release_pep:
        raise StepFailed(
            where="[series] release_pep",
            problem=f"nobody knows which PEP schedules {release.version.series}",
            remedy="write release_pep = and its number",
        )
    return f"peps/pep-{release.series.release_pep:04}.rst"


def _text(proposals: Proposals, path: str) -> str:
    found = proposals.text(path)
    if found is None:
        raise StepFailed(where=path, problem="is not there", remedy="look at [series] release_pep")
    return found.decode()
