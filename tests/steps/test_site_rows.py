"""The rows of the release on the site: right, wrong, strange, half stored, or of other bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from checks import site as site_checks
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.published_file import Origin
from plugins.steps import site_files, site_release
from plugins.steps.served import published_bytes
from tests.site_world import (
    QUIET,
    SiteWorld,
    a_contract,
)
from tests.steps.test_site_steps import contract, drafted, listed, other

if TYPE_CHECKING:
    from plugins.model.contract import Contract

__all__ = ["contract"]


def test_rows_are_those_of_the_bytes_on_the_host(world: SiteWorld, contract: Contract) -> None:
    site = world.site()
    listed(contract, world, site)
    found = site_files.look_files(contract, world.host, site)
    assert found.state is RemoteState.IDENTICAL
    assert found.facts["rows"] == str(len(contract.listed)) == "10"
    rows = {row["url"]: row for row in world.rows("release_file").values()}
    tgz = rows["https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz"]
    assert tgz["filesize"] == (world.root / "3.13.6" / "Python-3.13.6.tgz").stat().st_size
    assert tgz["gpg_signature_file"] == tgz["url"] + ".asc"
    assert tgz["sbom_spdx2_file"] == tgz["url"] + ".spdx.json"
    assert tgz["sigstore_bundle_file"] == tgz["url"] + ".sigstore"
    assert tgz["is_source"]
    assert site_checks.rows_are_as_served(contract, world.host, site) == ()


@pytest.mark.parametrize("version", ["3.14.0a1", "3.14.0rc2", "3.14.1", "3.12.12"])
def test_rows_of_every_kind_of_release_are_taken(world: SiteWorld, version: str) -> None:
    contract = a_contract(world.folder, version)
    world.stage(contract)
    site = world.site()
    listed(contract, world, site)
    assert site_files.look_files(contract, world.host, site).state is RemoteState.IDENTICAL


def test_right_rows_stay_wrong_ones_are_changed_and_strange_ones_go(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    listed(contract, world, site)
    release = site.releases()[0]
    rows = {row.slug: row for row in site.rows(release)}
    site.change_row(rows["3136-XZ-compressed-source-tarball"], {"sha256_sum": "0" * 64})
    site.delete_row(rows["3136-Gzipped-source-tarball"])
    url = "https://www.python.org/ftp/python/3.13.6/strange.tgz"
    site.add_row(release, "ios", {"name": "s", "slug": "s", "url": url})
    before = {pk for pk, row in world.rows("release_file").items() if "windows" in row["url"]}
    look = site_files.look_files(contract, world.host, site)
    assert look.state is RemoteState.ABSENT
    assert look.details == (
        "Gzipped source tarball: has no row",
        *(line for line in look.details if line.startswith("XZ compressed source tarball: sha256")),
        f"s: {url} is not a file of this release",
    )
    assert len(look.details) == 3
    findings = site_checks.rows_are_as_served(contract, world.host, site)
    assert {each.rule for each in findings} == {"site.rows"}
    assert len(findings) == 3
    assert all("correct it in the site's admin" in each.remedy for each in findings)
    site_files.put_files(contract, world.host, site, QUIET)
    assert site_files.look_files(contract, world.host, site).state is RemoteState.IDENTICAL
    assert before <= world.rows("release_file").keys()
    assert world.events().count("created release_file") == len(contract.listed) + 2


def test_a_button_on_the_wrong_row_is_moved(world: SiteWorld, contract: Contract) -> None:
    """While it stands, the site takes no other row of its system."""
    site = world.site()
    drafted(contract, site)
    release = site.releases()[0]
    tgz = contract.listed[0]
    assert tgz.row is not None
    fields = {"name": tgz.row.name, "slug": tgz.row.slug, "url": tgz.url, "download_button": True}
    site.add_row(release, "source", fields)
    site_files.put_files(contract, world.host, site, QUIET)
    assert site_files.look_files(contract, world.host, site).state is RemoteState.IDENTICAL


def test_a_row_under_the_wrong_system_is_made_anew(world: SiteWorld, contract: Contract) -> None:
    site = world.site()
    drafted(contract, site)
    tgz = contract.listed[0]
    assert tgz.row is not None
    fields = {"name": tgz.row.name, "slug": tgz.row.slug, "url": tgz.url}
    site.add_row(site.releases()[0], "windows", fields)
    site_files.put_files(contract, world.host, site, QUIET)
    assert site_files.look_files(contract, world.host, site).state is RemoteState.IDENTICAL


@pytest.mark.parametrize("nth", [1, 2, 5, 10])
def test_a_row_that_was_stored_with_an_error_is_not_made_twice(
    world: SiteWorld, contract: Contract, nth: int
) -> None:
    """HTTP 500 after the row was stored, for the n-th row."""
    site = world.site()
    drafted(contract, site)
    fail = site.add_row
    calls = 0

    class Failing:
        """The site, which orders the fault just before one row."""

        def __getattr__(self, name: str) -> Any:
            return getattr(site, name)

        def add_row(self, *arguments: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == nth:
                world.store.order_fault("site.500_after_write")
            fail(*arguments)

    site_files.put_files(contract, world.host, Failing(), QUIET)
    assert site_files.look_files(contract, world.host, site).state is RemoteState.IDENTICAL
    assert world.events().count("created release_file") == len(contract.listed)


@pytest.mark.parametrize(
    ("taken", "what"),
    [
        ({"slug": "3136-macOS-installer", "url": "https://www.python.org/x"},
         "slug 3136-macOS-installer"),
        ({"slug": "x", "url": "https://www.python.org/ftp/python/3.13.6/python-3.13.6-macos11.pkg"},
         "address https://www.python.org/ftp/python/3.13.6/python-3.13.6-macos11.pkg"),
    ],
)  # fmt: skip
def test_a_row_whose_slug_or_address_another_release_holds_names_the_holder(
    world: SiteWorld, contract: Contract, taken: dict[str, str], what: str
) -> None:
    """Both are unique over all releases; asked again the site says the same for ever."""
    site = world.site()
    drafted(contract, site)
    site.add_release(other("Python 3.13.5"))
    holder = next(each for each in site.releases() if each.name == "Python 3.13.5")
    site.add_row(holder, "macos", {"name": "installer", **taken})
    with pytest.raises(StepFailed, match="another release uses their slug or address") as raised:
        site_files.put_files(contract, world.host, site, QUIET)
    (row,) = site.rows(holder)
    assert raised.value.details == (
        f"{what} of macOS installer: installer of Python 3.13.5 ({row.address})",
    )
    assert "run the same command again" in raised.value.remedy
    site.delete_row(row)  # as the remedy says
    site_files.put_files(contract, world.host, site, QUIET)
    assert site_files.look_files(contract, world.host, site).state is RemoteState.IDENTICAL


def test_a_site_that_fails_for_good_ends_the_step_with_its_words(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    drafted(contract, site)

    class Refusing:
        """The site, which takes no row, for a reason of its own."""

        def __getattr__(self, name: str) -> Any:
            return getattr(site, name)

        def add_row(self, release: Any, system: str, fields: Any) -> None:
            site.add_row(release, system, {**fields, "sha256_sum": "x" * 201})

    with pytest.raises(ServiceFailed, match="answered 400") as raised:
        site_files.put_files(contract, world.host, Refusing(), QUIET)
    assert "no more than 200 characters" in "".join(raised.value.details)


def test_a_file_that_was_replaced_on_the_host_is_seen_in_its_row(
    world: SiteWorld, contract: Contract
) -> None:
    """Other bytes of the same size on the host, after the rows were made and public."""
    site = world.site()
    listed(contract, world, site)
    file = world.root / "3.13.6" / "python-3.13.6-amd64.exe"
    file.write_bytes(b"X" * file.stat().st_size)
    look = site_files.look_files(contract, world.host, site)
    assert look.state is RemoteState.ABSENT
    assert "Windows installer (64-bit): sha256_sum" in look.details[0]
    site_release.publish(contract, site, QUIET)
    look = site_files.look_files(contract, world.host, site)
    assert look.state is RemoteState.DIFFERENT
    with pytest.raises(StepFailed, match="is public; its rows are not changed"):
        site_files.put_files(contract, world.host, site, QUIET)
    (finding,) = site_checks.rows_are_as_served(contract, world.host, site)
    assert (finding.rule, finding.where) == ("site.rows", "python-3.13.6-amd64.exe")


def test_a_file_that_is_not_the_released_one_is_never_listed(
    world: SiteWorld, contract: Contract
) -> None:
    """Replaced before its row was made: the row would tell the digest of somebody else's bytes."""
    site = world.site()
    known = {path: each.sha256 for path, each in published_bytes(contract, world.host).items()}
    listed(contract, world, site)
    (world.root / "3.13.6" / "python-3.13.6-amd64.exe").write_bytes(b"somebody else's")
    with pytest.raises(StepFailed, match=r"1 of .* files differs from the release"):
        site_files.look_files(contract, world.host, site, known)
    with pytest.raises(StepFailed, match=r"first 3\.13\.6/python-3\.13\.6-amd64\.exe"):
        site_files.put_files(contract, world.host, site, QUIET, known)
    site_files.put_files(contract, world.host, site, QUIET)
    site_release.publish(contract, site, QUIET)
    (finding,) = site_checks.rows_are_as_served(contract, world.host, site, known)
    assert (finding.rule, finding.where) == ("site.replaced", "python-3.13.6-amd64.exe")


def test_a_file_that_was_replaced_is_put_back_and_its_row_is_left_alone(
    world: SiteWorld, contract: Contract
) -> None:
    """Whoever corrected the row by what the host has would tell users the intruder's digest."""
    site = world.site()
    known = {path: each.sha256 for path, each in published_bytes(contract, world.host).items()}
    listed(contract, world, site)
    file = world.root / "3.13.6" / "python-3.13.6-amd64.exe"
    released = file.read_bytes()
    file.write_bytes(b"somebody else's")
    (finding,) = site_checks.rows_are_as_served(contract, world.host, site, known)
    assert finding.rule == "site.replaced"
    assert finding.remedy.endswith("have the file that was released put back")
    file.write_bytes(released)
    assert site_checks.rows_are_as_served(contract, world.host, site, known) == ()


def test_a_row_is_corrected_as_its_finding_says(world: SiteWorld, contract: Contract) -> None:
    site = world.site()
    listed(contract, world, site)
    rows = {row.slug: row for row in site.rows(site.releases()[0])}
    row = rows["3136-XZ-compressed-source-tarball"]
    site.change_row(row, {"sha256_sum": "0" * 64})
    (finding,) = site_checks.rows_are_as_served(contract, world.host, site)
    wanted = re.search(r"its row's (\w+) is \w+, wanted (\w+)", finding.message)
    assert wanted, finding.message
    assert finding.remedy.startswith("correct it in the site's admin")
    site.change_row(row, {wanted[1]: wanted[2]})
    assert site_checks.rows_are_as_served(contract, world.host, site) == ()


def test_a_file_that_is_missing_on_the_host_stops_before_any_row(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    drafted(contract, site)
    (world.root / "3.13.6" / "python-3.13.6-macos11.pkg").unlink()
    with pytest.raises(StepFailed, match=r"1 of 31 files does not exist, first .*macos11\.pkg"):
        site_files.put_files(contract, world.host, site, QUIET)
    assert world.rows("release_file") == {}
    later = contract.without(Origin.MACOS)
    site_files.put_files(later, world.host, site, QUIET)
    assert site_files.look_files(later, world.host, site).state is RemoteState.IDENTICAL
