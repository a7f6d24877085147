"""The form of the Windows build, as it is for each series, and the tables that its runs leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugins.model.content import Content, NamedFile
from plugins.model.hash_table import MOST_BYTES, BrokenTable, read_table
from plugins.model.windows_build import form_of, is_named_for, parameters_of, range_of
from plugins.rehearsal import windows_files

if TYPE_CHECKING:
    from tests.conftest import Builds

COMMIT = "5" * 40
DIGEST = "AB" * 32


@pytest.mark.parametrize(
    ("version", "ticked"),
    [
        ("3.13.17", {"DoPublish", "DoMSI", "DoGPG", "DoMSIX", "DoFreethreaded"}),
        ("3.14.9", {"DoPublish", "DoMSI", "DoJIT", "DoFreethreaded"}),
        (
            "3.15.0rc2",
            {"DoPublish", "DoMSI", "DoJIT", "Post315OutputDir", "DoTailCalling", "DoFreethreaded"},
        ),
        (
            "3.16.0a1",
            {"DoPublish", "DoJIT", "Post315OutputDir", "DoTailCalling", "DoFreethreaded"},
        ),
    ],
)
def test_each_series_has_its_own_boxes(version: str, ticked: set[str], a_release: Builds) -> None:
    """Labels of windows-release/azure-pipelines.yml: "(3.15 and later)" and the like."""
    form = form_of(a_release(version), "hugovk", COMMIT)
    assert {box.parameter for box in form if box.value is True} == ticked
    told = parameters_of(form)
    assert told["SourceTag"] == f"v{version}"
    assert told["SourceCommit"] == COMMIT
    assert told["SigningCertificate"] == "PythonSoftwareFoundation"
    assert set(told.values()) >= {"true", "false"}


def test_owner_that_the_form_does_not_offer_is_written_into_the_second_field(
    a_release: Builds,
) -> None:
    told = parameters_of(form_of(a_release("3.15.0rc2"), "somebody", COMMIT))
    assert (told["GitRemote"], told["GitRemote_Other"]) == ("(Other)", "somebody")
    told = parameters_of(form_of(a_release("3.15.0rc2"), "hugovk", COMMIT))
    assert told["GitRemote"] == "hugovk"
    assert "GitRemote_Other" not in told


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("Release_v3.15.0rc1_20261129.01", True),
        ("Release_v3.15.0rc1_20261129.1", True),
        ("Release_v3.15.0rc10_20261129.01", False),
        ("Release_v3x15x0rc1_20261129.01", False),
        ("Release_v3.15.0rc1_", False),
        ("", False),
    ],
)
def test_run_is_known_by_the_tag_in_its_name(name: str, *, is_ours: bool) -> None:
    assert is_named_for(name, "v3.15.0rc1") is is_ours


def test_label_says_for_which_series_it_is() -> None:
    assert range_of("Build the JIT compiler (3.14 and later)", 14) is True
    assert range_of("Build the JIT compiler (3.14 and later)", 13) is False
    assert range_of("Produce EXE/MSI installer (3.15 and earlier)", 16) is False
    assert range_of("Run PGO", 15) is None


def test_table_is_read_as_powershell_prints_it() -> None:
    files = {"python-3.15.0rc1-amd64.exe": b"exe", "python-3.15.0rc1-embed-amd64.zip": b"zip"}
    text = windows_files.table(files)
    found = read_table(text.encode(), "hashes")
    assert set(found) == set(files)
    assert found["python-3.15.0rc1-amd64.exe"].content.size_bytes == 3
    assert read_table(text.encode("utf-16"), "hashes") == found


def test_only_the_table_of_sha256_counts() -> None:
    text = (
        f"\r\nName  SHA256 Length\r\n----  ------ ------\r\na.exe {DIGEST}  12\r\n\r\n"
        "Name  MD5 Length\r\n----  --- ------\r\na.exe 00  12\r\n"
    )
    assert read_table(text.encode(), "hashes") == {
        "a.exe": NamedFile("a.exe", Content(12, DIGEST.lower()))
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "lists no file"),
        ("Name MD5 Length\na.exe 00 12\n", "lists no file"),
        ("a.exe 00 12\n", "begins with line 1"),
        ("Name SHA256 Length\na.exe xyz 12\n", "line 2 is not"),
        (f"Name SHA256 Length\n../a.exe {DIGEST} 12\n", "line 2 is not"),
        (f"Name SHA256 Length\na.exe {DIGEST} twelve\n", "line 2 is not"),
        (f"Name SHA256 Length\na.exe {DIGEST} 12\na.exe {'CD' * 32} 12\n", "other bytes of a.exe"),
        ("Name SHA256 Length\n" + "x" * MOST_BYTES, "has more than"),
        ("\x1b[2J\x00" * 20, "begins with line"),
    ],
)
def test_text_that_is_no_table_is_refused(text: str, told: str) -> None:
    with pytest.raises(BrokenTable, match=told) as caught:
        read_table(text.encode(), "hashes of run 42")
    assert str(caught.value).startswith("hashes of run 42: ")
    assert str(caught.value).isprintable()
