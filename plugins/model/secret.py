"""Secret: where a password, token or key is kept; what it is comes out at use and stays nowhere."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from doit_receipts.errors import SettingsError
from doit_receipts.frozen import frozen
from doit_receipts.plain_file import open_plain

__all__ = ["Secret"]

_FORM: Final = r"(?a)env:[A-Za-z_][A-Za-z0-9_]*|file:[^\x00-\x1f\x7f]*[^\s]"
_OTHERS: Final = 0o077
_MOST_BYTES: Final = 65_536


@frozen
class Secret:
    """The place of one secret: ``env:NAME`` or ``file:PATH``, where only its owner may look.

    It can be shown, compared, pickled and logged like any other value, for the secret itself
    is never part of it (DESIGN rule 12).
    """

    place: str

    def __post_init__(self) -> None:
        # What is here may be the secret itself by mistake: no message repeats any of it.
        if re.fullmatch(_FORM, self.place) is None:
            object.__setattr__(self, "place", "env:NOTHING")
            raise SettingsError(
                where="[credentials]",
                problem="the place of a secret is empty",
                remedy="write env:NAME or file:PATH",
            )

    def reveal(self) -> str:
        """The secret, read anew each time; no caller keeps it longer than one request.

        White space around it is not part of it. Raises SettingsError, which names the place only,
        if nothing is there, if a file is open to others, or if it is more than one line.
        """
        kind, _, name = self.place.partition(":")
        text = self._variable(name) if kind == "env" else self._file(Path(name))
        text = text.strip()
        if not text:
            raise self._error(problem="is empty", remedy="put the secret there")
        # A line break in it would be a second header of a request.
        if not text.isprintable():
            raise self._error(
                problem="holds more than one line of text", remedy="leave only the secret there"
            )
        return text

    def _variable(self, name: str) -> str:
        text = os.environ.get(name)  # noqa: TID251 - the one place where secrets are read
        if text is None:
            raise self._error(
                problem="is not set", remedy=f"set {name} in the environment of this command"
            )
        return text

    def _file(self, path: Path) -> str:
        try:
            # Opened once, then looked at: what was judged is what is read.
            with open_plain(path) as stream:
                status = os.fstat(stream.fileno())
                if status.st_mode & _OTHERS:
                    problem = f"has mode {stat.S_IMODE(status.st_mode):04o}, so others may read it"
                    raise self._error(problem=problem, remedy=f"run: chmod 600 {path}")
                if status.st_uid != os.geteuid():
                    raise self._error(
                        problem="belongs to somebody else", remedy="keep it in a file of your own"
                    )
                return stream.read(_MOST_BYTES).decode()
        except OSError as error:
            reason = str(error.strerror).lower()
            raise self._error(
                problem=f"cannot be read: {reason}", remedy="put the secret there"
            ) from error
        except UnicodeDecodeError:
            # Not chained: the error would carry the bytes.
            raise self._error(
                problem="is not UTF-8", remedy="leave only the secret there"
            ) from None

    def _error(self, *, problem: str, remedy: str) -> SettingsError:
        return SettingsError(where=f"secret {self.place}", problem=problem, remedy=remedy)
