"""Values of answers: each has the type that was asked for, or is one line that says where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doit_receipts.errors import ServiceFailed
from doit_receipts.printable import printable
from plugins.services.answers import json_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.services.answers import Part

_SOURCE: Final = ("github", "list issues", "https://api.github.com/issues")
_ASK: Final[dict[type, Callable[[Part, str], Any]]] = {
    str: lambda part, name: part.line(name),
    int: lambda part, name: part.number(name),
    bool: lambda part, name: part.flag(name),
    tuple: lambda part, name: part.parts(name),
}


def part_of(raw: str) -> Part:
    return json_of(raw.encode("utf-8", "surrogatepass"), *_SOURCE)


def test_a_wrong_field_is_told_with_service_place_and_address() -> None:
    (entry,) = part_of('[{"title": 7}]').parts()
    with pytest.raises(ServiceFailed) as raised:
        entry.line("title")
    assert str(raised.value) == (
        "github: list issues: an answer that cannot be used: [0].title is a whole number, wanted "
        "text; look at https://api.github.com/issues, then run the same command again"
    )
    with pytest.raises(ServiceFailed, match=r"\[0\]\.state is missing"):
        entry.line("state")
    assert entry.line("state", may_miss=True) == ""


@pytest.mark.parametrize(
    "raw",
    ["", "nonsense", "[1", "NaN", "[Infinity]", "1e999", "9" * 19, "9" * 5_000, '"\\ud800"',
     '{"\\udfff": 1}', '"\ud800"', "[" * 65 + "]" * 65, "[" * 100_000, '{"a":' * 100_000],
)  # fmt: skip
def test_what_is_no_json_that_can_be_used_is_one_line(raw: str) -> None:
    with pytest.raises(ServiceFailed, match=r"the whole answer (is|has)") as raised:
        part_of(raw)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["javascript:x", "http://", "https://a b", "https://\u202e", ""])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ServiceFailed, match=r"html_url is not an address"):
        part_of(json.dumps({"html_url": text})).url("html_url")


def test_a_title_cannot_move_the_cursor() -> None:
    title = part_of(json.dumps(["a\x1b[2J\n\tb\u202ec\x9b1m\ud7ffd"])).parts()[0].line()
    assert title == r"a\x1b[2J b\u202ec\x9b1m\ud7ffd"


_ANY: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("x"), inner),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, database=None)
@given(_ANY, st.sampled_from(sorted(_ASK, key=str)), st.sampled_from(["", "x"]))
def test_every_value_has_the_type_that_was_asked_for_or_is_an_error(
    value: Any, kind: type, name: str
) -> None:
    try:
        found = _ASK[kind](part_of(json.dumps(value)), name)
    except ServiceFailed as error:
        said = str(error)
        assert said.isprintable()
    else:
        assert type(found) is kind
        assert not isinstance(found, str) or found.isprintable()


@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,0123456789eE.+-\\u dDfF').map(str.encode))
def test_any_bytes_are_a_value_or_an_error(raw: bytes) -> None:
    try:
        found = json_of(raw, *_SOURCE)
    except ServiceFailed as error:
        said = str(error)
        assert said.isprintable()
    else:
        json.dumps(found.plain, ensure_ascii=False, allow_nan=False).encode()


@given(st.text(st.characters()))
def test_printable_text_is_printable_and_left_alone(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    assert not text.isprintable() or printable(text) == text
