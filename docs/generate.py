"""Generator of docs/reference: settings.md here, from the classes that read release.toml.

Run as ``python docs/generate.py`` it makes the pages of its neighbours too; tests hold them up to
date. What a setting means is read from the sources; the values that it takes are those of the
schema for editors, which the loader was asked for.
"""

from __future__ import annotations

import ast
import json
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["PAGE", "settings_page"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "docs" / "reference" / "settings.md"

# The sections in the order of the page.
_SOURCES: Final = (
    "plugins/model/settings",
    "plugins/model/local_settings",
    "plugins/model/farm_settings",
    "plugins/model/outside_settings",
    "plugins/model/rebuild_settings",
    "plugins/model/manager_settings",
    "plugins/model/people_settings",
    "plugins/model/train",
    "doit_receipts/finding",
)
_PLAIN: Final = {
    "Path": "a path",
    "str": "text",
    "int": "a number",
    "bool": "`true` or `false`",
    "date": "a date, without quotes",
    "Version": "text",
    "datetime": "a time, without quotes",
    "Train": "a path",
    "tuple[Member, ...]": "a list of paths",
    "Secret": "`env:NAME` or `file:PATH`",
    "tuple[str, ...]": "a list of texts",
}
# Not settings: made of others, or of where the file is.
_MADE: Final = {"Settings": {"file", "experts", "waivers"}, "Expert": {"role"}, "Train": {"file"}}

_HEAD: Final = """\
# release.toml

<!-- Made by docs/generate.py from plugins/model/*settings.py; edit those. -->

The declaration of one release. It is beside `dodo.py`, unless `--release FILE` or the
environment variable `PEP101_RELEASE` names another file; a second release needs one of these.
From another folder only the variable can: `PEP101_RELEASE=FILE doit -f CHECKOUT/dodo.py list`. With
`-f` doit refuses `--release` before it has read the `dodo.py` that knows it.
Relative paths start at the file's own folder, and `~` is the home folder.

A setting or section that is not listed here is refused, and the message names the one that was
most likely meant. All mistakes of the file are reported at once, and nothing is started (exit
status 3). A list holds values of one kind only.

The minimum, which lists, checks and exports a release:

```toml
version = "3.14.0rc1"

[repository]
clone = "../cpython"
```
"""

_TRAIN: Final = """
## train.toml

The releases of one day, each with a release file of its own that names this one by
`train = "train.toml"`. See [several releases on one day](../how-to/trains.md).

"""

_WAIVERS: Final = """
## `[[waivers]]`

Each lets findings of one rule pass, until a given day. All four settings are required. See
[how to waive a finding](../how-to/waive-a-finding.md).

| setting | value | meaning |
| --- | --- | --- |
| `rule` | text | The id of the rule, as the finding shows it. |
| `reason` | text | Why it may pass; shown in every report on the release. |
| `by` | text | Who decided it. |
| `until` | a date, without quotes | The last day on which the waiver is valid. |
"""


def settings_page(project: Path) -> str:
    """The whole page, from the modules of the project that declare settings."""
    classes = {
        node.name: node
        for name in _SOURCES
        for node in ast.parse((project / f"{name}.py").read_bytes()).body
        if isinstance(node, ast.ClassDef)
    }
    neighbour = runpy.run_path(str(Path(__file__).with_name("generate_release_schema.py")))
    schema = json.loads(neighbour["release_schema"](project))
    return "".join(
        (
            _HEAD,
            "\n## The top of the file\n\n",
            *_table("Settings", classes, schema),
            *_sections(classes, schema["properties"]),
            _TRAIN,
            *_table("Train", classes, {}),
        )
    )


def _sections(
    classes: Mapping[str, ast.ClassDef], schemas: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Every class whose docstring begins with its section's name, in the order of the file."""
    for name, node in classes.items():
        titled = re.match(r"``\[([a-zA-Z.]+)\]``: (.*)", ast.get_docstring(node) or "", re.DOTALL)
        if titled:
            yield f"\n## `[{titled[1]}]`\n\n{_sentence(titled[2])}\n\n"
            yield from _table(name, classes, schemas.get(titled[1], {}))
    yield _WAIVERS


def _table(
    name: str, classes: Mapping[str, ast.ClassDef], schema: Mapping[str, Any]
) -> Iterator[str]:
    yield "| setting | value | meaning |\n| --- | --- | --- |\n"
    taken = schema.get("properties", {})
    for field, annotation, meaning in _fields(classes[name]):
        kind = annotation.removesuffix(" | None")
        if field not in _MADE.get(name, ()) and _section_of(classes.get(kind)) == "":
            values = ", ".join(f'`"{each}"`' for each in taken.get(field, {}).get("enum", ()))
            yield f"| `{field}` | {values or _PLAIN[kind]} | {_markdown(meaning)} |\n"


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    """Each field with its annotation and the string below it."""
    below = [*node.body[1:], ast.Pass()]
    for field, docstring in zip(node.body, below, strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            meaning = ""
            if isinstance(docstring, ast.Expr) and isinstance(docstring.value, ast.Constant):
                meaning = str(docstring.value.value)
            yield field.target.id, ast.unparse(field.annotation), meaning


def _section_of(node: ast.ClassDef | None) -> str:
    found = re.match(r"``(\[.*?\])``", (node and ast.get_docstring(node)) or "")
    return found[1] if found else ""


def _sentence(text: str) -> str:
    text = _markdown(text)
    return text[0].upper() + text[1:]


def _markdown(text: str) -> str:
    """A docstring as one line of Markdown; ids of the PEP's inventory are left to the code."""
    line = " ".join(text.split()).replace("``", "`").replace("|", "\\|")
    return re.sub(r" \([A-Z]\d\d(?:, [A-Z]\d\d)*\)", "", line)


if __name__ == "__main__":
    PAGE.write_text(settings_page(_PROJECT), encoding="utf-8")
    for neighbour in (
        "generate_rules", "generate_tasks", "generate_pep", "generate_engine",
        "generate_release_schema", "generate_graph",
    ):  # fmt: skip
        runpy.run_path(str(Path(__file__).with_name(f"{neighbour}.py")), run_name="__main__")
