"""The release on the site: a draft, its rows, its text, its switch; whatever goes wrong between."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks import site as site_checks
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.model.version import Version
from plugins.rehearsal.site_rows import Rows
from plugins.steps import page_text, site_files, site_release
from tests.site_world import (
    CANARIES,
    DAY,
    PASSWORD,
    QUIET,
    a_contract,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.model.contract import Contract
    from plugins.services.site import PythonOrg
    from tests.site_world import SiteWorld

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def contract(world: SiteWorld) -> Contract:
    made = a_contract(world.folder)
    world.stage(made)
    return made


def drafted(contract: Contract, site: PythonOrg) -> None:
    site_release.make_draft(contract, DAY, site, QUIET)


def listed(contract: Contract, world: SiteWorld, site: PythonOrg) -> None:
    drafted(contract, site)
    site_files.put_files(contract, world.host, site, QUIET)


def standing(world: SiteWorld, contract: Contract, site: PythonOrg) -> list[RemoteState]:
    """What each look finds."""
    return [
        site_release.look_draft(contract, DAY, site).state,
        site_files.look_files(contract, world.host, site).state,
        site_release.look_public(contract, site).state,
    ]


def other(name: str, **more: Any) -> dict[str, Any]:
    slug = name.lower().replace(" ", "-").replace(".", "")
    return {"name": name, "slug": slug, "is_published": True, **more}


# ── the release ──────────────────────────────────────────────────────────────────────────────


def test_a_release_is_made_as_a_draft_that_takes_nothing_from_others(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    site.add_release(other("Python 3.13.5", is_latest=True))
    assert site_release.look_draft(contract, DAY, site).state is RemoteState.ABSENT
    drafted(contract, site)
    found = site_release.look_draft(contract, DAY, site)
    assert found.state is RemoteState.IDENTICAL
    assert found.facts == {
        "page": "https://www.python.org/downloads/release/python-3136/",
        "name": "Python 3.13.6",
        "day": DAY,
    }
    row = world.rows("release")["2"]
    assert (row["is_published"], row["is_latest"], row["release_page"]) == (False, False, None)
    assert row["release_date"] == "2026-12-01T12:00:00Z"
    assert world.rows("release")["1"]["is_latest"]


def test_a_draft_that_a_person_made_is_corrected_and_used(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    site.add_release({"name": "Python 3.13.6", "slug": "python-3136", "pre_release": True})
    found = site_release.look_draft(contract, DAY, site)
    assert found.state is RemoteState.ABSENT
    assert "pre_release is true, wanted false" in found.details
    drafted(contract, site)
    assert site_release.look_draft(contract, DAY, site).state is RemoteState.IDENTICAL
    assert len(world.rows("release")) == 1


def test_two_releases_of_one_name_are_both_shown_and_neither_touched(
    world: SiteWorld, contract: Contract
) -> None:
    """The site allows them; a user then finds either."""
    site = world.site()
    site.add_release(other("Python 3.13.6"))
    site.add_release({"name": "Python 3.13.6", "slug": "another"})
    before = world.rows("release")
    found = site_release.look_draft(contract, DAY, site)
    assert found.state is RemoteState.DIFFERENT
    assert [line.split()[0] for line in found.details] == [
        "/api/v2/downloads/release/1/", "/api/v2/downloads/release/2/",
    ]  # fmt: skip
    for act in (
        lambda: drafted(contract, site),
        lambda: site_release.publish(contract, site, QUIET),
    ):
        with pytest.raises(StepFailed, match="2 releases are named Python 3"):
            act()
    assert world.rows("release") == before
    Rows(world.store).delete("release", "2")  # as the remedy says
    drafted(contract, site)
    site_release.publish(contract, site, QUIET)
    assert len(site.releases()) == 1


def test_a_release_that_was_stored_with_an_error_is_not_made_twice(
    world: SiteWorld, contract: Contract
) -> None:
    """HTTP 500 after the row was stored."""
    world.store.order_fault("site.500_after_write")
    site = world.site()
    drafted(contract, site)
    assert site_release.look_draft(contract, DAY, site).state is RemoteState.IDENTICAL
    assert world.events() == ["created release"]


def test_a_public_release_with_other_fields_is_shown_and_not_changed(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    site.add_release(other("Python 3.13.6", release_date="2026-11-30T00:00:00Z"))
    found = site_release.look_draft(contract, DAY, site)
    assert found.state is RemoteState.DIFFERENT
    assert any(line.startswith("release_date is 2026-11-30") for line in found.details)
    drafted(contract, site)
    assert world.events() == ["created release"]
    assert found.remedy == "correct them in the site's admin, then run the same command again"
    (release,) = site.releases()
    site.change_release(release, site_release.wanted_fields(contract, DAY))
    assert site_release.look_draft(contract, DAY, site).state is RemoteState.IDENTICAL


@pytest.mark.parametrize(
    ("version", "others", "latest"),
    [
        ("3.13.6", [], "yes"),
        ("3.13.6", ["3.13.5", "3.12.11", "2.7.18"], "yes"),
        ("3.13.6", ["3.14.0"], "no"),
        ("3.13.6", ["3.14.0rc1"], "yes"),
        ("3.13.10", ["3.13.9"], "yes"),
        ("3.14.0rc1", [], "no"),
        ("3.14.0", ["3.13.9"], "yes"),
    ],
)
def test_the_newest_final_release_of_all_is_the_latest(
    world: SiteWorld, version: str, others: list[str], latest: str
) -> None:
    """pythondotorg#2161: a bugfix release of an older series took the flag."""
    contract = a_contract(world.folder, version)
    site = world.site()
    for each in others:
        final = not each.endswith("rc1")
        site.add_release(other(f"Python {each}", is_latest=final, pre_release=not final))
    drafted(contract, site)
    assert site_release.look_public(contract, site).state is RemoteState.ABSENT
    site_release.publish(contract, site, QUIET)
    found = site_release.look_public(contract, site)
    assert found.state is RemoteState.IDENTICAL
    assert found.facts["latest"] == latest
    row = next(r for r in world.rows("release").values() if r["name"] == f"Python {version}")
    assert row["is_latest"] is (latest == "yes")
    assert row["pre_release"] is ("rc" in version)
    if latest == "yes" or others:
        assert site_checks.flags_are_right(contract, site) == ()


def test_a_switch_whose_purge_failed_on_the_site_is_a_switch(
    world: SiteWorld, contract: Contract
) -> None:
    """The site stores it and answers 500; every address is purged by a step of its own."""
    site = world.site()
    drafted(contract, site)
    world.store.order_fault("site.cdn_unreachable", times=-1)
    site_release.publish(contract, site, QUIET)
    assert site_release.look_public(contract, site).state is RemoteState.IDENTICAL


# ── the order of dates ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("others", "moment"),
    [
        ({}, "12:00:00"),
        ({"3.13.5": "12:00:00"}, "12:01:00"),
        ({"3.13.5": "17:45:10"}, "17:46:10"),
        ({"3.13.7": "12:00:00"}, "11:59:00"),
        ({"3.13.7": "18:00:00"}, "12:00:00"),
        ({"3.12.11": "12:00:00", "3.14.1": "12:00:00"}, "12:01:00"),
        ({"3.13.5": "23:59:59"}, "23:59:59"),
        ({"3.14.1": "00:00:00"}, "00:00:00"),
    ],
)
def test_two_releases_of_one_day_are_in_the_order_of_their_versions(
    world: SiteWorld, contract: Contract, others: dict[str, str], moment: str
) -> None:
    """The addresses of the latest release go by the date; where dates tie they lead anywhere."""
    site = world.site()
    for version, clock in others.items():
        site.add_release(other(f"Python {version}", release_date=f"{DAY}T{clock}Z"))
    drafted(contract, site)
    row = next(r for r in world.rows("release").values() if r["name"] == "Python 3.13.6")
    assert row["release_date"] == f"{DAY}T{moment}Z"
    assert site_release.look_draft(contract, DAY, site).state is RemoteState.IDENTICAL


def test_the_latest_of_a_series_is_the_higher_version_of_a_day(
    world: SiteWorld, contract: Contract
) -> None:
    """It led to the older one: both had noon."""
    site = world.site()
    before = a_contract(world.folder, "3.13.5")
    for each in (before, contract):
        drafted(each, site)
        site_release.publish(each, site, QUIET)
    assert site.look("/downloads/latest/python3.13/").leads_to.endswith("/python-3136/")


@pytest.mark.parametrize("beside", [{}, {"3.12.11": "12:00:00"}, {"3.15.0a1": "11:30:00"}])
@pytest.mark.parametrize(
    "made", [("3.13.6", "3.14.1", "3.15.0b2"), ("3.15.0b2", "3.14.1", "3.13.6")]
)
def test_releases_of_a_train_have_their_times_before_any_of_them_is_on_the_site(
    world: SiteWorld, made: tuple[str, ...], beside: dict[str, str]
) -> None:
    """What a plan says of the second is what is sent once the first is there."""
    site = world.site()
    for version, clock in beside.items():
        site.add_release(other(f"Python {version}", release_date=f"{DAY}T{clock}Z"))
    others = {each: tuple(set(made) - {each}) for each in made}
    contracts = {each: a_contract(world.folder, each) for each in made}
    planned = {
        each: site_release.wanted_fields(
            contract, DAY, site_release.public_listing(site), others[each]
        )["release_date"]
        for each, contract in contracts.items()
    }
    for each in made:
        site_release.make_draft(contracts[each], DAY, site, QUIET, others[each])
    sent = {row["name"]: row["release_date"] for row in world.rows("release").values()}
    assert {each: sent[f"Python {each}"] for each in made} == planned
    assert sorted(sent, key=lambda name: Version.parse(name.split()[1])) == sorted(
        sent, key=lambda name: str(sent[name])
    )
    assert len(set(sent.values())) == len(sent)


def test_a_release_that_is_public_keeps_its_time_whatever_others_do_later(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    drafted(contract, site)
    site_release.publish(contract, site, QUIET)
    site.add_release(other("Python 3.13.5", release_date=f"{DAY}T15:00:00Z"))
    assert site_release.look_draft(contract, DAY, site).state is RemoteState.IDENTICAL


# ── the text ─────────────────────────────────────────────────────────────────────────────────


def a_text(world: SiteWorld, told: str = "# Python 3.13.6\n\nIt is *out*.\n") -> Path:
    file = world.folder / "page.md"
    file.write_text(told)
    return file


def test_a_text_is_saved_by_the_admin_and_known_by_its_mark(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site(admin=f"rm:{PASSWORD}")
    drafted(contract, site)
    text = a_text(world)
    assert page_text.look_text(contract, text, site).state is RemoteState.ABSENT
    page_text.put_text(contract, text, site, QUIET)
    found = page_text.look_text(contract, text, site)
    assert found.state is RemoteState.IDENTICAL
    edited = a_text(world, "# Python 3.13.6\n\nIt is *really* out.\n")
    assert page_text.look_text(contract, edited, site).state is RemoteState.ABSENT
    site_release.publish(contract, site, QUIET)
    assert page_text.look_text(contract, edited, site).state is RemoteState.DIFFERENT


def test_without_the_admin_a_person_is_told_what_to_paste_and_where(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    drafted(contract, site)
    text = a_text(world)
    with pytest.raises(Waiting, match=r"waiting for RM: .*release/1/change/, put all of") as told:
        page_text.put_text(contract, text, site, QUIET)
    assert f"{world.folder.name}/page.to-paste.md" in told.value.remedy
    pasted = (world.folder / "page.to-paste.md").read_text()
    assert pasted.startswith(text.read_text())
    by_hand = world.site(admin=f"rm:{PASSWORD}")
    by_hand.save_text(site.releases()[0], pasted, "markdown")
    assert page_text.look_text(contract, text, site).state is RemoteState.IDENTICAL


# ── killed at every write ────────────────────────────────────────────────────────────────────

_CLIENT = """
import json, sys
from pathlib import Path
from plugins.model.secret import Secret
from plugins.services.site import PythonOrg
from plugins.steps import page_text, site_files, site_release
from plugins.services.folder_host import FolderHost
from tests.site_world import DAY, QUIET, a_contract

told = json.loads(sys.argv[1])
secrets = Path(told["secrets"])
site = PythonOrg(
    told["site"], Secret(f"file:{secrets}/token"), Secret(f"file:{secrets}/admin")
)
contract = a_contract(Path(told["folder"]))
host, text = FolderHost(Path(told["root"])), Path(told["text"])
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()

def do(look, act):
    if look().state.value == "absent":
        act()
    found = look()
    assert found.state.value == "identical", (found.problem, found.details)
    return dict(found.facts)

facts = [
    do(lambda: site_release.look_draft(contract, DAY, site),
       lambda: site_release.make_draft(contract, DAY, site, QUIET)),
    do(lambda: page_text.look_text(contract, text, site),
       lambda: page_text.put_text(contract, text, site, QUIET)),
    do(lambda: site_files.look_files(contract, host, site),
       lambda: site_files.put_files(contract, host, site, QUIET)),
    do(lambda: site_release.look_public(contract, site),
       lambda: site_release.publish(contract, site, QUIET)),
]
print(json.dumps(facts))
"""


def all_of_it(world: SiteWorld, text: Path, kill_at: int = 0) -> tuple[int, str]:
    """Run the four steps in a process of its own; its status and its facts."""
    world.site(admin=f"rm:{PASSWORD}")
    told = {
        "site": world.addresses["site"], "secrets": str(world.secrets), "text": str(text),
        "folder": str(world.folder), "root": str(world.root),
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, json.dumps(told)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
        if kill_at:
            world.store.aim(client.pid, kill_at)
        out, _ = client.communicate("\n")
    return client.returncode, out


@pytest.mark.slow
def test_a_client_that_is_killed_after_any_write_goes_on_to_the_same_site(
    world: SiteWorld, contract: Contract, count: Callable[[str, int], None]
) -> None:
    """The final tables equal those of an undisturbed run, keys and all, and so do the facts."""
    text = a_text(world)
    status, facts = all_of_it(world, text)
    assert status == 0
    assert not any(canary in facts for canary in CANARIES)
    wanted = world.store.load("site", {})
    writes = len(world.events())
    assert writes == len(contract.listed) + 3
    for number in range(1, writes + 1):
        world.forget()
        world.stage(contract)
        assert all_of_it(world, text, number)[0] == -9
        assert all_of_it(world, text) == (0, facts)
        assert world.store.load("site", {}) == wanted
        assert len(world.events()) == writes
        count("kills of the site's client survived", 1)
