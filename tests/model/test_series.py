from __future__ import annotations

import pytest

from doit_receipts.errors import SettingsError
from plugins.model.series import series_of, ships_docs
from plugins.model.version import Version


@pytest.mark.parametrize(
    ("version", "signs"),
    [("3.9.25", True), ("3.13.6", True), ("3.14.0rc1", False), ("3.15.0a1", False)],
)
def test_openpgp_signatures_end_with_3_13(version: str, *, signs: bool) -> None:
    """PEP 761: from 3.14 on there are sigstore bundles only."""
    assert series_of(Version.parse(version)).signs_with_gpg is signs


@pytest.mark.parametrize(
    ("version", "signs"),
    [
        ("3.10.11", False),
        ("3.10.12", True),
        ("3.11.0rc2", False),
        ("3.11.0", True),
        ("3.12.0a1", True),
        ("3.13.6", True),
        ("3.15.0a1", True),
    ],
)
def test_bundles_begin_where_every_listed_file_had_one(version: str, *, signs: bool) -> None:
    assert series_of(Version.parse(version)).signs_with_sigstore is signs


@pytest.mark.parametrize(
    ("version", "ships"),
    [
        ("3.11.9", False),
        ("3.12.1", False),
        ("3.12.2", True),
        ("3.13.0a1", False),
        ("3.13.0b1", True),
        ("3.14.0a1", True),
    ],
)
def test_sboms_are_asked_of_where_it_is_certain_that_they_came(
    version: str, *, ships: bool
) -> None:
    assert series_of(Version.parse(version)).ships_sbom is ships


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("3.9.25", "lukasz@langa.pl at https://github.com/login/oauth"),
        ("3.13.6", "thomas@python.org at https://accounts.google.com"),
        ("3.14.0", "hugo@python.org at https://github.com/login/oauth"),
    ],
)
def test_the_identity_of_a_release_manager_is_an_address_and_its_issuer(
    version: str, told: str
) -> None:
    """As told to users at python.org/downloads/metadata/sigstore (sigstore-python#600)."""
    assert str(series_of(Version.parse(version)).manager) == told


def test_series_that_was_never_heard_of_gets_no_invented_facts() -> None:
    series = series_of(Version.parse("3.40.0a1"))
    assert series.release_pep == 0


@pytest.mark.parametrize("version", ["2.7.18", "3.7.9", "4.0.0"])
def test_series_that_this_tool_cannot_release_is_refused(version: str) -> None:
    with pytest.raises(SettingsError, match=r"releases 3\.8 and later"):
        series_of(Version.parse(version))


@pytest.mark.parametrize(
    ("version", "ships"),
    [("3.14.0a1", False), ("3.14.0b2", False), ("3.14.0rc1", True), ("3.14.0", True)],
)
def test_docs_are_shipped_with_candidates_and_finals(version: str, *, ships: bool) -> None:
    assert ships_docs(Version.parse(version)) is ships
