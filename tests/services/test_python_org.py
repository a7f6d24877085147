"""python.org through its API and its admin: what is told, retried, refused and never shown."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from checks import site_access as access
from doit_receipts.errors import ReleaseError, ServiceFailed, SettingsError, Waiting
from doit_receipts.finding import Severity
from plugins.model.secret import Secret
from plugins.ports.site import SiteRow
from plugins.services.site import PythonOrg
from tests.site_world import CANARIES, PASSWORD, SiteWorld, site_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RELEASE = {"name": "Python 3.13.6", "slug": "python-3136", "release_date": "2026-12-01T12:00:00Z"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("python_org")) as made:
        yield made


@pytest.fixture
def world(running: SiteWorld) -> SiteWorld:
    running.forget()
    return running


def test_what_was_added_is_read_back(world: SiteWorld) -> None:
    site = world.site()
    site.add_release(RELEASE)
    (release,) = site.releases()
    assert (release.name, release.slug, release.is_published) == (
        *list(RELEASE.values())[:2],
        False,
    )
    row = {"name": "x", "slug": "x", "url": "https://www.python.org/ftp/python/x"}
    site.add_row(release, "windows", row)
    (found,) = site.rows(release)
    assert (found.system, found.slug, found.fields["url"]) == ("windows", "x", row["url"])
    site.change_row(found, {"filesize": 7})
    site.change_release(release, {"is_published": True})
    assert site.rows(release)[0].fields["filesize"] == 7
    assert site.releases()[0].is_published
    site.delete_row(found)
    site.delete_row(found)
    assert site.rows(release) == ()


def test_a_system_that_the_site_does_not_know_is_told(world: SiteWorld) -> None:
    site = world.site()
    site.add_release(RELEASE)
    with pytest.raises(ServiceFailed, match="has no operating system 'beos'"):
        site.add_row(site.releases()[0], "beos", {"name": "x"})


def test_write_access_is_asked_without_changing_anything(world: SiteWorld) -> None:
    world.site().may_write()
    assert world.events() == []


@pytest.mark.parametrize(
    ("token", "problem"),
    [("guest-token", "answered 403"), ("gone-token", "answered 401"), ("wrong", "answered 401")],
)
def test_a_token_that_may_not_write_is_refused(world: SiteWorld, token: str, problem: str) -> None:
    with pytest.raises(ServiceFailed, match=problem) as raised:
        world.site(token=token).may_write()
    assert raised.value.remedy


def test_a_site_without_a_secret_says_what_to_write(world: SiteWorld) -> None:
    site = PythonOrg(world.addresses["site"], None)
    with pytest.raises(ServiceFailed, match=r'write site = "env:NAME" under \[credentials\]'):
        site.may_write()


def test_a_throttled_call_is_made_again_when_the_site_says(world: SiteWorld) -> None:
    """429 with Retry-After: also a POST, for the site has not done it."""
    site = world.site()
    world.store.order_fault("site.429", argument="1")
    site.add_release(RELEASE)
    assert world.events() == ["created release"]


def test_a_site_that_wants_to_be_left_alone_for_long_is_waited_for(world: SiteWorld) -> None:
    world.store.order_fault("site.429", argument="1800")
    with pytest.raises(Waiting, match=r"accepts no more requests before (\S+ )?\d\d:\d\d UTC"):
        world.site().releases()


def test_a_save_that_may_be_done_twice_is(world: SiteWorld) -> None:
    site = world.site()
    site.add_release(RELEASE)
    world.store.order_fault("site.500_after_write")
    site.change_release(site.releases()[0], {"is_published": True})
    assert world.events().count("changed release") == 2


def test_a_new_row_is_asked_for_once_even_if_the_answer_is_an_error(world: SiteWorld) -> None:
    """It was stored: a second request would be refused as a duplicate, or be one."""
    world.store.order_fault("site.500_after_write")
    with pytest.raises(ServiceFailed, match="answered 500"):
        world.site().add_release(RELEASE)
    assert world.events() == ["created release"]


def test_a_refusal_tells_what_the_site_said(world: SiteWorld) -> None:
    site = world.site()
    site.add_release(RELEASE)
    with pytest.raises(ServiceFailed, match="POST /api/v2/downloads/release/: ans") as raised:
        site.add_release(RELEASE)
    assert "already exists" in "".join(raised.value.details)


def test_an_address_that_nobody_answers_is_told_in_one_line() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ServiceFailed, match="connect error at http://127") as raised:
            PythonOrg(address, None).releases()
    assert "\n" not in str(raised.value)


@contextmanager
def silent_server() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=take)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for each in taken:
            each.close()


def test_a_site_that_never_answers_is_given_up() -> None:
    with silent_server() as address:
        site = PythonOrg(address, None, timeout_s=0.1)
        with pytest.raises(ServiceFailed, match="read timeout"):
            site.releases()
        with pytest.raises(ServiceFailed, match="read timeout"):
            site.add_release(RELEASE)


def test_the_text_of_a_page_is_saved_and_nothing_else_of_it_changes(world: SiteWorld) -> None:
    """The admin's form saves all that is in it: flags, date and files go back as they came."""
    site = world.site(admin=f"rm:{PASSWORD}")
    assert site.saves_texts
    site.add_release({**RELEASE, "is_published": True, "is_latest": True, "pre_release": True})
    release = site.releases()[0]
    row = {"name": "x & y", "slug": "x", "url": "https://www.python.org/ftp/python/x"}
    site.add_row(release, "source", {**row, "download_button": True})
    before = world.rows("release")["1"], world.rows("release_file")
    text = '\n# Hi & <b>all</b>\n\n"quoted"\n'
    site.save_text(release, text, "markdown")
    after = world.rows("release")["1"]
    assert after["content"].replace("\r\n", "\n") == text
    assert {**after, "content": ""} == before[0]
    assert world.rows("release_file") == before[1]
    page = site.page("python-3136")
    assert page is not None
    assert "&quot;quoted&quot;" in page


# ── the admin, tried at the start ────────────────────────────────────────────────────────────


def test_login_form_and_right_of_the_admin_are_tried_without_a_change(world: SiteWorld) -> None:
    site = world.site(admin=f"rm:{PASSWORD}")
    site.may_save_texts()  # there is no release yet: its list is opened
    site.add_release(RELEASE)
    before = world.rows("release")
    site.may_save_texts()
    assert access.texts_can_be_saved(site) == ()
    assert access.texts_can_be_saved(world.site()) == ()  # saved by hand
    assert world.rows("release") == before
    assert world.events() == ["created release"]


@pytest.mark.parametrize(
    ("admin", "fault", "problem"),
    [
        ("rm:wrong", "", "did not accept user and password"),
        ("rm-without-a-colon", "", "the secret has no colon"),
        ("guest:guest-password", "", "did not accept user and password"),
        (f"rm:{PASSWORD}", "site.password_refused", "did not accept user and password"),
        (f"rm:{PASSWORD}", "site.no_right", "may not change releases"),
    ],
)
def test_an_admin_that_does_not_let_us_save_is_a_finding_with_a_remedy(
    world: SiteWorld, admin: str, fault: str, problem: str
) -> None:
    """Found out at save_text it would be after the switch and the push."""
    site = world.site(admin=admin)
    site.add_release(RELEASE)
    if fault:
        world.store.order_fault(fault)
    (finding,) = access.texts_can_be_saved(site)
    assert (finding.rule, finding.severity) == ("site.admin", Severity.BLOCK)
    assert problem in finding.message
    assert finding.remedy
    assert world.events() == ["created release"]
    assert access.texts_can_be_saved(world.site(admin=f"rm:{PASSWORD}")) == ()


def test_nothing_but_rows_of_files_is_ever_deleted(world: SiteWorld) -> None:
    """A page takes along the release that leads to it, and a release its files: no such call."""
    site = world.site()
    site.add_release(RELEASE)
    release = site.releases()[0]
    for address in (
        "/api/v2/pages/page/1/", release.address, "/api/v2/downloads/os/3/",
        "/api/v2/downloads/release_file/", "/api/v2/downloads/release_file/1/../../release/1/",
        "/api/v2/downloads/release_file/delete_by_release/", "https://elsewhere/",
    ):  # fmt: skip
        with pytest.raises(ValueError, match="is not the address of a row"):
            site.delete_row(SiteRow(address, "source", {}))
    assert world.events() == ["created release"]
    deleting = [name for name in dir(site) if "delete" in name or "remove" in name]
    assert deleting == ["delete_row"]


def test_a_wrong_password_saves_nothing_and_is_not_repeated(world: SiteWorld) -> None:
    site = world.site(admin="rm:canary-wrong")
    site.add_release(RELEASE)
    with pytest.raises(ServiceFailed, match="did not accept") as raised:
        site.save_text(site.releases()[0], "text", "markdown")
    assert "canary-wrong" not in f"{raised.value!r}{raised.value}"
    assert world.events() == ["created release"]


def test_a_page_that_is_not_there_is_none(world: SiteWorld) -> None:
    assert world.site().page("python-3136") is None
    with pytest.raises(ValueError, match="not a slug"):
        world.site().page("../admin")


def test_no_secret_is_in_a_repr_an_error_or_what_the_world_recorded(
    world: SiteWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """DESIGN rule 12, with canaries in every credential, at the lowest level of every logger."""
    caplog.set_level(0)
    site = world.site(admin=f"rm:{PASSWORD}")
    told = [repr(site), repr(vars(site)), repr(vars(site._api))]
    site.add_release(RELEASE)
    site.save_text(site.releases()[0], "text", "markdown")
    world.store.order_fault("site.500_after_write", times=9)
    release = site.releases()[0]
    acts: tuple[Callable[[], None], ...] = (
        lambda: site.add_release(RELEASE),
        lambda: site.save_text(release, "more", "markdown"),
    )
    for act in acts:
        with pytest.raises(ReleaseError) as raised:
            act()
        told += [repr(raised.value), str(raised.value), *raised.value.details]
        told.append("".join(map(repr, raised.tb.tb_frame.f_locals.values())))
    told += [caplog.text, *map(repr, world.store.happened())]
    for path in world.folder.rglob("*"):
        if path.is_file() and path.parent != world.secrets and path.name != "site_people.json":
            told.append(path.read_bytes().decode(errors="replace"))
    assert [canary for canary in CANARIES if any(canary in each for each in told)] == []


def test_a_secret_that_is_missing_stops_before_anything_is_sent(world: SiteWorld) -> None:
    name = "PEP101_TEST_NOTHING"
    assert name not in os.environ
    with pytest.raises(SettingsError, match=f"secret env:{name}: is not set"):
        PythonOrg(world.addresses["site"], Secret(f"env:{name}")).add_release(RELEASE)
    assert world.events() == []
