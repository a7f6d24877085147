"""Every field of every answer, spoiled in every way: one line that says who, and no traceback."""

from __future__ import annotations

import json
import re
import time
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doit_receipts.errors import ReleaseError
from plugins.model.content import Content
from plugins.model.secret import Secret
from plugins.ports.github import Artifact
from plugins.rehearsal import buildbots, forum, github
from plugins.rehearsal.store import Store
from plugins.services.anonymous_client import AnonymousClient
from plugins.services.buildbot import Buildbot
from plugins.services.discourse import Discourse
from plugins.services.github import GitHub
from plugins.services.github_proposals import GitHubProposals
from plugins.services.site import PythonOrg
from plugins.services.site_reader import SiteReader
from tests.replay import BAD, Replay, places, replaying, spoiled
from tests.served import served
from tests.site_world import TOKEN, SiteWorld, site_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LONGEST_S: Final = 20.0
COMMIT = "c" * 40
COUNTED = "spoiled answers, each a value or one line"


def _github(base: str) -> GitHub:
    return GitHub(base, "python/cpython", _secret("GITHUB"))


def _tools(base: str) -> GitHub:
    return GitHub(base, "python/release-tools", _secret("GITHUB"))


def _secret(name: str) -> Secret:
    return Secret(f"env:HOSTILE_{name}")


def _proposals(base: str) -> GitHubProposals:
    return GitHubProposals(base, "python/peps", _secret("GITHUB"), head="rm/peps", attempts=1)


def _listings(base: str, folder: Path) -> SiteReader:
    return SiteReader(AnonymousClient(base, base, (base,), folder / "visits.json"))


def _site(base: str) -> PythonOrg:
    return PythonOrg(base, _secret("SITE"))


def _first(found: Any) -> Any:
    """The first release, if there is one in a list that was spoiled."""
    return found[0] if found else None


def _posted(base: str) -> Any:
    new = token_hex(4)  # an id and a title may be used once
    return Discourse(base, _secret("FORUM")).post(
        new, f"A title for {new}", "The text of a topic.", 23, ()
    )


def _rows(site: Any) -> Any:
    release = _first(site.releases())
    return site.rows(release) if release else None


CASES: dict[str, tuple[str, Callable[[str, Path], Any]]] = {
    "issues": ("github", lambda base, _: _github(base).open_issues("release-blocker")),
    "pulls": ("github", lambda base, _: _github(base).open_pulls("3.12", "release-blocker")),
    "first pull": ("github", lambda base, _: _github(base).first_pull("3.12", "miss-islington")),
    "labels": ("github", lambda base, _: _github(base).labels()),
    "rights": ("github", lambda base, _: _github(base).rights()),
    "protection": ("github", lambda base, _: _github(base).rules("3.13")),
    "rulesets": ("github", lambda base, _: _github(base).rulesets("3.13")),
    "rulesets of tags": ("github", lambda base, _: _github(base).tag_rules("v3.13.6")),
    "runs": ("github", lambda base, _: _tools(base).runs("build-release.yml")),
    "run": ("github", lambda base, _: _tools(base).run(9_000_001)),
    "jobs": ("github", lambda base, _: _tools(base).jobs(9_000_001)),
    "artifacts": ("github", lambda base, _: _tools(base).artifacts(9_000_001)),
    "dispatch": ("github", lambda base, _: _tools(base).dispatch("build-release.yml", "main", {})),
    "runs of": ("github", lambda base, _: _github(base).runs_of("build.yml", COMMIT)),
    "checks": ("github", lambda base, _: _github(base).check_runs(COMMIT)),
    "text": ("github", lambda base, _: _proposals(base).text("peps/pep-0719.rst")),
    "paths": ("github", lambda base, _: _proposals(base).paths()),
    "proposal": ("github", lambda base, _: _proposals(base).pull("release-3.13.6")),
    "propose": (
        "github",
        lambda base, _: _proposals(base).propose("release-3.13.6", {"new": b"x"}, "Dates", ""),
    ),
    "builders": ("buildbots", lambda base, _: Buildbot(base).stable("3.13")),
    "topic": ("forum", lambda base, _: _forum(base).topic("python-3-13-6")),
    "post": ("forum", lambda base, _: _posted(base)),
    "user": ("forum", lambda base, _: _forum(base).user()),
    "releases": ("site", lambda base, _: _site(base).releases()),
    "rows": ("site", lambda base, _: _rows(_site(base))),
    "right to write": ("site", lambda base, _: _site(base).may_write()),
    "public releases": ("site", lambda base, folder: _listings(base, folder).releases()),
    "public rows": ("site", lambda base, folder: _rows(_listings(base, folder))),
}


def _forum(base: str) -> Discourse:
    return Discourse(base, _secret("FORUM"))


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The services of the simulated environment, with something in each list."""
    folder = tmp_path_factory.mktemp("hostile")
    store = Store(folder / "store")
    github.seed(store, "3.13", ("main", "3.12", "3.13"), pep=719)
    buildbots.seed(store, "3.13")
    rules = {"id": 1, "branches": [], "rules": ["pull_request"], "bypass": "never"}
    tags = {**rules, "id": 2, "tags": ["refs/tags/v*"], "not": ["refs/tags/v2.*"]}
    store.save("rulesets", [rules, tags])
    store.save("ci", store.load("ci", {}) | {"files": {"source": {"a.txt": "A"}}})
    with (
        pytest.MonkeyPatch.context() as patch,
        site_world(folder / "site") as site,
        served(github.app(store)) as hub,
        served(buildbots.app(store)) as bots,
        served(forum.app(store)) as talk,
    ):
        patch.setenv("HOSTILE_GITHUB", "rehearsal-github-token")
        patch.setenv("HOSTILE_FORUM", "rm:rehearsal-forum-key")
        patch.setenv("HOSTILE_SITE", TOKEN)
        seed(site)
        _tools(hub).dispatch("build-release.yml", "main", {})
        _proposals(hub).propose("release-3.13.6", {"new": b"x"}, "Dates", "")
        _forum(talk).post("python-3-13-6", "Python 3.13.6 is out", "The text of a topic.", 23, ())
        yield {"github": hub, "buildbots": bots, "forum": talk, "site": site.addresses["site"]}


def seed(world: SiteWorld) -> None:
    site = world.site()
    site.add_release({"name": "Python 3.13.6", "slug": "python-3136", "is_published": True,
                      "release_date": "2026-12-01T12:00:00Z"})  # fmt: skip
    row = {"name": "x", "slug": "x", "url": "https://www.python.org/ftp/python/x"}
    site.add_row(site.releases()[0], "source", row)


@pytest.fixture(params=list(CASES))
def case(
    request: pytest.FixtureRequest, origins: dict[str, str], tmp_path: Path
) -> Iterator[tuple[Replay, Callable[[], Any]]]:
    """A service behind a server that knows what it asked, and the call that asks it."""
    origin, call = CASES[request.param]
    with replaying(origins[origin]) as replay:
        yield replay, lambda: call(replay.address, tmp_path)


def learned(replay: Replay, call: Callable[[], Any]) -> dict[str, Any]:
    """What the call asks when nothing is wrong, and the JSON that it gets; one of each kind."""
    call()
    found: dict[str, tuple[str, Any]] = {}
    for key in dict.fromkeys(replay.asked):
        body = replay.answers[key][2]
        if body:
            found.setdefault(re.sub(r"\d+", "N", key), (key, json.loads(body)))
    assert found
    return dict(found.values())


def judge(replay: Replay, call: Callable[[], Any], key: str, body: bytes) -> str:
    """What is wrong with the way in which the call takes this body; "" if nothing is."""
    replay.worse = {key: body}
    began = time.monotonic()
    try:
        found = call()
        str(found).encode()
    except ReleaseError as error:
        told = "\n".join((str(error), *error.details))
        if not all(each.isprintable() for each in told.split("\n")):
            return f"not printable: {told!r}"
        if "\n" in str(error) or len(str(error)) > 1_000:
            return f"not one line: {told!r}"
    except Exception as error:  # noqa: BLE001 - a traceback is what is looked for
        return f"{type(error).__name__}: {error}"
    finally:
        replay.worse = {}
    return "too slow" if time.monotonic() - began > _LONGEST_S else ""


# Every seventh of twenty kinds: each field meets some of them, and each kind some of the fields.
@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_each_field_of_each_answer_may_be_anything(
    case: tuple[Replay, Callable[[], Any]], step: int, count: Callable[[str, int], None]
) -> None:
    """Wrong type, missing, huge, deep, not a number, half a character: a value or one line."""
    replay, call = case
    answers = learned(replay, call)
    inputs = [
        (key, place, kind)
        for key, content in answers.items()
        for place in places(content)
        for kind in BAD
        if place or kind != "(missing)"
    ][::step]
    bad = []
    for key, place, kind in inputs:
        wrong = judge(replay, call, key, spoiled(answers[key], place, BAD[kind]))
        if wrong:
            bad.append(f"{key} {place} {kind}: {wrong}")
    count(COUNTED, len(inputs))
    assert bad == []


_ANY: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("examples", [10, pytest.param(10_000, marks=pytest.mark.slow)])
def test_any_json_in_any_place_is_a_value_or_one_line(
    case: tuple[Replay, Callable[[], Any]], examples: int, count: Callable[[str, int], None]
) -> None:
    replay, call = case
    known = learned(replay, call)
    where = [(key, place) for key, content in known.items() for place in places(content)]

    @settings(
        max_examples=examples, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.sampled_from(where), _ANY)
    def tried(at: tuple[str, Any], value: Any) -> None:
        key, place = at
        inputs.append(key)
        assert judge(replay, call, key, spoiled(known[key], place, json.dumps(value))) == ""

    inputs: list[str] = []
    tried()
    count(COUNTED, len(inputs))


def test_artifact_that_has_more_bytes_than_announced_is_refused(
    origins: dict[str, str], tmp_path: Path
) -> None:
    (artifact,) = _tools(origins["github"]).artifacts(9_000_001)
    small = Artifact(
        artifact.id, "source", Content(-(1 << 20) + 10, artifact.content.sha256), expired=False
    )
    with pytest.raises(ReleaseError, match="the answer is larger than 10 bytes"):
        _tools(origins["github"]).download(small, tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []
