"""Generator of doit_receipts/API.md: every public name of the engine, as its source describes it.

The sources are read and not imported, so that the page can be made by any Python.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGE", "api_page", "public_names"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "doit_receipts" / "API.md"

_PARTS: Final = {
    "What a dodo.py is written with": (
        "opening", "project", "plan", "calls", "task", "declaration",
    ),
    "What steps, looks and checks give, and raise": (
        "probe", "finding", "errors", "artifact", "durable", "run_context", "clock", "frozen",
        "outside", "judged",
    ),
    "What a release leaves": (
        "work_folder", "receipt", "receipts", "on_record", "journal", "intents", "approval",
        "state", "status_document",
    ),
    "Approvals and keys": ("approvals", "openpgp"),
    "What pyproject.toml names": (
        "loader", "here", "doit_records", "command/reporter", "command/list", "command/run",
        "command/why", "command/next", "command/approve", "command/adopt_retry", "command/check",
        "command/dumpdb", "command/stock", "command/graph", "command/plan", "command/report",
        "command/board", "command/help", "command/help_text", "command/completion",
    ),
    "Underneath": (
        "acting", "runner", "gate_evidence", "order", "status", "running", "lock", "lock_holders",
        "orphaned_processes", "schedule",
        "planned", "page", "board", "day", "drawing", "placing", "watching", "workers",
        "durations", "cores", "memory", "cgroup",
        "task_times", "command/status_table", "command/waiting_run", "notifying", "sender",
        "checklist", "command/at_once", "command/colour", "handover", "command/option",
        "typed", "packed_refs", "plain_file", "printable", "late", "command/command_line",
        "command/advice", "command/ticker",
    ),
}  # fmt: skip
_HEAD: Final = """\
# doit-receipts: every public name

<!-- Made by docs/generate_engine.py from doit_receipts/; edit that. -->

Import each name from the module that has it: `from doit_receipts.calls import call`. What is not
on this page may change without notice. Task names, receipts, exit statuses and the journal are
public as well: scripts read them.

Where nothing else is said a function raises nothing but what the functions that it is given
raise. A `ReleaseError` is one line and exit status 1 (4 for `Waiting`); `InvalidDodoFile` and
`InvalidCommand` are doit's, one line and exit status 3; anything else is a bug, with its
traceback and exit status 2.

## Guarantees

- **A receipt is written last**, under a temporary name, fsynced, renamed, fsynced again, read
  back. No receipt, not done.
- **A task is its name and its inputs**: results of the tasks before it, bytes of the files it
  reads, arguments of its call, texts of its extra inputs. No name of a function or module is
  among them, and no time.
- **LOCAL and CLONE steps may be done again at any time**, and are when a product was edited,
  truncated or deleted.
- **SHARED and PUBLIC steps look first and after.** ABSENT: act. IDENTICAL: adopt. DIFFERENT and
  UNKNOWN: stop, with both sides. UNSEEN: at most once, on the journal's word; in doubt a person
  says `doit adopt` or `doit retry`.
- **A PUBLIC step with a receipt is never done again.** From other inputs it raises
  `AlreadyPublished`.
- **Gates and approvals stop what depends on them** and nothing else.
- **One run at a time** changes a release; looking needs no lock and writes nothing.
- **A receipt of a newer format, of another project, version or task, or of a rehearsal** is
  neither taken for done nor overwritten.
"""


def api_page(project: Path) -> str:
    """The text of the page."""
    engine = project / "doit_receipts"
    known = {name for names in _PARTS.values() for name in names}
    left = sorted({_name(path, engine) for path in _modules(engine)} - known)
    parts = {**_PARTS, **({"More": tuple(left)} if left else {})}
    lines = [_HEAD]
    for title, names in parts.items():
        lines.append(f"## {title}\n")
        for name in names:
            lines += _module(name, ast.parse((engine / f"{name}.py").read_bytes()))
    return "\n".join(lines).rstrip() + "\n"


def public_names(project: Path) -> dict[str, list[str]]:
    """What each module of the engine names in ``__all__``."""
    engine = project / "doit_receipts"
    return {_name(path, engine): _public(ast.parse(path.read_bytes())) for path in _modules(engine)}


def _modules(engine: Path) -> list[Path]:
    found = [*engine.glob("*.py"), *engine.glob("command/*.py")]
    return [path for path in found if path.name != "__init__.py"]


def _name(path: Path, engine: Path) -> str:
    return str(path.relative_to(engine).with_suffix(""))


def _public(tree: ast.Module) -> list[str]:
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                return [str(name) for name in ast.literal_eval(value)]
            case _:
                pass
    return []


def _module(name: str, tree: ast.Module) -> Iterator[str]:
    yield f"### doit_receipts.{name.replace('/', '.')}\n"
    yield _text(ast.get_docstring(tree)) + "\n"
    public = _public(tree)
    for place, node in enumerate(tree.body):
        match node:
            case ast.ClassDef() if node.name in public:
                yield from _class(node)
            case ast.FunctionDef() if node.name in public:
                yield f"**`{node.name}{_signature(node)}`** {_text(ast.get_docstring(node))}\n"
            case (
                ast.Assign(targets=[ast.Name(id=found)]) | ast.AnnAssign(target=ast.Name(id=found))
            ):
                if found in public:
                    yield f"**`{found}`** {_said_below(tree.body, place)}\n"
            case _:
                pass


def _class(node: ast.ClassDef) -> Iterator[str]:
    bases = ", ".join(ast.unparse(each) for each in node.bases)
    yield f"#### `{node.name}{f'({bases})' if bases else ''}`\n"
    yield _text(ast.get_docstring(node)) + "\n"
    for place, each in enumerate(node.body):
        match each:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                default = f" = {ast.unparse(each.value)}" if each.value else ""
                said = _said_below(node.body, place)
                kind = f"{name}: {ast.unparse(each.annotation)}{default}"
                yield f"- `{kind}`{f' {said}' if said else ''}"
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                said = _said_below(node.body, place)
                yield f"- `{name}` {value!r}{f': {said}' if said else ''}"
            case ast.FunctionDef() if not each.name.startswith("_"):
                yield _method(each)
            case ast.FunctionDef(name="__init__") if len(each.args.args) > 1:
                yield f"- `{node.name}{_signature(each)}`"
            case _:
                pass
    yield ""


def _method(node: ast.FunctionDef) -> str:
    marks = {ast.unparse(each) for each in node.decorator_list}
    if "property" in marks:
        kind = f"{node.name}: {ast.unparse(node.returns) if node.returns else 'Any'}"
    else:
        kind = f"{node.name}{_signature(node)}"
    return f"- `{kind}` {_text(ast.get_docstring(node)).replace(chr(10) * 2, ' ')}"


def _signature(node: ast.FunctionDef) -> str:
    words = ast.unparse(node.args).removeprefix("self, ").removeprefix("cls, ")
    words = "" if words in ("self", "cls") else words
    gives = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    return f"({words}){gives}"


def _said_below(body: list[ast.stmt], place: int) -> str:
    """The text below an assignment, which says what it is."""
    match body[place + 1 : place + 2]:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return _text(text)
        case _:
            return ""


def _text(docstring: str | None) -> str:
    """A docstring as Markdown; what is indented or a table in it is kept as it is."""
    paragraphs = []
    for each in re.split(r"\n\n+", (docstring or "").strip()):
        drawn = each.startswith(("    ", "===")) or "──" in each
        paragraphs.append(f"```text\n{each}\n```" if drawn else " ".join(each.split()))
    text = "\n\n".join(each for each in paragraphs if each != "::")
    return text.replace("``", "`") if "```" not in text else re.sub(r"(?<!`)``(?!`)", "`", text)


if __name__ == "__main__":
    PAGE.write_text(api_page(_PROJECT), encoding="utf-8")
