"""Who verifies has no key of GitHub's, and asks where nobody needs one."""

from __future__ import annotations

import pytest

from plugins.services.git_history import address_for_all


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("git@github.com:python/cpython.git", "https://github.com/python/cpython.git"),
        ("ssh://git@github.com/python/cpython", "https://github.com/python/cpython"),
        ("https://github.com/python/cpython.git", "https://github.com/python/cpython.git"),
        ("git@example.org:python/cpython.git", "git@example.org:python/cpython.git"),
        ("./world/upstream.git", "./world/upstream.git"),
    ],
)
def test_upstream_is_read_without_a_key_where_it_can_be(address: str, wanted: str) -> None:
    assert address_for_all(address) == wanted
