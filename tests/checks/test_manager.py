"""Tests of where a release manager has to be known, and of what is asked of each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import manager
from doit_receipts.finding import Severity
from plugins.model.content import Content
from plugins.ports.fetched import Fetched
from plugins.services.person import OwnFile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Builds

# As python/release-tools had it in August 2026, shortened.
TABLE = """\
github_oidc_provider = "https://github.com/login/oauth"
google_oidc_provider = "https://accounts.google.com"

release_to_sigstore_identity_and_oidc_issuer = {
    "3.13": ("thomas@python.org", google_oidc_provider),
    "3.14": ("hugo@python.org", github_oidc_provider),
    "3.15": ("hugo@python.org", google_oidc_provider),
}
"""
PEP = """\
* RM = Release Manager

  - Hugo van Kemenade <hugo@python.org> (FI)
"""


class Told:
    """Texts of a repository."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def text(self, path: str, ref: str = "") -> bytes | None:  # noqa: ARG002 - the port
        found = self.texts.get(path.rpartition("/")[2].partition(".")[0].replace("-", "_"))
        return found.encode() if found is not None else None


@pytest.mark.parametrize("version", ["3.13.6", "3.14.2"])
def test_whoever_the_table_has_is_known(a_release: Builds, version: str) -> None:
    told = Told(add_to_pydotorg=TABLE)
    assert manager.identity_is_in_the_table(a_release(version), told) == ()


@pytest.mark.parametrize(
    ("version", "word"),
    [
        ("3.15.0a1", "lists hugo@python.org at https://accounts.google.com for 3.15"),
        ("3.16.0a1", "does not list 3.16"),
    ],
)
def test_series_with_another_identity_or_none_is_named_and_mended(
    a_release: Builds, version: str, word: str
) -> None:
    release = a_release(version)
    (finding,) = manager.identity_is_in_the_table(release, Told(add_to_pydotorg=TABLE))
    assert (finding.rule, finding.severity) == ("manager.identity", Severity.WARN)
    assert word in finding.message
    # its remedy
    series, who = release.version.series, release.series.manager.address
    assert f"have {series} with {who} put into that table" in finding.remedy
    row = f'    "{series}": ("{who}", github_oidc_provider),\n'
    lines = [line for line in TABLE.splitlines(keepends=True) if f'"{series}"' not in line]
    mended = "".join([*lines[:-1], row, lines[-1]])
    assert manager.identity_is_in_the_table(release, Told(add_to_pydotorg=mended)) == ()


def test_table_that_is_gone_lists_nobody(a_release: Builds) -> None:
    (finding,) = manager.identity_is_in_the_table(a_release("3.14.2"), Told())
    assert "does not list 3.14" in finding.message


class Shown:
    """A site that has one page."""

    def __init__(self, text: str, status: int = 200) -> None:
        self._answer = Fetched(status, Content.of(text.encode()), text, "")

    def look(self, path: str) -> Fetched:
        assert path == manager.PAGE
        return self._answer


def _page(*rows: str) -> Shown:
    head = "<tr><th>Release</th><th>Identity</th><th>Issuer</th></tr>"
    return Shown(
        f"<p>Python 3.14.0</p><table>{head}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    )


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ((), "does not list 3.14,"),
        (("<td>3.1</td><td>a@python.org</td>", "<td>13.14</td><td>b@c.org</td>"), "does not list"),
        (("<td>3.14</td><td>hugo@python.org</td>",), "lists hugo@python.org for 3.14,"),
        (
            ("<td>3.14</td><td>hugo@python.org</td><td>https://accounts.google.com</td>",),
            "lists hugo@python.org at https://accounts.google.com for 3.14,",
        ),
    ],
)
def test_page_that_users_verify_by_has_the_identity_that_signs(
    a_release: Builds, rows: tuple[str, ...], word: str
) -> None:
    release = a_release("3.14.2")
    (finding,) = manager.identity_is_told_to_users(release, _page(*rows))
    assert (finding.rule, finding.severity) == ("manager.page", Severity.WARN)
    assert word in finding.message
    # its remedy
    who = "hugo@python.org at https://github.com/login/oauth"
    assert finding.remedy.startswith(f"have 3.14 with {who} put into that page")
    address, _, issuer = who.partition(" at ")
    row = f'<td>3.13, 3.14</td><td>Hugo</td><td>{address}</td><td><a href="{issuer}">it</a></td>'
    assert manager.identity_is_told_to_users(release, _page(row)) == ()


def test_page_that_moved_away_lists_nobody(a_release: Builds) -> None:
    (finding,) = manager.identity_is_told_to_users(a_release("3.14.2"), Shown("3.14", 404))
    assert "does not list 3.14" in finding.message


def test_new_release_manager_is_to_be_in_pep_101(a_release: Builds) -> None:
    assert manager.pep_lists_the_manager(a_release("3.14.2"), Told(pep_0101=PEP)) == ()
    release = a_release("3.16.0a1")
    (finding,) = manager.pep_lists_the_manager(release, Told(pep_0101=PEP))
    assert (finding.rule, finding.severity) == ("manager.pep", Severity.NOTE)
    assert finding.remedy.startswith("add yourself there by a pull request")
    mended = f"{PEP}  - Savannah Ostrowski <{release.series.manager.address}> (US)\n"
    assert manager.pep_lists_the_manager(release, Told(pep_0101=mended)) == ()


def test_what_nobody_can_look_up_is_asked_once_and_kept_for_the_person(tmp_path: Path) -> None:
    file = tmp_path / "pep101" / "manager.toml"
    person = OwnFile(file)
    found = manager.manager_said_so(person)
    assert [each.rule for each in found] == ["manager.list", "manager.channel"]
    assert {each.where for each in found} == {str(file)}
    file.parent.mkdir()
    for count, name in enumerate(("private_list", "channel"), 1):
        # its remedy
        assert f"write {name} = YYYY-MM-DD, today, into that file" in found[count - 1].remedy
        with file.open("a") as answers:
            answers.write(f"{name} = 2026-12-01\n")
        assert manager.manager_said_so(person) == found[count:]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"private_list = yes", "is not TOML"),
        (b"\xff", "is not TOML"),
        (b'channel = "today"', "channel is not a date"),
        (b"channel = 2026-12-01T10:00:00", "channel is not a date"),
        (b"#" * (1 << 17), "is larger than 64 kB"),
    ],
)
def test_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, word: str) -> None:
    file = tmp_path / "manager.toml"
    file.write_bytes(content)
    (finding,) = manager.manager_said_so(OwnFile(file))
    assert (finding.rule, finding.where) == ("manager.unread", str(file))
    assert word in finding.message
    file.unlink()  # its remedy: deleted, it has said nothing
    assert len(manager.manager_said_so(OwnFile(file))) == 2
