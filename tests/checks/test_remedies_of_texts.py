"""Remedies of texts, phases and days, each done as it says, and judged again."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from checks import phase as phases
from checks import schedule
from checks.announcement import announcement_is_ready, security_content_is_true
from checks.site import text_is_ready
from doit_receipts.artifact import Artifact
from plugins.model.promise import contract_of
from plugins.model.release import Phase
from plugins.model.schedule import Branch, Schedule, Stage
from plugins.model.version import Version
from plugins.steps import announcement_draft, drafts
from tests.news_world import an_entry, news_repository
from tests.site_world import a_release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.services.git_clone import GitClone

_PAGE: Final = "https://www.python.org/downloads/release/python-3136/"
_GOOD: Final = f"# Python 3.13.6 is now available\n\nGet it from {_PAGE} today.\n"
_SECURITY: Final = "\n## Security content\n\n- gh-333\n- gh-334\n"
_NEWS: Final = {"3.13.6": [an_entry("Security", number, "It is mended.") for number in (333, 334)]}
_WRONGS: Final = {
    "announcement.text": _GOOD.replace("3.13.6 is", "3.13 is"),
    "text.address": f"{_GOOD}\n{_PAGE.replace('3136', '3135')}\n",
    "text.digest": f"{_GOOD}\n{'c' * 64}\n",
    "text.gap": f"{_GOOD}\n- \n",
    "text.leftover": f"{_GOOD}\nTODO\n",
    "text.series": f"{_GOOD}\nhttps://docs.python.org/3.12/whatsnew/\n",
    "text.security": f"{_GOOD}{_SECURITY}- gh-999\n",
    "text.security_missing": f"{_GOOD}{_SECURITY.replace('- gh-334', '')}",
}
_WORDS: Final = re.compile(r"edit (\S+) \(a copy of (\S+) to begin with\), then run the same")


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> tuple[GitClone, str]:
    return news_repository(tmp_path_factory.mktemp("news"), _NEWS)


def settled(release: Release) -> Path:
    announcement_draft.settle(release)
    return release.layout.made / announcement_draft.SETTLED


def judged(release: Release, news: tuple[GitClone, str]) -> tuple[Finding, ...]:
    """What is settled now, as `check_announcement` judges it."""
    text, (clone, commit) = settled(release), news
    files = [Artifact(each, 1000, "a" * 64) for each in release.layout.tarballs]
    return (
        *announcement_is_ready(contract_of(release), text, files=files, commit=commit),
        *security_content_is_true(release, clone, text, commit=commit),
    )


def copy_as_told(remedy: str, work: Path) -> Path:
    """The release manager's own text is where the remedy says, copied from what it says."""
    found = _WORDS.search(remedy)
    assert found, remedy
    mine, draft = (work.parent / each for each in found.groups())
    mine.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(draft, mine)
    return mine


@pytest.mark.parametrize("rule", _WRONGS)
def test_announcement_is_edited_where_its_finding_says(
    tmp_path: Path, news: tuple[GitClone, str], rule: str
) -> None:
    """The draft alone is there at first, and is made again: what is edited in it is lost."""
    release = a_release(tmp_path)
    release.layout.made.mkdir(parents=True)
    (release.layout.made / announcement_draft.DRAFT).write_text(_WRONGS[rule])
    finding, *_ = [each for each in judged(release, news) if each.rule == rule]
    copy_as_told(finding.remedy, release.layout.work).write_text(f"{_GOOD}{_SECURITY}")
    assert judged(release, news) == ()


def test_page_is_edited_where_its_finding_says(tmp_path: Path) -> None:
    release = a_release(tmp_path)
    file = drafts.page_text(release)
    file.parent.mkdir(parents=True)
    file.write_text("Python 3.13\n")

    def judge() -> tuple[Finding, ...]:
        drafts.settle_page(release)
        return text_is_ready(contract_of(release), drafts.settled_page(release))

    (finding,) = judge()
    assert finding.rule == "site.text"
    found = re.match(r"edit (\S+), then run the same command again$", finding.remedy)
    assert found, finding.remedy
    (tmp_path / found[1]).write_text("Python 3.13.6\n")
    assert judge() == ()


# ── phases ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class At:
    """A clock."""

    day: int = 1
    month: int = 10

    def now(self) -> datetime:
        return datetime(2026, self.month, self.day, 12, tzinfo=UTC)


class Told:
    """The Schedules port with this schedule."""

    def __init__(self, branch: Branch, *stages: Stage) -> None:
        self.known = Schedule({branch.series: branch}, {branch.series: stages})

    def branch(self, series: str) -> Any:
        raise NotImplementedError(series)

    def schedule(self, *, fresh: bool = False) -> Schedule:
        assert not fresh
        return self.known


def a_branch(phase: Phase, end_of_life: date = date(2026, 10, 20)) -> Branch:
    return Branch(
        "3.13", 719, phase, "3.13", "Thomas", date(2023, 5, 8), date(2024, 5, 22),
        date(2024, 10, 2), date(2026, 4, 1), end_of_life,
    )  # fmt: skip


def test_words_about_a_phase_are_edited_where_their_finding_says(tmp_path: Path) -> None:
    release = a_release(tmp_path)
    release.layout.made.mkdir(parents=True)
    (release.layout.made / announcement_draft.DRAFT).write_text("# Python ends\n\nIt does.\n")
    (finding,) = phases.words_are_ready(release, settled(release))
    assert finding.rule == "phase.words"
    mine = copy_as_told(finding.remedy, release.layout.work)
    mine.write_text(mine.read_text().replace("Python ends", "Python 3.13 ends"))
    assert phases.words_are_ready(release, settled(release)) == ()


def test_kind_or_schedule_is_corrected_where_the_phase_is_not_the_one_before(
    tmp_path: Path,
) -> None:
    release, bugfix = a_release(tmp_path), Told(a_branch(Phase.BUGFIX))
    (finding,) = phases.phase_is_the_one_before(release, Phase.END_OF_LIFE, bugfix)
    assert finding.rule == "phase.current"
    assert "write the series and kind that you mean" in finding.remedy
    assert phases.phase_is_the_one_before(release, Phase.SECURITY, bugfix) == ()
    assert "if the schedule is wrong, have it corrected" in finding.remedy
    corrected = Told(a_branch(Phase.SECURITY))
    assert phases.phase_is_the_one_before(release, Phase.END_OF_LIFE, corrected) == ()


def test_moment_comes_by_waiting_or_with_another_day_in_the_schedule(tmp_path: Path) -> None:
    release, told = a_release(tmp_path), Told(a_branch(Phase.SECURITY))
    ends = (release, Phase.END_OF_LIFE)
    (finding,) = phases.it_is_time(*ends, told, At(20))
    assert finding.rule == "phase.moment"
    assert finding.remedy.startswith("wait until then, or have the day changed in the schedule")
    assert phases.it_is_time(*ends, told, At(21)) == ()
    earlier = Told(a_branch(Phase.SECURITY, date(2026, 10, 19)))
    assert phases.it_is_time(*ends, earlier, At(20)) == ()
    (finding,) = phases.it_is_time(*ends, earlier, At(20), date(2020, 1, 1))
    assert finding.remedy == "write a later day, or take date out to have today"
    assert phases.it_is_time(*ends, earlier, At(20), date(2026, 10, 20)) == ()


# ── the schedule ───────────────────────────────────────────────────────────────────────────


def test_day_of_a_release_that_is_recorded_is_written_as_told(tmp_path: Path) -> None:
    release = a_release(tmp_path)
    stage = Stage(Version.parse("3.13.6"), "3.13.6", actual=True, day=date(2026, 9, 1))
    told = Told(a_branch(Phase.BUGFIX), stage)

    def judge(day: date, release: Release = release) -> tuple[Finding, ...]:
        return schedule.day_is_expected(release, day, told, At())

    (finding,) = judge(date(2026, 10, 1))
    assert finding.rule == "schedule.released"
    found = re.search(r"write date = ([\d-]+)", finding.remedy)
    assert found, finding.remedy
    assert judge(date.fromisoformat(found[1])) == ()
    assert 'if not, write the version that it is: version = "…"' in finding.remedy
    next_one = a_release(tmp_path, "3.13.7")
    assert [each.rule for each in judge(date(2026, 10, 1), next_one)] == ["schedule.day"]


@pytest.mark.parametrize(
    ("rule", "version", "words", "mend"),
    [
        ("schedule.last_bugfix", "3.13.6", 'write becomes = "security"',
         lambda told: (Phase.SECURITY, told)),
        ("schedule.next_series", "3.13.0b1", "have 3.14 added there with its PEP",
         lambda told: (None, with_next(told))),
    ],
)  # fmt: skip
def test_what_begins_with_a_release_is_declared_or_added(
    tmp_path: Path,
    rule: str,
    version: str,
    words: str,
    mend: Callable[[Told], tuple[Phase | None, Told]],
) -> None:
    release = a_release(tmp_path, version)
    last = Version.parse("3.13.6")
    told = Told(a_branch(Phase.BUGFIX), Stage(last, "3.13.6", actual=False, day=date(2026, 4, 1)))
    (finding,) = schedule.series_follow(release, None, told, At())
    assert (finding.rule, words in finding.remedy) == (rule, True)
    assert schedule.series_follow(release, *mend(told), At()) == ()


def with_next(told: Told) -> Told:
    """The schedule, with the series that follows in it."""
    known = told.schedule()
    following = replace(known.branches["3.13"], series="3.14")
    made = Told(following)
    made.known = Schedule({**known.branches, "3.14": following}, known.stages)
    return made
