"""Public texts are judged by parsed versions, addresses and digests, never by a substring."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.artifact import Artifact
from plugins.model.layout import Layout
from plugins.model.promise import contract_of
from plugins.model.release import Release, type_of
from plugins.model.series import series_of
from plugins.model.text_rules import (
    TextFacts,
    foreign_addresses,
    foreign_digests,
    foreign_series,
    foreign_versions,
    gaps,
    leftovers,
    names_version,
    sections,
)
from plugins.model.version import Version

A, B, C = "a" * 64, "b" * 64, "c" * 64
COMMIT = "5" * 40
TEMPLATES: Final = Path(__file__).resolve().parents[2] / "plugins" / "services" / "texts"


def facts(version: str = "3.14.1", versions: tuple[str, ...] = ()) -> TextFacts:
    parsed = Version.parse(version)
    layout = Layout(Path("/nowhere"), parsed)
    release = Release(parsed, type_of(parsed), series_of(parsed), layout)
    files = [
        Artifact(Path(f"Python-{version}.tgz"), 1000, A),
        Artifact(Path(f"Python-{version}.tar.xz"), 22_123_456, B),
    ]
    return TextFacts.of(contract_of(release), files, (COMMIT,), versions)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Python 3.14.1 is out", True),
        ("v3.14.1", True),
        ("(3.14.1).", True),
        ("3.14.10", False),
        ("3.14.1rc1", False),
        ("13.14.1", False),
        ("3.14.1.2", False),
        ("https://www.python.org/downloads/release/python-3141/", False),
        ("Python 3.14", False),
    ],
)
def test_version_is_named_as_a_whole_word(text: str, names: bool) -> None:  # noqa: FBT001
    assert names_version(text, Version.parse("3.14.1")) is names


@pytest.mark.parametrize(
    "text",
    ["3.15.0 beta 3", "Python 3.15.0 Beta 3", "3.15.0b3", "Python 3.15 beta 3", "v3.15.0-b3"],
)
def test_version_in_words_is_the_same_version(text: str) -> None:
    assert names_version(text, Version.parse("3.15.0b3"))


@pytest.mark.parametrize(
    ("version", "text", "foreign"),
    [
        ("3.14.1", "Python 3.14.0 is out", "3.14.0"),
        ("3.14.1", "Python 3.13.9 is out", "3.13.9"),
        ("3.14.1", "Python-3.14.0.tgz", "3.14.0"),
        ("3.14.1", "Python3.14.0 is out", "3.14.0"),
        ("3.14.1", "Python 3.14.\u200b0", "3.14.0"),
        ("3.14.1", "Python \uff13.14\u2024\uff10", "3.14.0"),
        ("3.14.1", "`v3.14.0`", "3.14.0"),
        ("3.14.1", "upgrade to 3.14.0", "3.14.0"),
        ("3.14.1", "Python 3.14.10 is out", "3.14.10"),
        ("3.14.1", "Python 2.7.18", "2.7.18"),
        ("3.15.0b3", "3.15.0 beta 2", "3.15.0b2"),
        ("3.15.0rc1", "3.15.0 release candidate 3 is here; 3.14.9", "3.14.9"),
        ("3.15.0rc1", "Python 3.15 beta 4 is here!", "3.15.0b4"),
        ("3.15.0rc2", "Python 3.15rc1 is here", "3.15.0rc1"),
        ("3.15.0rc2", "Python 3.15.0-rc1 is here", "3.15.0rc1"),
        ("3.15.0rc2", "Python 3.15.0 RC1 is here", "3.15.0rc1"),
        ("3.15.0rc2", "v3.15.0RC1", "3.15.0rc1"),
        ("3.15.0b3", "3.15.0~b2", "3.15.0b2"),
        ("3.15.0b3", "faster since 3.15 beta 1; in 3.15 a 10% speedup, 3.15 rc1 follows", ""),
        ("3.14.1", "changes made since 3.14.0", ""),
        ("3.14.1", "compared to Python 3.13.9", ""),
        ("3.14.1", "faster than CPython 3.13.0 was", ""),
        ("3.14.1", "the next is 3.14.2", ""),
        ("3.15.0b3", "3.15.0b4 follows, then 3.15.0rc1, then 3.15.0", ""),
        ("3.14.1", "Tcl/Tk 9.0.3, OpenSSL 3.0.18, SQLite to 3.50.4, pip 3.1.2", ""),
        ("3.14.1", "see 3.14.01 and 3.14 and 3.14.x", ""),
    ],
)
def test_other_versions_are_found(version: str, text: str, foreign: str) -> None:
    found = foreign_versions(text, facts(version))
    assert [line.split()[2] for line in found] == [f"{foreign},"] * bool(foreign)


def test_declared_version_belongs_there() -> None:
    assert foreign_versions("3.14.1 and 3.13.10", facts(versions=("3.13.10",))) == ()
    page = "https://www.python.org/downloads/release/python-31310/"
    assert foreign_addresses(page, facts(versions=("3.13.10",))) == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://www.python.org/downloads/release/python-3141/",
        "https://www.python.org/downloads/release/python-3141",
        "https://www.python.org/ftp/python/3.14.1/Python-3.14.1.tgz",
        "https://www.python.org/ftp/python/3.14.1/",
        "https://docs.python.org/release/3.14.1/whatsnew/changelog.html",
        "https://docs.python.org/3.14/whatsnew/3.14.html",
        "https://docs.python.org/3/",
        "https://peps.python.org/pep-0745/",
        "https://github.com/python/cpython/issues/142516",
        "https://www.python.org/psf/",
        "https://www.python.org/downloads/latest/python3.14/",
        "https://github.com/python/cpython/compare/v3.14.0...v3.14.1",
        "https://github.com/python/cpython/tree/v3.14.1/Doc",
        "https://github.com/openssl/openssl/releases/tag/openssl-3.0.18",
    ],
)
def test_addresses_of_this_release_pass(url: str) -> None:
    for text in (url, f"<{url}>", f"[here]({url}).", f"See {url}, and more."):
        assert foreign_addresses(text, facts()) == ()
        assert foreign_series(text, facts()) == ()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://www.python.org/downloads/release/python-3140/", "page of another release"),
        ("https://python.org/downloads/release/python-31410/", "page of another release"),
        (
            "https://www.python.org/ftp/python/3.14.0/Python-3.14.0.tgz",
            "a file that is not of this release",
        ),
        (
            "https://www.python.org/ftp/python/3.14.1/Python-3.14.1.tgzz",
            "a file that is not of this release",
        ),
        ("https://docs.python.org/release/3.14.0/", "documentation of another release"),
        ("https://github.com/python/cpython/releases/tag/v3.14.0", "what is of Python 3.14.0"),
        ("https://github.com/python/cpython/compare/v3.13.8...v3.13.9", "what is of Python 3.13.8"),
        ("https://docs.python.org/3.14/3.14.0.html", "what is of Python 3.14.0"),
        ("http://www.python.org/psf/", "without https"),
        ("HTTP://docs.python.org/3/", "without https"),
        ("//www.python.org/downloads/release/python-3140/", "page of another release"),
        ("/downloads/release/python-3140/", "page of another release"),
        ("https://WWW.Python.org:443/Downloads/release/python-3140/", "page of another release"),
        ("https://me@www.python.org/downloads/release/python-3140/", "page of another release"),
        ("https://www.python.org/%64ownloads/release/python%2D3140/", "page of another release"),
        ("https://downloads.example/x", "a link with an invalid address"),
        ("http://127.0.0.1:8000/x", "a link with an invalid address"),
    ],
)
def test_addresses_of_another_release_are_named(url: str, problem: str) -> None:
    (found,) = foreign_addresses(f"See [it]({url}).", facts())
    assert problem in found
    if url.startswith("http") and url == url.lower() and not {"@", "%"} & set(url):
        assert url in found


def test_addresses_without_a_scheme_are_addresses() -> None:
    (found,) = foreign_addresses("see www.python.org/downloads/release/python-3140/", facts())
    assert "page of another release" in found
    assert (
        foreign_addresses("mail docs@python.org, see /downloads/ and docs.python.org", facts())
        == ()
    )


def test_other_series_of_the_docs_is_a_question() -> None:
    text = "https://docs.python.org/3.13/whatsnew/3.13.html and https://docs.python.org/3/"
    assert len(foreign_series(text, facts())) == 1
    text = "https://www.python.org/downloads/latest/python3.13/"
    assert foreign_series(text, facts()) == (f"links to the newest release of Python 3.13: {text}",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"- `Python-3.14.1.tgz`: `{A}`", ""),
        (f"- Python-3.14.1.tgz {A.upper()} 1,000 bytes", ""),
        (f"commit {COMMIT}", ""),
        (f"Python-3.14.1.tgz is {B}", "gives Python-3.14.1.tgz the digest of Python-3.14.1.tar.xz"),
        (f"sha256 {C}", "has a digest of no file of this release: cccccccccccccccc..."),
        (f"md5 {'d' * 32}", "has a digest of no file of this release"),
        (f"commit {'6' * 40}", "has a digest of no file of this release"),
        ("Python-3.14.1.tar.xz, 22,123,456 bytes", ""),
        ("Python-3.14.1.tgz, 1001 bytes", "says Python-3.14.1.tgz has 1001 bytes, it has 1000"),
        ("fixed 1001 bytes of something", ""),
        (f"sha256 {A[:-1]}", "has a digest that is cut or too long: aaaaaaaaaaaaaaaa..."),
        (f"https://github.com/python/cpython/commit/{'e' * 12}", ""),
    ],
)
def test_digests_and_sizes_are_those_of_the_files(text: str, problem: str) -> None:
    found = foreign_digests(text, facts())
    assert ([] if not problem else [True]) == [problem in each for each in found]


def test_names_in_addresses_are_digests_of_nothing() -> None:
    """A commit that was reverted, an uploaded picture, a gist; real announcements have them."""
    text = (
        f"[reverted](https://github.com/python/cpython/commit/{'6' * 40}) and"
        f" ![pi](https://us1.discourse-cdn.com/python1/original/3X/9/a/{'9' * 40}.png)"
        f" <https://gist.github.com/someone/{'8' * 32}>"
    )
    assert foreign_digests(text, facts()) == ()
    assert foreign_digests(f"https://search.sigstore.dev/?hash={C}", facts())
    assert foreign_digests(f"commit {'6' * 40}", facts())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("TODO thanks", "a place left open: TODO"),
        ("tbd", "a place left open: tbd"),
        ("Python {{ version }}", "a leftover of a template: {{"),
        ("Python {version} is out", "a leftover of a template: {version}"),
        ("released on %(date)s", "a leftover of a template: %(date)s"),
        ("Python X.Y.Z", "a leftover of a template: X.Y.Z"),
        ("$VERSION", "a leftover of a template: $VERSION"),
        ("Python [VERSION]", "a leftover of a template: [VERSION]"),
        ("Python <version>", "a leftover of a template: <version>"),
        ("released on YYYY-MM-DD", "a leftover of a template: YYYY-MM-DD"),
        ("Python %s", "a leftover of a template: %s"),
        ("we\u00e2\u20ac\u2122re", "broken characters in line 1"),
        ("a\n\u00c3\u00a9 b", "broken characters in line 2"),
        ("a\ufffdb", "broken characters in line 1"),
        ("a\x00b", "broken characters in line 1"),
        ('<span id="text-0123"></span>', 'markup of another kind of text: <span id="text-'),
        ("See :gh:`123`.", "markup of another kind of text: :gh:`123`"),
        ("`here <https://x.org>`__", "markup of another kind of text"),
        (".. note:: x", "markup of another kind of text: .. note::"),
        ("<!-- remove this -->", "markup of another kind of text: <!--"),
        ("[quote]x[/quote]", "markup of another kind of text: [quote]"),
        ("---\ntitle: x\n---\n", "markup of another kind of text: ---"),
        ("<<<<<<< HEAD", "markup of another kind of text: <<<<<<<"),
    ],
)
def test_leftovers_are_found(text: str, problem: str) -> None:
    assert problem in leftovers(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "An f-string such as `f'{{x}} {version}'`",
        "```python\nt'{name} {{literal}}'\n```",
        "[b](https://x.org) and [link](https://y.org)",
        "a todo-list app",  # the only word that is left open is a whole one
        "**bold** --- dash",
    ],
)
def test_code_and_plain_words_are_no_leftovers(text: str) -> None:
    assert [each for each in leftovers(text) if "template" in each or "markup" in each] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\n[PEP]()", "a link without an address in line 2"),
        ("[PEP](url)", "a link without an address"),
        ("[PEP](#)", "a link without an address"),
        ("[PEP](https://)", "a link without an address"),
        ("[](https://x.org)", "a link without words"),
        ("- one\n- \n- three", "an empty item of a list in line 2"),
        ("Python ( ) is", "empty parentheses"),
        ("the schedule of PEP .", "a word that nothing follows"),
        ("changes since .", "a word that nothing follows"),
        ("# A\n\ntext\n\n## B\n\n## C\n\ntext", 'nothing below the heading "B"'),
        ("# A\n\ntext\n\n## End\n", 'nothing below the heading "End"'),
    ],
)
def test_gaps_are_found(text: str, problem: str) -> None:
    assert [problem in each for each in gaps(text)] == [True]


def test_text_that_is_wrapped_has_no_gap_at_the_end_of_a_line() -> None:
    """The real announcement of 3.14.7 breaks its lines right after "since" and "PEP"."""
    text = "around 400 fixes since\n3.13.14.\n\n- the schedule is PEP\n  745\nas ever since.\n"
    assert gaps(text) == ()
    assert len(gaps("changes since\n\nand PEP \n \n")) == 2
    assert gaps("in PEP\n745. And since\n#143930 of\nPEP\n**745**\n") == ()
    # The next item, heading or quotation is no rest of the line.
    assert len(gaps("- PEP\n- PEP 750\n* since\n1. PEP \n# A\n\nsince\r\n\r\nPEP\n> a\n")) == 5


def test_text_without_gaps_passes() -> None:
    text = "# A\n\n## B\n\ntext `f()` and f()\n\n```\n# no heading\n```\n\n---\n\n- one\n"
    assert gaps(text) == ()
    assert [title for title, *_ in sections(text)] == ["A", "B"]


@given(st.text(st.sampled_from("# -*[]()`\n{}<>:3.14aPEP since/https")))
def test_any_text_is_judged(text: str) -> None:
    known = facts()
    for judge in (leftovers, gaps):
        assert all("\n" not in each for each in judge(text))
    for other in (foreign_versions, foreign_addresses, foreign_series, foreign_digests):
        assert all("\n" not in each for each in other(text, known))
