"""People settings: the experts that release.toml names, and the waivers that somebody signed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.finding import Waiver
from doit_receipts.frozen import frozen
from plugins.model import forms
from plugins.model.declared import Declared, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plugins.model.declared import Mistakes

__all__ = ["Expert", "experts_of", "limit_waivers", "waivers_of"]

_EXPERT: Final = {"name": '"..."', "keys": '["FULL FINGERPRINT"]'}
_EXPERT_MAY: Final = ("mail", "zone")
_WAIVER_DAYS: Final = 31
_WAIVER: Final = {
    "rule": '"builders.red"',
    "reason": '"..."',
    "by": '"..."',
    "until": "2026-12-01",
}


@frozen
class Expert:
    """``[experts.NAME]``: somebody whose green light the release needs."""

    role: str
    """The NAME of the section: windows, macos, docs."""
    name: str
    """The person's name. Must be written."""
    keys: tuple[str, ...]
    """Full fingerprints of the OpenPGP keys that sign this expert's approvals. Must be written."""
    mail: str = ""
    """The expert's email address, for the emails that the release manager approves. No default;
    without one the release manager informs them."""
    zone: str = ""
    """Where the expert lives, as a time zone such as America/New_York: check_schedule warns if a
    tag comes too late for their day. No default; without one there is no warning."""


def experts_of(content: Mapping[str, Any], mistakes: Mistakes) -> tuple[Expert, ...]:
    """Everybody who has a section of their own, in the order of the file."""
    found = content.get("experts", {})
    if not isinstance(found, dict):
        mistakes.note(f"experts is {kind_of(found)}, wanted sections", "write [experts.windows]")
        return ()
    return tuple(_expert(name, section, mistakes) for name, section in found.items())


def _expert(name: str, section: object, mistakes: Mistakes) -> Expert:
    title = f"[experts.{name}]"
    if not isinstance(section, dict):
        mistakes.note(f"experts.{name} is {kind_of(section)}, wanted a section", f"write {title}")
        return Expert(name, "", ())
    table = Declared(section, title, (*_EXPERT, *_EXPERT_MAY), mistakes)
    for key, example in _EXPERT.items():
        table.need(key, f"{key} = {example}")
    try:
        forms.role(name)
    except forms.WrongForm as error:
        mistakes.note(f"[experts.{name!r}] cannot be the name of an expert", str(error))
    keys = table.forms("keys", forms.fingerprint, wanted="full fingerprints")
    if not keys and table.value("keys", list, "") == []:
        table.note("keys", "is empty", f"write keys = {_EXPERT['keys']}")
    return Expert(
        name,
        table.text("name", "", wanted="the person's name"),
        keys,
        table.form("mail", "", forms.mail_address),
        table.form("zone", "", forms.time_zone),
    )


def waivers_of(content: Mapping[str, Any], mistakes: Mistakes) -> tuple[Waiver, ...]:
    """Every waiver, in the order of the file, whether it holds today or not."""
    found = content.get("waivers", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        mistakes.note("waivers is not a list of sections", "write [[waivers]] above each waiver")
        return ()
    return tuple(_waiver(each, count, mistakes) for count, each in enumerate(found, 1))


def _waiver(section: Mapping[str, Any], count: int, mistakes: Mistakes) -> Waiver:
    table = Declared(section, f"[[waivers]] number {count}", _WAIVER, mistakes)
    for key, example in _WAIVER.items():
        table.need(key, f"{key} = {example}")
    return Waiver(
        rule=table.form("rule", "", forms.rule_id),
        reason=table.text("reason", "", wanted="why the finding may pass"),
        by=table.text("by", "", wanted="who says so"),
        until=table.value("until", date, f"a date without quotes, such as {_WAIVER['until']}")
        or date.min,
    )


def limit_waivers(waivers: Sequence[Waiver], today: date, mistakes: Mistakes) -> None:
    """None is of a rule that nobody can waive, and none outlives the release that it is for."""
    if not waivers:
        return
    # late: a list of tables, and most releases waive nothing
    from plugins.model.gate_rules import GATE_RULES  # noqa: PLC0415
    from plugins.model.rules import RULES  # noqa: PLC0415

    latest = date.max if today == date.max else today + timedelta(days=_WAIVER_DAYS)
    for count, waiver in enumerate(waivers, 1):
        where = f"[[waivers]] number {count}"
        known = RULES.get(waiver.rule) or GATE_RULES.get(waiver.rule)
        if known is not None and not known.waivable:
            mistakes.note(
                f"{where} rule is {waiver.rule}, which cannot be waived: what users get has to be "
                "what was judged",
                "delete the waiver, and do what the finding says",
            )
        if waiver.until > latest:
            mistakes.note(
                f"{where} until is {waiver.until}, and a waiver is valid for {_WAIVER_DAYS} days "
                "at most",
                f"write until = {latest}, and look at it again then",
            )
