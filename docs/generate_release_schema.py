"""Generator of docs/reference/release.schema.json, by which editors check release.toml.

The classes that read the file are asked for every setting by a table that writes down what they
ask: so the schema knows what is read, and how, from nothing but the code that reads it.
"""

from __future__ import annotations

import ast
import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

_PROJECT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_PROJECT))

from plugins.model import forms, people_settings, settings  # noqa: E402
from plugins.model.release import KIND_NAMES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["PAGE", "release_schema"]

PAGE: Final = _PROJECT / "docs" / "reference" / "release.schema.json"
_HERE: Final = "plugins/model/settings.py"
_HEX: Final = "[0-9a-f]"
_FINGERPRINT: Final = r"(0[xX])?[ \t]*([0-9a-fA-F][ \t]*){40}"
_VERSION: Final = r"[0-9]+\.[0-9]+\.[0-9]+((a|b|rc)[0-9]+)?"
_SERIES: Final = r"[1-9]\.[0-9]{1,2}"
_TEXT: Final[Mapping[str, Any]] = {
    "type": "string",
    "pattern": r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f]",
}
_DATE: Final[Mapping[str, Any]] = {"type": "string", "format": "date"}

# What an editor can see of each form; the reader in plugins/model/forms.py has the last word.
_FORMS: Final[Mapping[Callable[[str], str], str]] = {
    forms.artifact_name: "^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$",
    forms.commit_id: f"^{_HEX}{{40}}({_HEX}{{24}})?$",
    forms.fingerprint: rf"^{_FINGERPRINT}$",
    forms.fingerprints: rf"^{_FINGERPRINT}(\+{_FINGERPRINT})*$",
    forms.git_remote: r"^(\.|/|~|(ssh|https|http|git|file)://\S+$|([\w.-]+@)?[A-Za-z0-9][\w.-]*:/?[^/:\s]\S*$)",
    forms.github_login: "^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}$",
    forms.github_repository: "^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$",
    forms.host_address: "^(ssh://[^/]+/|folder:///.)",
    forms.mail_address: "^[A-Za-z0-9][\\w.+-]*@[A-Za-z0-9][\\w.-]*[A-Za-z0-9]$",
    forms.mail_server: "^smtps?://[^/@]+/?$",
    # Of ASCII letters, spaces and ' . - only; which other letters there are, no pattern says.
    forms.person_name: r"^[^\x00-@\[-`{-\x7f][^\x00-\x1f!-&(-,/-@\[-`{-\x7f]*$",
    forms.release_version: f"^{_VERSION}$",
    forms.revision: r"^\.?([^\s\-:?*\[\\^~.][^\s:?*\[\\^~.]*\.?)([^\s:?*\[\\^~.]+\.?)*$",
    forms.rule_id: r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$",
    forms.workflow_file: r"^[A-Za-z0-9][A-Za-z0-9._-]*\.ya?ml$",
    forms.web_address: r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$))",
}


class _Asked:
    """A table of no file: it answers as one that says nothing, and keeps what it was asked."""

    def __init__(self) -> None:
        self.properties: dict[str, dict[str, Any]] = {}
        self.required: list[str] = []

    def _ask(self, key: str, schema: Mapping[str, Any]) -> None:
        # What is asked first is what is read: a form is a text as well.
        self.properties.setdefault(key, {}).update(schema)

    def value(self, key: str, kind: type, wanted: str) -> None:
        kinds = {bool: "boolean", int: "integer", list: "array", str: "string"}
        if kind in kinds:
            self._ask(key, {"type": kinds[kind]})
        else:
            self._ask(key, _DATE)
        del wanted

    def text(self, key: str, default: str, *, wanted: str = "") -> str:
        del wanted
        self._ask(key, _TEXT)
        return default

    def texts(self, key: str, default: tuple[str, ...], *, wanted: str) -> tuple[str, ...]:
        items: dict[str, Any] = {"type": "string"}
        if default:
            items["enum"] = list(default)
        self._ask(key, {"type": "array", "items": items, "uniqueItems": True})
        del wanted
        return default

    def number(self, key: str, wanted: str) -> int:
        del wanted
        self._ask(key, {"type": "integer", "minimum": 1})
        return 0

    def path(self, key: str, default: str) -> Path:
        self._ask(key, _TEXT)
        return Path(default)

    def choice(self, key: str, options: Iterable[str], default: Any) -> Any:
        self._ask(key, {"enum": list(options)})
        return default

    def need(self, key: str, example: str) -> None:
        del example
        self.required.append(key)

    def form(self, key: str, default: str, reader: Callable[[str], str]) -> str:
        self._ask(key, {"type": "string", "pattern": _FORMS[reader]})
        return default

    def forms(self, key: str, reader: Callable[[str], str], *, wanted: str) -> tuple[str, ...]:
        del wanted
        items = {"type": "string", "pattern": _FORMS[reader]}
        self._ask(key, {"type": "array", "items": items, "uniqueItems": True})
        return ()

    def holds(self, key: str) -> bool:
        """Yes, so that it is asked for what is read only then."""
        self.properties.setdefault(key, {})
        return True

    def declines(self, key: str) -> bool:
        """No; but "" is a value then."""
        self.properties[key] = {"or nothing": True}
        return False

    def secret_text(self, key: str) -> str:
        self._ask(key, {"type": "string", "pattern": r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.*\S.*)$"})
        return ""

    def note(self, key: str, problem: str, remedy: str = "") -> None:
        """An answer that says nothing is no mistake here."""

    def schema(self, meanings: Mapping[str, str], title: str) -> dict[str, Any]:
        """What was asked, each with what the setting means."""
        described = {}
        for key, asked in self.properties.items():
            more = {"description": meanings[key]} if meanings.get(key) else {}
            kept = {name: value for name, value in asked.items() if name != "or nothing"}
            if "or nothing" in asked:
                kept = {"anyOf": [kept, {"enum": [""]}]}
            described[key] = {**kept, **more}
        found: dict[str, Any] = {"type": "object", "title": title}
        if self.required:
            found["required"] = self.required
        return {**found, "properties": described, "additionalProperties": False}


def release_schema(project: Path) -> str:
    """The schema as text; the sources in ``project`` say what each setting means."""
    page = runpy.run_path(str(Path(__file__).with_name("generate.py")))
    classes = {
        node.name: node
        for name in page["_SOURCES"]
        for node in ast.parse((project / f"{name}.py").read_bytes()).body
        if isinstance(node, ast.ClassDef)
    }

    def meanings(name: str) -> dict[str, str]:
        return {key: page["_markdown"](text) for key, _, text in page["_fields"](classes[name])}

    top = meanings("Settings")
    sections = {
        name: _asked(kind.of).schema(meanings(kind.__name__), f"[{name}]")
        for name, kind in settings._SECTIONS.items()  # noqa: SLF001 - the one list of sections
    }
    found = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "release.toml",
        "description": f"The declaration of one release of Python; made from {_HERE}.",
        "type": "object",
        "required": ["version", "repository"],
        "properties": {
            "version": {
                "type": "string",
                "pattern": f"^({_VERSION}|{_SERIES})$",
                "description": top["version"],
            },
            "kind": {"enum": list(KIND_NAMES.values()), "description": top["kind"]},
            "date": {**_DATE, "description": top["date"]},
            "train": {**_TEXT, "description": top["train"]},
            **sections,
            "experts": {
                "type": "object",
                "title": "[experts.NAME]",
                "patternProperties": {"^[a-z][a-z0-9_-]*$": _expert(meanings("Expert"))},
                "additionalProperties": False,
            },
            "waivers": {
                "type": "array",
                "title": "[[waivers]]",
                "items": _waiver(),
            },
        },
        "additionalProperties": False,
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _asked(reader: Callable[[Any], Any]) -> _Asked:
    asked = _Asked()
    reader(asked)
    return asked


def _expert(meanings: Mapping[str, str]) -> dict[str, Any]:
    asked = _Asked()
    asked.text("name", "")
    asked.forms("keys", forms.fingerprint, wanted="")
    asked.properties["keys"]["minItems"] = 1
    asked.form("mail", "", forms.mail_address)
    asked.required = list(people_settings._EXPERT)  # noqa: SLF001 - the one list of them
    return asked.schema(meanings, "[experts.NAME]")


def _waiver() -> dict[str, Any]:
    asked = _Asked()
    asked.form("rule", "", forms.rule_id)
    asked.text("reason", "")
    asked.text("by", "")
    asked.value("until", object, "")
    asked.required = list(people_settings._WAIVER)  # noqa: SLF001 - the one list of them
    meanings = {
        "rule": "The id of the rule, as the finding shows it.",
        "reason": "Why it may pass; shown in every report on the release.",
        "by": "Who decided it.",
        "until": "The last day on which the waiver is valid.",
    }
    return asked.schema(meanings, "[[waivers]]")


if __name__ == "__main__":
    PAGE.write_text(release_schema(_PROJECT), encoding="utf-8")
