"""Links of an archive, one behind another."""

from __future__ import annotations

import pytest

from plugins.model.archive_links import leads_out


@pytest.mark.parametrize(
    ("links", "out"),
    [
        ({"P/a": "b"}, False),
        ({"P/a": ".."}, True),
        ({"P/a": "/etc"}, True),
        ({"P/a": ""}, True),
        ({"P/a": "../P/b"}, True),
        ({"P": "a"}, True),
        ({"P/a": "sub/up/..", "P/sub/up": ".."}, True),
        ({"P/a": "sub/up/x", "P/sub/up": ".."}, False),
        ({"P/a": "b/../../x", "P/b": "c/d/e", "P/c/d/e": "."}, False),
        ({"P/a": "b/..", "P/b": "c", "P/c": "d", "P/d": "."}, True),
        ({"P/a": "b/../..", "P/b": "c/d"}, False),
        ({"P/a": "./a"}, False),
        ({"P/a": "b", "P/b": "a"}, False),
        ({"P/a": "b", "P/b": "../../etc"}, True),
        ({"P/a": "b//.//c"}, False),
    ],
)
def test_a_link_is_followed_through_others(links: dict[str, str], *, out: bool) -> None:
    assert leads_out("P/a" if "P/a" in links else "P", links, "P") is out
