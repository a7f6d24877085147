"""The rebuild command: the archives of any release from its tag, and a signed word of what came.

It needs no release.toml, and so no chapter names what it does.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.command.command_line import WordsInAnyOrder
from doit_receipts.command.option import option
from doit_receipts.errors import SettingsError
from plugins.ports.foreign_folder import foreign_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.release import Release

__all__ = ["Rebuild"]

_UPSTREAM: Final = "https://github.com/python/cpython"


class Rebuild(WordsInAnyOrder):
    """Make the archives of a release from its tag in an empty folder; sign their digests."""

    name = "rebuild"
    example = (
        "doit rebuild 3.14.0rc2 > SHA256SUMS\ndoit rebuild 3.14.0rc2 --who LOGIN --key FINGERPRINT"
    )
    doc_purpose = "make the archives of a release from its tag; show or sign what you got"
    doc_usage = "VERSION"
    doc_description = None
    cmd_options = (
        option("who", "your login: the name of your folder in the ledger", default=""),
        option("key", "the full fingerprint of the OpenPGP key that signs", default=""),
        option(
            "gnupg-home", "the folder of your keyring [default: %(default)s]", default="~/.gnupg"
        ),
        option("ledger", "the folder of the ledger [default: %(default)s]", default="rebuilds"),
        option("repository", "who has the tag [default: %(default)s]", default=_UPSTREAM),
        option("clone", "a clone on this machine, so that less is fetched", default=""),
        option("unconfined", "run blurb although nothing here can confine it"),
    )

    def execute(self, opt_values: Any, pos_args: Any) -> int:
        """Write ``LEDGER/VERSION/WHO/SHA256SUMS`` and its signature; nothing else stays.

        With neither a name nor a key nothing is written: the digests are on standard output, as
        sha256sum reads them.
        """
        from plugins.model.ledger import sums_of
        from plugins.services.git_history import GitHistory, address_for_all
        from plugins.services.git_remote import GitRemote
        from plugins.services.gnupg_signer import GnupgSigner
        from plugins.services.programs import MachinePrograms
        from plugins.steps.rebuild import make_again, rebuild

        if len(pos_args) != 1:
            problem = "takes one version, such as 3.14.0rc2"
            raise _misspelled(problem)
        is_signed = bool(opt_values["who"] or opt_values["key"])
        for name in ("who", "key") if is_signed else ():
            if not opt_values[name]:
                problem = f"needs --{name}"
                raise _misspelled(problem)
        ledger = Path(opt_values["ledger"]).expanduser().absolute()
        with foreign_folder("pep101-rebuild-") as room:
            release = _release(pos_args[0], room)
            unconfined = opt_values["unconfined"]
            programs = MachinePrograms(may_be_unconfined=lambda: unconfined)
            remote = GitRemote(address_for_all(opt_values["repository"]), programs)
            near = Path(opt_values["clone"]).expanduser() if opt_values["clone"] else room
            history = GitHistory(room / "upstream", remote, near, programs)
            if not is_signed:
                facts = make_again(release, history, programs, _Said())
                made = {path.name: sha256_of(path) for path in release.layout.tarballs}
                sys.stderr.write(_made(facts))
                sys.stdout.write(sums_of(made).decode())
                return 0
            signer = GnupgSigner(Path(opt_values["gnupg-home"]).expanduser(), opt_values["key"])
            facts = rebuild(
                release, history, programs, _Said(),
                ledger=ledger, who=opt_values["who"], signer=signer,
            )  # fmt: skip
        sys.stdout.write(_made(facts))
        sys.stdout.write(f"{Path(facts['sums']).read_text(encoding='ascii')}")
        sys.stdout.write(f"signed: {facts['sums']}.asc\nnext: propose both files to the ledger\n")
        return 0


def _made(facts: Mapping[str, str]) -> str:
    tools = ", ".join(f"{name} {facts[name]}" for name in ("git", "blurb", "gzip", "xz"))
    return f"made from {facts['commit']} with {tools}\n"


class _Said:
    """What is done, a line each."""

    def say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")


def _misspelled(problem: str) -> SettingsError:
    remedy = "doit rebuild --help says what there is"
    return SettingsError(where="doit rebuild", problem=problem, remedy=remedy)


def _release(text: str, work: Path) -> Release:
    from plugins.model.layout import Layout
    from plugins.model.release import Release, known_phase, type_of
    from plugins.model.series import series_of
    from plugins.model.version import Version

    version = Version.parse(text)
    series = series_of(version)
    layout = Layout(work / str(version), version)
    return Release(version, type_of(version, known_phase(version, series)), series, layout)
