"""Forum post: the approved announcement as a topic of the forum, found again by an id of ours.

What the forum has is compared with what was approved as the forum keeps it: it tidies up titles
and cuts white space at the end of a text, and nothing else may differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import Waiting
from doit_receipts.printable import counted
from doit_receipts.probe import Probe, absent, different, identical
from plugins.steps import announcement_draft

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.forum import Forum, Topic
    from plugins.ports.progress import Progress

__all__ = ["TAGS", "look_posted", "post"]

TAGS: Final = ("release",)
"""The tags of the topic. Source: PEP 101, and the announcements on discuss.python.org."""

_BY_HAND: Final = {"topic": "by hand", "url": "by hand"}
"""What is known of a topic that no look finds, such as one with another title."""


def look_posted(release: Release, forum: Forum, category: int) -> Probe:
    """Whether the forum has the announcement as it was approved, where it belongs (Z29)."""
    title = forum.kept_title(announcement_draft.subject_of(release))
    # Neither one that a moderator let through has our id, nor one that was posted by hand.
    found = forum.topic(_external_id(release)) or forum.titled(title, category)
    if found is None and forum.is_guest():
        awaited = _by_hand(release, forum, category)
        return absent(awaited.problem, adopted=_BY_HAND, who=awaited.who, remedy=awaited.remedy)
    if found is None:
        return absent(
            "the forum has no topic of this release yet",
            adopted=_BY_HAND,
            remedy="ask a moderator of the forum whether the announcement is in the queue of posts"
            " to be approved",
        )
    wrong = _differences(release, forum, found, category)
    if wrong:
        return different(
            f"the topic on the forum differs from the approved text: {wrong[0]}",
            f"edit {found.url}, then run the same command again; if it is right as it is, run"
            " doit adopt",
            tuple(wrong[1:]),
            adopted={"topic": str(found.id), "url": found.url},
        )
    return identical({"topic": str(found.id), "url": found.url})


def post(release: Release, forum: Forum, category: int, progress: Progress) -> dict[str, str]:
    """The announcement is on the forum, for everybody to read (Z29). It cannot be taken back.

    Raises Waiting where there is no key to do it with.
    """
    if forum.is_guest():
        raise _by_hand(release, forum, category)
    progress.say("posting to the forum")
    url = forum.post(
        _external_id(release),
        announcement_draft.subject_of(release),
        announcement_draft.text_of(release),
        category,
        TAGS,
    )
    return {"url": url}


def _by_hand(release: Release, forum: Forum, category: int) -> Waiting:
    """What there is to do for whoever has no key: everybody may post to the forum as a person."""
    path = release.layout.made / announcement_draft.SETTLED
    title = announcement_draft.subject_of(release)
    return Waiting(
        who="RM",
        problem="[credentials] forum is missing, so you post it by hand",
        remedy=f"post it in the category {forum.category_name(category)}, tagged {', '.join(TAGS)},"
        f' with the title "{title}" and, as the text, what {path} has below its first line, then'
        " run the same command again; if it does not find your topic, run doit adopt",
    )


def _differences(release: Release, forum: Forum, found: Topic, category: int) -> list[str]:
    title = forum.kept_title(announcement_draft.subject_of(release))
    text = forum.kept_text(announcement_draft.text_of(release))
    wrong = []
    if found.title != title:
        wrong.append(f"its title is {_short(found.title)}, wanted {_short(title)}")
    if found.text != text:
        wrong.append(_first_difference(found.text, text))
    if found.category != category:
        wrong.append(f"it is in category {found.category}, wanted {category}")
    missing = [tag for tag in TAGS if tag not in found.tags]
    if missing:
        wrong.append(f"it lacks the tag {' and '.join(missing)}")
    return wrong


def _first_difference(found: str, wanted: str) -> str:
    there, here = found.splitlines(), wanted.splitlines()
    for number, (one, other) in enumerate(zip(there, here, strict=False), start=1):
        if one != other:
            return f"line {number} is {_short(one)}, wanted {_short(other)}"
    if len(there) != len(here):
        return f"its text has {counted(len(there), 'line')}, wanted {len(here)}"
    return "its text has different line endings"


def _short(text: str) -> str:
    """A text as part of one line."""
    line = " ".join(text.split())
    return f'"{line[:57]}..."' if len(line) > 60 else f'"{line}"'


def _external_id(release: Release) -> str:
    kind = "rehearsal-" if release.rehearsal else ""
    return f"{kind}python-{release.name.replace('.', '-')}"
