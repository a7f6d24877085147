"""An audit judges all releases of the series that are out, each as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugins.model.published_file import Origin
from plugins.model.release import ReleaseType

if TYPE_CHECKING:
    from tests.released import Released

pytestmark = pytest.mark.slow


def also_out(world: Released, *names: str) -> None:
    """The site lists these releases as well, the newest as the latest; nothing else is there."""

    def change(tables: dict[str, Any]) -> None:
        (row,) = tables["release"].values()
        row["is_latest"] = "Python 3.14.0" not in names
        for number, name in enumerate(names, start=2):
            slug = name.lower().replace(" ", "-").replace(".", "")
            changed = {"name": name, "slug": slug, "is_latest": name == "Python 3.14.0"}
            tables["release"][str(number)] = {**row, **changed}

    world.site(change)


def test_an_audit_names_every_release_and_finds_nothing_in_one_that_is_whole(
    world: Released,
) -> None:
    report = world.audit()
    assert (report.version, report.findings, report.holds) == ("3.13", (), True)
    (only,) = report.judgements
    assert only.subject == "Python 3.13.6"
    assert only.looked_at.startswith("bugfix final: ")


def test_an_audit_tells_which_release_lacks_what(world: Released) -> None:
    also_out(world, "Python 3.13.4", "Python 3.14.0", "Python install manager 25.0", "Python 3.13")
    report = world.audit()
    assert not report.holds
    good = {each.subject: not each.findings for each in report.judgements}
    assert good == {"Python 3.13.4": False, "Python 3.13.6": True}
    assert all(each.where.startswith("3.13.4: ") for each in report.findings)
    missing = [each.where for each in report.findings if each.rule == "file.missing"]
    assert any("Python-3.13.4.tgz" in each for each in missing)
    # A later one has installers, so this one was no security release.
    assert any("macos" in each for each in missing)


def test_only_a_series_that_is_declared_so_is_released_as_source_alone(world: Released) -> None:
    installers = {each.url for each in world.contract.by_origin(Origin.WINDOWS, Origin.MACOS)}

    def change(tables: dict[str, Any]) -> None:
        for number, row in list(tables["release_file"].items()):
            if row["url"] in installers:
                del tables["release_file"][number]

    world.site(change)
    (only,) = world.audit(ReleaseType.SECURITY_FINAL).judgements
    assert only.looked_at.startswith("security final: ")
    (only,) = world.audit().judgements
    assert only.looked_at.startswith("bugfix final: ")
    assert "row.missing" in {each.rule for each in only.findings}


def test_a_series_of_which_nothing_is_out_is_told(world: Released) -> None:
    world.flag(is_published=False)
    report = world.audit()
    assert [each.rule for each in report.findings] == ["situation.nothing"]
