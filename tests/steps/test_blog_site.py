"""Whether readers of the blog find the announcement: GitHub and the blog of the environment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from docs.every_kind import a_declaration, plan_of
from doit_receipts.errors import ReleaseError, StepFailed, Waiting
from plugins.model.blog import BLOG
from plugins.model.secret import Secret
from plugins.rehearsal import blog as world
from plugins.rehearsal import github
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.anonymous_client import AnonymousClient
from plugins.services.bounds import Bounds
from plugins.services.github import GitHub
from plugins.services.github_proposals import GitHubProposals
from plugins.steps import announcement_draft, blog, blog_site
from tests.lying_server import answer, lying
from tests.progress import Quiet
from tests.served import served
from tests.source_world import DAY, NOON, FixedClock

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

TOKEN = Secret("env:GITHUB_TOKEN_OF_TEST")
AUTHOR = "Rita Manager"
PATH = f"{world.REPOSITORY}/content/posts/python-3136/index.md"
HERE = f"{BLOG}/2026/11/python-3136/"
LINK = "https://www.python.org/downloads/release/python-3136/"
TEXT = f'# Python 3.13.6: "it\'s here" & more\n\nGet it:\n\n{LINK}\n\nAll [news](https://x.org).\n'


@dataclass
class Scene:
    """The blog's repository and site, and the release whose post is proposed there."""

    release: Release
    store: Store
    github: str
    site: str
    room: Path

    @property
    def proposals(self) -> GitHubProposals:
        return GitHubProposals(self.github, world.REPOSITORY, TOKEN)

    def propose(self) -> None:
        blog.propose_blog(self.release, self.proposals, AUTHOR, DAY, Quiet())

    def order(self, fault: str, argument: str = "") -> None:
        self.store.order_fault(fault, argument=argument, times=ALWAYS)

    def over(self) -> None:
        self.store.save("faults", {})

    def edit(self, old: str, new: str) -> None:
        """Whoever merged the post, or a later pull request, changed it on the main branch."""
        hub = self.store.load("github", {})
        text = hub["texts"][PATH]
        assert old in text
        self.store.save("github", {**hub, "texts": {**hub["texts"], PATH: text.replace(old, new)}})

    def awaited(self, days: int = 7, site: str = "") -> dict[str, str]:
        nowhere = "http://127.0.0.1:9"
        bounds = Bounds(grace_s=0.5, silence_s=0.5, longest_s=0.6)
        client = AnonymousClient(
            nowhere, nowhere, (), self.room / "visits.json", blog=site or self.site, bounds=bounds
        )
        checks = GitHub(self.github, world.REPOSITORY, TOKEN)
        until = NOON + timedelta(days=days)
        return blog_site.await_post(
            self.release, self.proposals, checks, client, DAY, FixedClock(), until=until
        )

    def waits(self, problem: str) -> Waiting:
        with pytest.raises(Waiting, match=problem) as caught:
            self.awaited()
        assert "\n" not in str(caught.value)
        assert "Traceback" not in str(caught.value)
        return caught.value


@pytest.fixture
def scene(tmp_path: Path, a_release: Builds, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", "rehearsal-github-token")
    store = Store(tmp_path / "store")
    github.seed(store, "3.13", ("main", "3.12", "3.13"), pep=719)
    release = a_release("3.13.6")
    release.layout.texts.mkdir(parents=True, exist_ok=True)
    (release.layout.texts / announcement_draft.DRAFT).write_text(TEXT, encoding="utf-8")
    announcement_draft.settle(release)
    with served(github.app(store)) as hub, served(world.app(store)) as site:
        yield Scene(release, store, hub, site, tmp_path)


def test_post_that_was_merged_and_deployed_is_found_at_its_address(scene: Scene) -> None:
    scene.propose()
    assert scene.awaited() == {"address": HERE}


def test_post_that_waits_for_a_review_names_pull_request_and_whom_to_ask(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.never_merged")
    waiting = scene.waits("pull request 100 passed its checks and waits for a review")
    assert waiting.who == "the maintainers of the blog"
    assert "ask the maintainers of the blog to review and merge https://github.com/" in str(waiting)
    scene.over()
    assert scene.awaited() == {"address": HERE}


def test_red_check_is_named_and_the_corrected_branch_ends_the_wait(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.red", "Quality checks")
    waiting = scene.waits("the check Quality checks ended with failure for pull request 100")
    assert "correct the post on the branch release-3.13.6 by what https://github.com/" in str(
        waiting
    )
    assert "ask" not in waiting.remedy
    scene.over()
    assert scene.awaited() == {"address": HERE}


def test_pull_request_that_was_closed_fails_until_it_is_open_again(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.closed")
    with pytest.raises(
        StepFailed, match=r"was closed and not merged, and .* does not exist yet"
    ) as caught:
        scene.awaited()
    told = "open it again or have another one with the same change merged, or leave the blog out by"
    assert caught.value.remedy.startswith(f'{told} [announce] blog = ""')
    scene.over()
    hub = scene.store.load("github", {})
    scene.store.save("github", {**hub, "pulls": [{**hub["pulls"][0], "state": "open"}]})
    assert scene.awaited() == {"address": HERE}


def test_another_pull_request_with_the_post_will_do_for_a_closed_one(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.closed")
    with pytest.raises(StepFailed):
        scene.awaited()
    scene.over()
    path, content = blog.blog_post(scene.release, AUTHOR, DAY)
    other = path.replace("python-3136", "python-3136-is-out")
    scene.proposals.propose("by-hand", {other: content}, "The post", "")
    assert scene.awaited() == {"address": f"{BLOG}/2026/11/python-3136-is-out/"}


def test_deployment_that_failed_is_told_with_its_address(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.not_deployed")
    waiting = scene.waits("merged, and the check Deploy ended with failure on the main branch")
    assert "to run the failed jobs again (https://github.com/" in waiting.remedy
    scene.over()
    assert scene.awaited() == {"address": HERE}


def test_deployment_that_lasts_is_waited_for_until_somebody_is_named(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.late")
    waiting = scene.waits("does not exist yet: the post is merged and not deployed")
    assert waiting.remedy.startswith("run the same command again later; from 2026-11-29")
    with pytest.raises(StepFailed, match="ask the maintainers of the blog to run the workflow"):
        scene.awaited(days=-1)


@pytest.mark.parametrize(
    ("fault", "argument"), [("blog.red", "Quality checks"), ("blog.cancelled", "")]
)
def test_check_that_no_deployment_needs_is_no_reason(
    scene: Scene, fault: str, argument: str
) -> None:
    scene.propose()
    scene.awaited()
    scene.store.save("blog", {})
    scene.order("blog.late")
    scene.order(fault, argument)
    waiting = scene.waits("does not exist yet: the post is merged and not deployed")
    assert waiting.remedy.startswith("run the same command again later")
    scene.order("blog.not_deployed")
    scene.waits("merged, and the check Deploy ended with failure on the main branch")


def test_build_of_the_deployment_that_failed_is_told(scene: Scene) -> None:
    scene.propose()
    scene.awaited()
    scene.store.save("blog", {})
    scene.order("blog.late")
    scene.order("blog.red", "Build")
    scene.order("blog.cancelled")
    scene.waits("merged, and the check Build ended with failure on the main branch")


def test_address_is_of_the_post_as_it_was_merged(scene: Scene) -> None:
    """Whoever merges may give it another day or a slug: the site is built from what main has."""
    scene.propose()
    scene.order("blog.late")
    scene.waits("not deployed")
    scene.edit("publishDate: '2026-11-22'", "publishDate: '2026-12-01T00:30:00+01:00'")
    scene.edit("title: ", "slug: python-is-here\ntitle: ")
    scene.edit("more", "much more")
    scene.over()
    assert scene.awaited() == {"address": f"{BLOG}/2026/11/python-is-here/"}
    scene.edit("2026-12-01T00:30:00+01:00", "2026-12-01T01:30:00+01:00")
    assert scene.awaited() == {"address": f"{BLOG}/2026/12/python-is-here/"}


@pytest.mark.parametrize("title", ["", "A new Python is here"])
def test_post_in_another_folder_is_found_by_the_feed(scene: Scene, title: str) -> None:
    scene.propose()
    scene.order("blog.moved", title)
    assert scene.awaited() == {"address": f"{BLOG}/2026/01/a-new-python-is-here/"}


def test_post_with_another_title_and_without_links_says_what_to_do_and_what_else(
    scene: Scene,
) -> None:
    scene.propose()
    scene.order("blog.moved", "A new Python is here")
    scene.order("blog.old_page")
    waiting = scene.waits("pull request 100 is merged, and the main branch has no content/posts/")
    assert "to merge a post with a link to the page of python-3136 (https://" in waiting.remedy
    with pytest.raises(
        StepFailed, match=r'or leave the blog out by \[announce\] blog = ""'
    ) as caught:
        scene.awaited(days=-1)
    assert "only its closing archive waits for this" in caught.value.remedy
    scene.over()
    assert scene.awaited() == {"address": f"{BLOG}/2026/01/a-new-python-is-here/"}


@pytest.mark.parametrize("text", ["No link.", f"After {LINK.replace('3136', '3135')}"])
def test_text_that_links_only_to_older_pages_is_found_by_its_title_alone(
    scene: Scene, text: str
) -> None:
    """An older post may have the same links."""
    draft = scene.release.layout.texts / announcement_draft.DRAFT
    draft.write_text(f"# Python 3.13.6 is here\n\n{text}\n", encoding="utf-8")
    announcement_draft.settle(scene.release)
    scene.propose()
    scene.order("blog.moved", "A new Python is here")
    waiting = scene.waits("pull request 100 is merged")
    assert "to merge a post of this title (https://" in waiting.remedy
    scene.store.save("github", {**scene.store.load("github", {}), "texts": {}, "pulls": []})
    scene.over()
    scene.order("blog.moved")
    scene.propose()
    assert scene.awaited() == {"address": f"{BLOG}/2026/01/a-new-python-is-here/"}


def test_page_without_our_links_is_not_the_post(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.old_page")
    scene.waits(f"{HERE} lacks the link to the page of python-3136: the post is merged and not")


@pytest.mark.parametrize(
    ("old", "new", "remedy"),
    [
        ("published: true", "published: false", "set published: true in the post, by another"),
        (LINK, "https://www.python.org/", "put the link to the page of python-3136 back into"),
        ("publishDate: '2026", "publishDate: 'x2026", "give the post a title and a publishDate"),
    ],
)
def test_post_that_was_merged_with_other_text_says_what_to_change(
    scene: Scene, old: str, new: str, remedy: str
) -> None:
    scene.propose()
    scene.order("blog.late")
    scene.waits("not deployed")
    scene.edit(old, new)
    if "publishDate" not in old:  # of such a date nothing is built
        scene.over()
    waiting = scene.waits("the post on the main branch was merged with other text")
    assert waiting.remedy.startswith(remedy)
    scene.edit(new, old)
    scene.over()
    assert scene.awaited() == {"address": HERE}


def test_post_that_nobody_proposed_is_asked_for_and_found_once_it_is_merged(scene: Scene) -> None:
    waiting = scene.waits("there is no pull request of it, and the main branch has no content/")
    assert "to merge a post with a link to the page of python-3136, then run" in waiting.remedy
    scene.propose()
    assert scene.awaited() == {"address": HERE}


def test_github_that_does_not_answer_leaves_what_readers_see(scene: Scene) -> None:
    scene.propose()
    scene.order("github.500")
    assert scene.awaited() == {"address": HERE}
    scene.store.save("blog", {})
    scene.order("blog.late")
    scene.waits("does not exist yet; why is not known: github")


def test_site_that_answers_with_an_error_is_waited_for(scene: Scene) -> None:
    scene.propose()
    scene.order("blog.500")
    scene.waits(f"{HERE}: .*answered 500")
    scene.over()
    assert scene.awaited() == {"address": HERE}


@pytest.mark.parametrize("site", ["blog", "github"])
def test_server_that_takes_no_more_requests_is_waited_for_until_the_day(
    scene: Scene, site: str
) -> None:
    scene.propose()
    scene.order("blog.late")
    with lying(_says(answer(b"x", "429 Too Many Requests", Retry_After="9999999"))) as busy:
        if site == "github":
            scene.github = busy
        asked = busy if site == "blog" else ""
        with pytest.raises(Waiting, match=r"/2026/11/python-3136/.*accepts no more requests"):
            scene.awaited(site=asked)
        with pytest.raises(StepFailed, match=r"accepts no more requests .* was due on 2026-11-21"):
            scene.awaited(days=-1, site=asked)


def _drip(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        connection.sendall(b"<title>")
        time.sleep(0.1)


def _flood(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    while True:
        connection.sendall(b"<title>" * 10_000)


def _says(reply: bytes) -> Callable[[socket.socket, str], None]:
    return lambda connection, _: connection.sendall(reply)


@pytest.mark.parametrize(
    "speak",
    [
        _drip,
        _flood,
        _says(b""),
        _says(b"\x00\xff" * 100),
        _says(answer(b"\xff\xfe<title>\x1b[2J</title>")),
        _says(answer(b"<title>" * 50_000)),
        _says(answer(b"", "301 Moved Permanently", Location="https://evil.example/\x1b[2J")),
        _says(answer(b"", "204 No Content")),
        _says(answer(b"x", "429 Too Many Requests", Retry_After="9999999")),
    ],
)
def test_hostile_site_is_one_line_and_takes_no_time(scene: Scene, speak: object) -> None:
    scene.propose()
    begun = time.monotonic()
    with (
        lying(speak) as site,  # type: ignore[arg-type]
        pytest.raises(ReleaseError, match=r"blog\.python\.org/2026/11/python-3136/") as caught,
    ):
        scene.awaited(site=site)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert time.monotonic() - begun < 20


def test_blog_that_is_left_out_as_told_is_not_awaited(tmp_path: Path) -> None:
    """And all that is told of a post that is not there in time, or was closed, ends with it."""
    declaration = a_declaration(tmp_path)
    assert {"open_blog", "await_post"} < plan_of(declaration).tasks.keys()
    text = declaration.read_text(encoding="utf-8")
    text = text.replace("[announce]\n", '[announce]\nblog = ""\n')
    declaration.write_text(text, encoding="utf-8")
    assert not {"open_blog", "await_post"} & plan_of(declaration).tasks.keys()
