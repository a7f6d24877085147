"""Commands in messages: as they have to be typed for the release that is open."""

from __future__ import annotations

import pytest

from doit_receipts.typed import completed, typed

TASKS = ("post_forum", "build")


def other(*words: str) -> str:
    return f"{typed(*words)} --release 'my releases/3.13.6.toml'"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("run doit adopt", "run doit adopt post_forum --release 'my releases/3.13.6.toml'"),
        (
            "run doit adopt build; if not, doit retry",
            f"run {other('adopt', 'build')}; if not, {other('retry', 'post_forum')}",
        ),
        ("see doit why build", "see doit why build --release 'my releases/3.13.6.toml'"),
        ("doit list --status", "doit list --release 'my releases/3.13.6.toml' --status"),
        ("doit why signs it", "doit why --release 'my releases/3.13.6.toml' signs it"),
        ("run doit build", "run doit build --release 'my releases/3.13.6.toml'"),
        ("this doit belongs to another", "this doit belongs to another"),
        ("doit why build --release x.toml", "doit why build --release x.toml"),
        ("nothing to type", "nothing to type"),
    ],
)
def test_command_names_the_release_that_is_open(text: str, wanted: str) -> None:
    made = completed(text, other, TASKS, "post_forum")
    assert made == wanted
    assert completed(made, other, TASKS, "post_forum") == wanted


def test_command_of_the_release_beside_dodo_is_as_it_is() -> None:
    assert completed("see doit why build", typed, TASKS) == "see doit why build"
