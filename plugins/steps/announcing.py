"""Announcing: lists, forum, blog and release PEP get the settled text, each of them once.

Mails are letters of ``plugins.steps.letters``. The forum keeps an id of ours with its topic and
GitHub the branch of a pull request, so both can be looked for, whatever happened to the answer.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.probe import Probe, absent, different, identical
from plugins.model.release import ReleaseType
from plugins.steps import announcement_draft
from plugins.steps.letters import letter

if TYPE_CHECKING:
    from datetime import date

    from plugins.model.release import Release
    from plugins.ports.email import Letter
    from plugins.ports.forum import Forum, Topic
    from plugins.ports.github import Proposals
    from plugins.ports.progress import Progress
    from plugins.ports.templates import Templates

__all__ = [
    "POLICY",
    "announcement_letter",
    "blog_post",
    "committers_letter",
    "dated",
    "look_blog",
    "look_pep",
    "look_posted",
    "post",
    "propose_blog",
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
    """Whether from this release on other changes are welcome than before (A07, A08)."""
    return release.type in _POLICY


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


def committers_letter(release: Release, sender: str, to: str) -> Letter:
    """The settled text as a mail to the core team (A06), with the policy that begins now."""
    letter = announcement_letter(release, sender, to)
    if not tells_policy(release):
        return letter
    policy = (release.layout.made / POLICY).read_text(encoding="utf-8")
    return replace(letter, text=f"{letter.text.rstrip()}\n\n{policy}")


def announcement_letter(release: Release, sender: str, to: str) -> Letter:
    """The settled text as a mail to one list (A02-A04, A06); each list is a step of its own."""
    # lists of two hosts may have one name, and a long Message-ID is a fragile one
    name = re.sub(r"[^a-z0-9]+", "-", to.partition("@")[0].lower()).strip("-")
    purpose = f"announce-{name}-{hashlib.sha256(to.encode()).hexdigest()[:8]}"
    text = announcement_draft.text_of(release)
    return letter(release, purpose, sender, (to,), announcement_draft.subject_of(release), text)


# ── the forum ──────────────────────────────────────────────────────────────────────────────


def look_posted(release: Release, forum: Forum) -> Probe:
    """Whether the forum has the announcement (Z29)."""
    found = forum.topic(_external_id(release))
    if found is None:
        return absent("the forum has no topic of this release yet")
    wanted = announcement_draft.text_of(release)
    # the forum trims texts, and people of the forum may have bettered a link: title and text
    # have to be ours, white space aside
    if found.title != announcement_draft.subject_of(release) or not _same(found.text, wanted):
        return different(
            f"the forum's topic {found.id} says something else",
            f"look at {found.url}; if it is right, run doit adopt; if not, edit it there",
            (f"there {found.title!r}", f"here  {announcement_draft.subject_of(release)!r}"),
        )
    return identical(_told(found))


def post(release: Release, forum: Forum, category: int, progress: Progress) -> dict[str, str]:
    """The announcement is on the forum, for everybody to read (Z29)."""
    found = forum.topic(_external_id(release))
    if found is None:
        progress.say("posting to the forum")
        title, text = announcement_draft.subject_of(release), announcement_draft.text_of(release)
        found = forum.post(_external_id(release), title, text, category)
    return _told(found)


def _external_id(release: Release) -> str:
    kind = "rehearsal-" if release.rehearsal else ""
    return f"{kind}python-{str(release.version).replace('.', '-')}"


def _told(topic: Topic) -> dict[str, str]:
    return {"topic": str(topic.id), "url": topic.url}


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()


# ── the blog and the release PEP, by pull requests ─────────────────────────────────────────


def blog_post(release: Release, day: date) -> tuple[str, bytes]:
    """The path and the bytes of the blog's file about this release (A05)."""
    name = f"python-{str(release.version).replace('.', '-')}"
    title = announcement_draft.subject_of(release).replace('"', "'")
    head = f'---\ntitle: "{title}"\npublishDate: {day:%Y-%m-%d}\ntags: [releases]\n---\n\n'
    text = head + announcement_draft.text_of(release)
    return f"content/posts/{day:%Y}/{name}/index.md", text.encode()


def look_blog(release: Release, proposals: Proposals, day: date) -> Probe:
    """Whether the blog has the announcement, or a pull request asks for it (A05, Z29)."""
    path, content = blog_post(release, day)
    return _look(release, proposals, path, content)


def propose_blog(
    release: Release, proposals: Proposals, day: date, progress: Progress
) -> dict[str, str]:
    """A pull request asks the blog to take the announcement (A05, Z29)."""
    progress.say("opening the blog's pull request")
    path, content = blog_post(release, day)
    title = announcement_draft.subject_of(release)
    made = proposals.propose(_branch(release), {path: content}, title, "")
    return {"pull request": str(made.number), "url": made.url}


def look_pep(release: Release, proposals: Proposals, day: date) -> Probe:
    """Whether the release PEP has the day, or a pull request asks for it (A09)."""
    path = _pep(release)
    before = _text(proposals, path)
    return _look(release, proposals, path, dated(before, release, day).encode())


def propose_pep(
    release: Release, proposals: Proposals, day: date, progress: Progress
) -> dict[str, str]:
    """A pull request asks to record the day in the release PEP (A09)."""
    progress.say("opening the pull request of the release PEP")
    path = _pep(release)
    content = dated(_text(proposals, path), release, day).encode()
    title = f"PEP {release.series.release_pep}: Python {release.version} is out"
    made = proposals.propose(_branch(release), {path: content}, title, "")
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


def _branch(release: Release) -> str:
    kind = "rehearsal" if release.rehearsal else "release"
    return f"{kind}-{release.version}"


def _look(release: Release, proposals: Proposals, path: str, content: bytes) -> Probe:
    pull = proposals.pull(_branch(release))
    if pull is None:
        if proposals.text(path) == content:
            return identical({"pull request": "none", "url": "it was there already"})
        return absent(f"no pull request from {_branch(release)} yet")
    if pull.state == "closed":
        return different(
            f"the pull request {pull.number} was closed and not merged",
            f"see {pull.url}: open it again, or run doit adopt",
            (pull.url,),
        )
    # what is merged may have been edited by those who merged it
    if pull.state == "open" and proposals.text(path, _branch(release)) != content:
        return absent(f"the branch of pull request {pull.number} has not the text yet")
    return identical({"pull request": str(pull.number), "url": pull.url})
