"""The schema of release.toml for editors, with the parser of the project as its judge."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft4Validator, FormatChecker

from doit_receipts.errors import SettingsError
from plugins.model.settings import read_settings

SCHEMA: Final = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "release.schema.json").read_bytes()
)
JUDGE: Final = Draft4Validator(SCHEMA, format_checker=FormatChecker())
SECTIONS: Final = {
    name: table["properties"]
    for name, table in SCHEMA["properties"].items()
    if "properties" in table
}
SETTINGS: Final = [(section, key) for section, table in SECTIONS.items() for key in table]

LEAST: Final = """
version = "3.14.0rc1"
[repository]
clone = "../cpython"
"""
PEOPLE: Final = f"""{LEAST}
[experts.windows]
name = "Ada"
keys = ["0123 4567 89ab cdef 0123  4567 89AB CDEF 0123 4567"]
mail = "ada@example.org"
[[waivers]]
rule = "builders.red"
reason = "known flake"
by = "Ada"
until = 2026-12-01
"""
KINDS: Final = f"""
version = "3.12"
kind = "end-of-life"
date = 2026-12-01
[repository]
clone = "x"
[signing]
gpg_key = "{"A" * 40}"
"""

TRAIN: Final = LEAST.replace("[repo", 'train = "train.toml"\n[repo')

VALUES: Final = (
    '"word"', '"two words"', '""', '"  "', '"a\\nb"', '"\\u007f"', "0", "1", "-1", "2.5", "true",
    "false", "[]", "[1]", '["word"]', '["word", "word"]', "{}", "2026-12-01",
    "2026-12-01T10:00:00Z", '"../cpython"', '"~/cpython"', '"/srv"',
    '"git@github.com:me/cpython.git"', '"https://github.com/me/cpython"', '"ext::sh -c x"',
    '"https://me:secret@host/x"', '"https://www.python.org/"', '"http://www.python.org"',
    '"http://127.0.0.1:8080"', '"http://localhost"', '"http://[::1]:1/x"', '"ftp://host/"',
    '"ssh://rm@host:22/srv"', '"ssh://host"', '"folder:///srv"', '"folder://srv"',
    '"smtp://mail"', '"smtps://mail:465/"', '"smtp://me@mail"', '"a@b.org"', '"Ada <a@b.org>"',
    '"owner/name"', '"owner"', '"origin/3.14"', '"-x"', '"a:b"',
    f'"{"a" * 40}"', f'"{"A" * 40}"', f'"0x{"a" * 40}"', f'"{"a" * 8}"', f'["{"a" * 40}"]',
    f'["{"a" * 64}"]', '["html"]', '["html", "epub"]', '["html", "html"]', '["pdf"]',
    '["https://edge.example"]', '["3.14.0"]', '["3.14"]', '["v3.14.0"]', '"env:NAME"',
    '"env:"', '"env:NA-ME"', '"file:~/token"', '"file:"', '"file: "', '"hunter2"', '"none"',
    '"slack"', '"quick"', '"full"', '"bugfix"', '"security"', '"end-of-life"', '"Feature"',
    '"build.yml"', '["test_source"]', '["x86_64-unknown-linux-gnu"]', '"stop"',
)  # fmt: skip


def seen(text: str) -> list[str]:
    """Where an editor sees something wrong, as keys with dots between them."""
    content = json.loads(json.dumps(tomllib.loads(text), default=_as_editors_have_it))
    return sorted(".".join(map(str, error.absolute_path)) for error in JUDGE.iter_errors(content))


def _as_editors_have_it(value: date) -> str:
    return value.isoformat()


def told(folder: Path, text: str) -> list[str]:
    """What the parser says is wrong."""
    file = folder / "release.toml"
    file.write_text(text, encoding="utf-8")
    try:
        read_settings(file)
    except SettingsError as error:
        return [str(error), *error.details]
    return []


def test_the_schema_is_one() -> None:
    Draft4Validator.check_schema(SCHEMA)
    assert {"repository", "work", "hosts", "credentials"} < set(SECTIONS)
    assert len(SETTINGS) > 50
    for section, key in SETTINGS:
        assert SECTIONS[section][key]["description"], (section, key)


@pytest.mark.parametrize("text", [LEAST, PEOPLE, KINDS, TRAIN])
def test_what_is_right_is_right_for_both(text: str, tmp_path: Path) -> None:
    (tmp_path / "train.toml").write_text('releases = ["release.toml"]')
    assert told(tmp_path, text) == []
    assert seen(text) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('version = "3.14.0rc1"', "", ""),
        ('"3.14.0rc1"', '"v3.14.0rc1"', "version"),
        ('"3.14.0rc1"', "3.14", "version"),
        ('clone = "../cpython"', "", "repository"),
        ("clone =", "clown =", "repository"),
        ("[repository]", "[repositories]", ""),
        ('name = "Ada"\n', "", "experts.windows"),
        ("[experts.windows]", "[experts.Windows]", "experts"),
        ('keys = ["0123 ', 'keys = ["0123', ""),
        ('keys = ["0123 4567', 'keys = ["', "experts.windows.keys.0"),
        ('rule = "builders.red"', 'rule = "red"', "waivers.0.rule"),
        ("until = 2026-12-01", 'until = "never"', "waivers.0.until"),
        ("until = 2026-12-01\n", "", "waivers.0"),
        ("by =", "from =", "waivers.0"),
        ("[[waivers]]", "[waivers]", "waivers"),
    ],
)
def test_what_is_wrong_is_seen_where_it_is(old: str, new: str, where: str, tmp_path: Path) -> None:
    text = PEOPLE.replace(old, new, 1)
    assert text != PEOPLE
    wrong = told(tmp_path, text)
    assert (where in seen(text)) == bool(wrong)


# What an editor does not see: what hangs on other settings, or on the machine.
_TOGETHER: Final = ("is not released while", "is only for rehearsals", "inside of the clone")


def _differs(value: Any) -> str:
    """Why an editor may pass this value where the parser refuses it; "" if it has to see it."""
    if isinstance(value, date):
        return "editors have a date as text"
    if isinstance(value, str) and not value.isprintable():
        return "a pattern sees no control character everywhere"
    if isinstance(value, str) and ("secret@" in value or "me@mail" in value):
        return "what may be a secret is told by the parser"
    return ""


@pytest.mark.parametrize("written", VALUES)
def test_each_setting_is_judged_as_the_parser_judges_it(written: str, tmp_path: Path) -> None:
    """The editor refuses nothing that is right, and what it passes that is wrong has a reason.

    The value is given to every setting of the file at once; the parser tells all mistakes.
    """
    text = 'version = "3.14.0rc1"\n'
    for section, table in SECTIONS.items():
        text += f"[{section}]\n" + "".join(f"{key} = {written}\n" for key in table)
    value = tomllib.loads(f"x = {written}")["x"]
    shown = json.loads(json.dumps(value, default=_as_editors_have_it))
    lines = [line for line in told(tmp_path, text) if not any(each in line for each in _TOGETHER)]
    for section, key in SETTINGS:
        wrong = [line for line in lines if f"[{section}] {key} " in line]
        is_seen = not Draft4Validator(SECTIONS[section][key]).is_valid(shown)
        if wrong and not _differs(value):
            assert is_seen, (section, key, wrong)
        if not wrong:
            assert not is_seen, (section, key)


def test_each_setting_can_be_written() -> None:
    """Each passes with one of the values at least, and is refused with most of them."""
    for section, key in SETTINGS:
        judge = Draft4Validator(SECTIONS[section][key])
        values = [tomllib.loads(f"x = {each}")["x"] for each in VALUES]
        good = sum(judge.is_valid(each) for each in values if not isinstance(each, date))
        assert 0 < good < len(values) - 20, (section, key)
