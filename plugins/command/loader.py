"""The loader of this project: the engine's, for the release that ``--release`` names."""

from __future__ import annotations

import sys
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit_receipts import loader
from doit_receipts.command.option import option
from doit_receipts.typed import started_in
from plugins.command.checkout import refuse_foreign_environment
from plugins.command.release_file import RELEASE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Loader"]

_OPT_RELEASE = option(
    "release_file",
    "the declaration of the release [default: release.toml beside dodo.py]",
    default="",
    long="release",
    section="task loader",
    metavar="FILE",
    env_var="PEP101_RELEASE",
)


class Loader(loader.Loader):
    """Loads dodo.py for the release that --release names."""

    cmd_options = (*loader.Loader.cmd_options, _OPT_RELEASE)
    takes_variables = False

    def judge_words(self, words: Sequence[str]) -> None:
        """As for any project; SystemExit also ends a command that names two releases."""
        super().judge_words(words)
        first, *more = dict.fromkeys(_release_files(words)) or ("",)
        if more:
            loader.refuse(f"--release names two files, {first} and {more[0]}; leave one out")

    def setup(self, opt_values: Mapping[str, Any]) -> None:
        """Read dodo.py, which opens the release; in a foreign environment raise InvalidDodoFile."""
        refuse_foreign_environment()
        chosen = opt_values.get("release_file")
        if chosen:
            path = started_in() / Path(chosen).expanduser()
            if path != RELEASE_FILE.get():
                # one process may do a command for several releases: dodo.py is read for each
                sys.modules.pop("dodo", None)
            RELEASE_FILE.set(path)
        super().setup(opt_values)


def _release_files(words: Sequence[str]) -> Iterator[str]:
    """What each --release names; getopt takes a part of an option's name as well."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        name, separator, value = word.partition("=")
        if len(name) >= len("--rel") and "--release".startswith(name):
            yield value if separator else following
