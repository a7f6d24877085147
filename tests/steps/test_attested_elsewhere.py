"""What a run elsewhere attests: each alteration of it is refused, and what is no statement."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from plugins.model.action import bundle_file
from plugins.model.attested import Attested, attested, statement_of
from plugins.model.strict_json import BrokenJson
from tests.steps.test_elsewhere import Asking, asking, lasting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


__all__ = ["asking", "lasting"]


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each field and entry that holds no others."""
    if isinstance(value, dict | list) and value:
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves_of(each, (*path, key))
    else:
        yield path


def altered(content: Any, path: tuple[Any, ...]) -> Iterator[bytes]:
    """The document with one field of another value, and without that field."""
    for change in (_other, None):
        made = json.loads(json.dumps(content))
        *way, last = path
        inner = made
        for key in way:
            inner = inner[key]
        if change is None:
            del inner[last]
        else:
            inner[last] = change(inner[last])
        yield json.dumps(made).encode()


def _other(value: Any) -> Any:
    if isinstance(value, str):
        middle = len(value) // 2
        swapped = "B" if value[middle : middle + 1] != "B" else "C"
        return value[:middle] + swapped + value[middle + 1 :]
    return not value if isinstance(value, bool) else "1" if value is None else 7


# The checkpoint of a log names its signer beside the signature, and no client reads that name; a
# list of time stamps that is empty says as much as none.
_HARMLESS: Final = {"envelope", "rfc3161Timestamps"}


def test_each_single_alteration_of_what_was_attested_is_refused(
    asking: Asking, count: Callable[[str, int], None]
) -> None:
    asking.start()
    asking.to_the_end()
    (action,), errand = asking.actions, asking.errand
    raw = bundle_file(asking.release.layout, action).read_bytes()
    good = errand.proved(raw, action)
    bundle = json.loads(raw)
    refused = 0
    for path in leaves_of(bundle):
        for other in altered(bundle, path):
            try:
                found = errand.proved(other, action)
            except BrokenJson:
                refused += 1
            else:
                assert found == good
                assert _HARMLESS & set(path), path
    assert refused > 30
    count("alterations of a bundle refused", refused)
    # Signed as it is by the right workflow, a statement still has to be the one that was wanted.
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    assert attested(json.dumps(statement).encode(), action) == good
    free = 0
    for path in leaves_of(statement):
        for other in altered(statement, path):
            try:
                found = attested(other, action)
            except BrokenJson:
                refused += 1
            else:
                # Only what is reported and decides nothing: facts, the run and the tool.
                assert path[:2] in {
                    ("predicate", "facts"), ("predicate", "run"), ("predicate", "tool"),
                }, path  # fmt: skip
                free += 1
    assert free < 20
    count("alterations of a statement refused", refused)


@pytest.mark.parametrize("facts", [{"level": "quick", "python": "3.13.6"}, {"python": "3.13.6"}])
def test_quick_tests_do_not_count_where_the_whole_suite_was_wanted(
    asking: Asking, facts: dict[str, str]
) -> None:
    (action,) = asking.actions
    wanted = replace(action, params={**action.params, "level": "full"})
    run, products = "https://github.com/a/b/actions/runs/1", {"tests.json": "0" * 64}
    said = statement_of(wanted, Attested(run, "5" * 40, products, facts)).payload()
    with pytest.raises(BrokenJson, match=r"is of the tests (quick|of no level), wanted full"):
        attested(said, wanted)
    full = Attested(run, "5" * 40, products, {**facts, "level": "full"})
    assert attested(statement_of(wanted, full).payload(), wanted) == full


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"[" * 100_000, "is not JSON"),
        (b'{"_type": "a", "_type": "a"}', "twice"),
        (b'{"_type": "x", "a": "' + b"a" * (1 << 20) + b'"}', "has more than"),
    ],
)
def test_what_is_no_statement_is_refused_in_one_line(
    asking: Asking, payload: bytes, message: str
) -> None:
    with pytest.raises(BrokenJson, match=message):
        attested(payload, asking.actions[0])
