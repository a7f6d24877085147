"""Patchlevel: what Include/patchlevel.h says of the version, and how it is made to say another."""

from __future__ import annotations

import re
from typing import Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted
from plugins.model.version import Level, Version

__all__ = ["PATH", "Patchlevel", "read_patchlevel", "written_patchlevel"]

PATH: Final = "Include/patchlevel.h"

_LEVELS: Final = {
    "PY_RELEASE_LEVEL_ALPHA": Level.ALPHA,
    "PY_RELEASE_LEVEL_BETA": Level.BETA,
    "PY_RELEASE_LEVEL_GAMMA": Level.CANDIDATE,
    "PY_RELEASE_LEVEL_FINAL": Level.FINAL,
}
_NAMES: Final = (
    "PY_MAJOR_VERSION",
    "PY_MINOR_VERSION",
    "PY_MICRO_VERSION",
    "PY_RELEASE_LEVEL",
    "PY_RELEASE_SERIAL",
    "PY_VERSION",
)
_FORM: Final = r"^([ \t]*#[ \t]*define[ \t]+{}[ \t]+)([^ \t\r\n]+)"


@frozen
class Patchlevel:
    """A version and what follows it in PY_VERSION: "" for a release, ``+`` or ``+dev`` after."""

    version: Version
    suffix: str


def read_patchlevel(text: str) -> Patchlevel:
    """The version that the header gives, once in numbers and once as text.

    Raises StepFailed if a constant is missing, if it is defined twice, or if numbers and
    text give two versions.
    """
    values = {name: _value(text, name) for name in _NAMES}
    level = _LEVELS.get(values["PY_RELEASE_LEVEL"])
    numbers = [values[name] for name in (*_NAMES[:3], "PY_RELEASE_SERIAL")]
    if level is None or not all(re.fullmatch("[0-9]{1,4}", each) for each in numbers):
        found = ", ".join(values.values())
        raise StepFailed(
            where=PATH,
            problem=f"gives no version in numbers: {found}",
            remedy="correct it on the branch",
        )
    major, minor, micro, serial = map(int, numbers)
    version = Version(major, minor, micro, level, serial if level is not Level.FINAL else 0)
    quoted = values["PY_VERSION"]
    if not (
        quoted.startswith(f'"{version}')
        and re.fullmatch(r'(\+[a-z]*)?"', quoted[len(str(version)) + 1 :])
    ):
        raise StepFailed(
            where=PATH,
            problem=f"numbers say {version}, and PY_VERSION says {quoted}",
            remedy="correct it on the branch: both have to give the same version",
        )
    return Patchlevel(version, quoted[len(str(version)) + 1 : -1])


def written_patchlevel(text: str, version: Version, suffix: str = "") -> str:
    """The header's text with its six constants of this version; nothing else is changed.

    Raises StepFailed as ``read_patchlevel`` does.
    """
    names = {level: name for name, level in _LEVELS.items()}
    values = (
        version.major, version.minor, version.micro, names[version.level], version.serial,
        f'"{version}{suffix}"',
    )  # fmt: skip
    for name, value in zip(_NAMES, values, strict=True):
        _value(text, name)
        form = re.compile(_FORM.format(name), flags=re.MULTILINE)
        text = form.sub(rf"\g<1>{value}", text)
    return text


def _value(text: str, name: str) -> str:
    found = re.findall(_FORM.format(name), text, flags=re.MULTILINE)
    if len(found) != 1:
        times = counted(len(found), "time") if found else "nowhere"
        raise StepFailed(
            where=PATH, problem=f"{name} is defined {times}", remedy="correct it on the branch"
        )
    return str(found[0][1])
