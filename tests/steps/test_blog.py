"""The blog's file is one that the loader and the CI of the real blog take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from checks import access
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.blog import author_file
from plugins.model.secret import Secret
from plugins.rehearsal import blog as loader
from plugins.rehearsal import github as github_world
from plugins.rehearsal.store import Store
from plugins.services.github_proposals import GitHubProposals
from plugins.steps import announcement_draft, blog
from tests.progress import Quiet
from tests.served import served
from tests.source_world import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

TOKEN = Secret("env:GITHUB_TOKEN_OF_TEST")
AUTHOR = "Hugo van Kemenade"
TEXT = (
    '# Python 3.13.6: "it\'s here" #1\n\n'
    "Python 3.13.6 is a *maintenance* release. It has [more](https://x.org).\n\n"
    "https://www.python.org/downloads/release/python-3136/\n\n- one  \n- two\n"
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    github_world.seed(made, "3.13", ("main", "3.12", "3.13"), pep=719)
    return made


@pytest.fixture
def proposals(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubProposals]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", "rehearsal-github-token")
    with served(github_world.app(store)) as address:
        yield GitHubProposals(address, loader.REPOSITORY, TOKEN, "rm/python-insider-blog")


@pytest.fixture
def release(a_release: Builds) -> Release:
    return settled(a_release("3.13.6"), TEXT)


def settled(release: Release, text: str) -> Release:
    release.layout.texts.mkdir(parents=True, exist_ok=True)
    (release.layout.texts / announcement_draft.DRAFT).write_text(text, encoding="utf-8")
    announcement_draft.settle(release)
    return release


def fields_of(content: bytes) -> dict[str, object]:
    head = content.decode().split("---\n")[1]
    found: dict[str, object] = yaml.safe_load(head)
    return found


def test_file_has_what_the_loader_demands(release: Release) -> None:
    path, content = blog.blog_post(release, AUTHOR, DAY)
    assert path == "content/posts/python-3136/index.md"
    assert fields_of(content) == {
        "title": 'Python 3.13.6: "it\'s here" #1',
        "publishDate": "2026-11-22",
        "author": AUTHOR,
        "description": "Python 3.13.6 is a maintenance release.",
        "tags": ["releases"],
        "published": True,
    }
    assert content.endswith(b"- one  \n- two\n")
    assert loader.verdict({}, {path: content.decode()}) == ""


@settings(max_examples=100, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    title=st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1).filter(
        str.strip
    ),
    body=st.text(min_size=1).filter(str.strip),
    author=st.text(min_size=1).filter(str.isprintable),
)
@example("a: b # c 'd' \"e\" \\ {f} [g] - h", "---\ntitle: x\n---\n", "Łukasz: O'Neil")
@example("3.14", "null", "yes")
@example("\u2028x\ufeff", "trailing   \n\n\n", "\x85")
def test_any_title_text_and_author_is_taken_and_kept(
    release: Release, title: str, body: str, author: str
) -> None:
    settled(release, f"# {title}\n\n{body}")
    path, content = blog.blog_post(release, author, DAY)
    found = fields_of(content)
    assert (found["title"], found["author"]) == (announcement_draft.subject_of(release), author)
    if not any(mark in content.decode() for mark in ("<<<<<<<", "=======", ">>>>>>>")):
        assert loader.verdict({}, {path: content.decode()}) == ""


HEAD = "title: a\npublishDate: '2026-11-22'\nauthor: b\n"


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("content/posts/2026/python-3136/index.md", f"---\n{HEAD}---\nx\n", "no collection has it"),
        ("content/posts/python-3136.md", f"---\n{HEAD}---\nx\n", "no collection has it"),
        ("content/posts/a/index.md", "no head\n", "title: Required"),
        ("content/posts/a/index.md", "---\ntitle: a\nauthor: b\n---\nx\n", "publishDate: Required"),
        ("content/posts/a/index.md", "---\ntitle: [a\n---\nx\n", "YAMLException"),
        ("content/posts/a/index.md", "---\ntitle: a\npublishDate: 2026-11-22\n---\nx\n",
         "author: Required"),
        ("content/posts/a/index.md", f"---\n{HEAD}title: 3.14\n---\nx\n", "title: Expected string"),
        ("content/posts/a/index.md", f"---\n{HEAD}tags: releases\n---\nx\n", "tags: Expected"),
        ("content/posts/a/index.md", f"---\n{HEAD}published: 'yes'\n---\nx\n", "published: Exp"),
        ("content/posts/a/index.md", f"---\n{HEAD}updatedDate: soon\n---\nx\n", "updatedDate: In"),
        ("content/posts/a/index.md", "---\ntitle: a: b\n---\nx\n", "YAMLException"),
        ("content/posts/a/index.md", f"---\n{HEAD}---\nx \n", "trailing-whitespace: line 6"),
        ("content/posts/a/index.md", f"---\n{HEAD}---\nx", "end-of-file-fixer"),
        ("content/posts/a/index.md", f"---\n{HEAD}---\nx\n\n", "end-of-file-fixer"),
        ("content/posts/a/index.md", f"---\n{HEAD}---\n<<<<<<< x\n", "check-merge-conflict"),
    ],
)  # fmt: skip
def test_loader_refuses_what_the_real_one_refuses(path: str, text: str, problem: str) -> None:
    assert problem in loader.verdict({}, {path: text})


def test_blog_gets_one_pull_request_that_its_ci_takes(
    release: Release, proposals: GitHubProposals, store: Store
) -> None:
    assert blog.look_blog(release, proposals, AUTHOR, DAY).state is RemoteState.ABSENT
    store.order_fault("github.500_after_write", times=3)
    facts = None
    for _ in range(4):
        try:
            facts = blog.propose_blog(release, proposals, AUTHOR, DAY, Quiet())
        except ServiceFailed:
            continue
    probe = blog.look_blog(release, proposals, AUTHOR, DAY)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    (pull,) = store.load("github", {})["pulls"]
    assert pull["verdict"] == ""
    store.save("github", store.load("github", {}) | {"pulls": [{**pull, "state": "closed"}]})
    assert blog.look_blog(release, proposals, AUTHOR, DAY).state is RemoteState.DIFFERENT


def test_closed_pull_request_is_opened_again_as_told(
    release: Release, proposals: GitHubProposals, store: Store
) -> None:
    facts = blog.propose_blog(release, proposals, AUTHOR, DAY, Quiet())
    (pull,) = store.load("github", {})["pulls"]
    store.save("github", store.load("github", {}) | {"pulls": [{**pull, "state": "closed"}]})
    probe = blog.look_blog(release, proposals, AUTHOR, DAY)
    assert probe.remedy == f"see {facts['url']}: open it again, or run doit adopt"
    store.save("github", store.load("github", {}) | {"pulls": [pull]})
    assert blog.look_blog(release, proposals, AUTHOR, DAY).state is RemoteState.IDENTICAL


def test_file_in_the_wrong_place_is_seen_by_the_world(
    proposals: GitHubProposals, store: Store
) -> None:
    proposals.propose("x", {"content/posts/2026/a/index.md": b"---\n---\nx\n"}, "A post", "")
    (pull,) = store.load("github", {})["pulls"]
    assert "no collection has it" in pull["verdict"]


# ── its author ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Hugo van Kemenade", "hugo-van-kemenade"),
        ("Łukasz Langa", "lukasz-langa"),
        ("A.M. Kuchling", "a-m-kuchling"),
        ("Antoine P.", "antoine-p"),
        ("Mathieu Leduc-Hamel", "mathieu-leduc-hamel"),
        ("haypo", "haypo"),
        ("José Ñandú", "jose-nandu"),
    ],
)
def test_record_of_an_author_is_named_as_the_blog_names_it(name: str, file: str) -> None:
    assert author_file(name) == f"content/authors/{file}.json"


def test_known_author_passes_and_another_blocks(proposals: GitHubProposals) -> None:
    assert access.blog_knows_author(proposals, AUTHOR) == ()
    (found,) = access.blog_knows_author(proposals, "Nobody Here")
    assert found.message == "there is no content/authors/nobody-here.json for Nobody Here"
    (found,) = access.blog_knows_author(proposals, "hugo van kemenade")
    assert "has another name than hugo van kemenade" in found.message


@pytest.mark.parametrize("junk", ["", "[", "[]", "null", '{"name": 5}', "{}", "[" * 50_000])
def test_record_that_is_nonsense_is_one_line(
    proposals: GitHubProposals, store: Store, junk: str
) -> None:
    document = store.load("github", {})
    path = f"{loader.REPOSITORY}/{author_file(AUTHOR)}"
    store.save("github", {**document, "texts": {**document["texts"], path: junk}})
    (found,) = access.blog_knows_author(proposals, AUTHOR)
    assert "\n" not in str(found)


def test_post_without_an_author_says_what_to_write(release: Release) -> None:
    with pytest.raises(StepFailed, match=r"\[announce\] author: the blog post has no author"):
        blog.blog_post(release, "", DAY)


def test_records_of_the_world_are_records() -> None:
    assert {json.loads(text)["name"] for text in loader.authors().values()} == set(loader.AUTHORS)
    assert {author_file(name) for name in loader.AUTHORS} == set(loader.authors())
