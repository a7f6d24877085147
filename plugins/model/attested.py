"""Attested: what another machine says that it did, judged against the action that was asked for.

Who said it is judged before, from the certificate; here is what was said. A statement of another
action, of other files or of another kind is refused, and the text says which proof is missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.frozen import frozen
from doit_receipts.printable import printable
from plugins.model.action import BUILD_DOCS, BUILD_TARBALLS, TEST_SOURCE
from plugins.model.layout import Layout
from plugins.model.series import SigstoreIdentity
from plugins.model.statement import Statement, Subject, read_statement
from plugins.model.strict_json import BrokenJson, only_keys
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.action import Action

__all__ = [
    "ACTION_FILE", "FACTS_FILE", "PREDICATE_TYPE", "Attested", "attested", "demanded", "most_bytes",
    "products_of", "statement_of", "workflow_claims", "workflow_signer",
]  # fmt: skip

_GITHUB: Final = "https://token.actions.githubusercontent.com"
"""Who knows the identity of a run at GitHub. Source: Fulcio's documentation of OIDC claims."""
PREDICATE_TYPE: Final = "https://github.com/python/release-tools/pep101-step/v1"
"""A name and no page: what the predicate of a step holds is described here."""
ACTION_FILE: Final = "action.json"
FACTS_FILE: Final = "facts.json"
"""What a builder of files says about them: for the receipt, or for whoever compares them."""
_MOST_BYTES: Final[Mapping[str, int]] = {TEST_SOURCE: 1 << 20, BUILD_DOCS: 512 << 20}
"""CPython's docs in four formats have 60 MiB (3.13)."""
_MOST_FACTS: Final = 20
_LONGEST: Final = 200
_NAMED: Final = {
    "python": "Python", "level": "the tests", "formats": "the formats", "commit": "the commit",
}  # fmt: skip
_RUN: Final = re.compile(
    r"https://github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+/actions/runs/([0-9]{1,15})"
)
_TOOL: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@frozen
class Attested:
    """A step that another machine did, as its statement says."""

    run: str
    """The address of the run."""
    tool: str
    """The commit of the tool that did it."""
    products: Mapping[str, str]
    """The sha256 of each file that it left."""
    facts: Mapping[str, str]
    """What it found: the version, the tests and how many there were."""

    @property
    def run_id(self) -> int:
        """GitHub's number of the run."""
        return int(self.run.rpartition("/")[2])


def workflow_signer(repository: str, workflow: str, ref: str) -> SigstoreIdentity:
    """How certificates name a workflow file of a repository, on the branch ``ref``.

    Source: Fulcio's documentation of OIDC claims.
    """
    place = f"https://github.com/{repository}/.github/workflows/{workflow}"
    return SigstoreIdentity(f"{place}@refs/heads/{ref}", _GITHUB)


def workflow_claims(repository: str) -> dict[str, str]:
    """What else its certificate has to say, by the names of Sigstore's policies."""
    return {
        "GitHubWorkflowRepository": repository,
        "OIDCBuildTrigger": "workflow_dispatch",
        "OIDCRunnerEnvironment": "github-hosted",
    }


def statement_of(action: Action, done: Attested) -> Statement:
    """What a machine states that did the action, about the action and each file that it left."""
    subjects = [
        Subject(ACTION_FILE, action.digest),
        *(Subject(name, digest) for name, digest in done.products.items()),
    ]
    predicate = {
        "action": action.plain(),
        "result": "passed",
        "products": dict(done.products),
        "facts": dict(done.facts),
        "run": done.run,
        "tool": done.tool,
    }
    return Statement(tuple(sorted(subjects)), PREDICATE_TYPE, predicate)


def attested(payload: bytes, action: Action) -> Attested:
    """What a statement says of this action. Raises BrokenJson, whose text says what is missing.

    A statement exists only of what passed: a step that failed states nothing.
    """
    statement = read_statement(payload, ours=False)
    if statement.predicate_type != PREDICATE_TYPE:
        message = f"has the predicate {statement.predicate_type}, wanted {PREDICATE_TYPE}"
        raise BrokenJson(message)
    found = dict(statement.predicate)
    only_keys(found, {"action", "result", "products", "facts", "run", "tool"}, "the predicate")
    if found["action"] != action.plain() or statement.digest_of(ACTION_FILE) != action.digest:
        message = f"is of another action than the one with sha256 {action.digest[:16]}…"
        raise BrokenJson(message)
    if found["result"] != "passed":
        message = "does not say that the step passed"
        raise BrokenJson(message)
    products = _texts(found["products"], "products")
    if tuple(sorted(products)) != products_of(action):
        message = f"names other files than {', '.join(products_of(action))}"
        raise BrokenJson(message)
    subjects = {each.name: each.sha256 for each in statement.subjects}
    if subjects != {ACTION_FILE: action.digest, **products}:
        message = "is about other files than those that its predicate names"
        raise BrokenJson(message)
    facts = _texts(found["facts"], "facts")
    for name, wanted in demanded(action).items():
        if facts.get(name, "") != wanted:
            shown = facts.get(name) or ("of no level" if name == "level" else "")
            message = f"is of {_NAMED[name]} {shown}, wanted {wanted or 'none'}"
            raise BrokenJson(message)
    run, tool = found["run"], found["tool"]
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        message = "does not name its run at GitHub"
        raise BrokenJson(message)
    if not isinstance(tool, str) or not _TOOL.fullmatch(tool):
        message = "does not name the commit of the tool that made it"
        raise BrokenJson(message)
    return Attested(run, tool, products, facts)


def products_of(action: Action) -> tuple[str, ...]:
    """The names of the files that the action leaves, sorted; there are no others."""
    if action.step == TEST_SOURCE:
        return ("tests.json",)
    layout = Layout(Path(), Version.parse(action.version))
    forms = action.params.get("formats", "").split() if action.step == BUILD_DOCS else ()
    archives = [path for form in forms for path in layout.docs_archives(form)]
    if action.step == BUILD_TARBALLS:
        archives = list(layout.tarballs)
    return tuple(sorted((FACTS_FILE, *(path.name for path in archives))))


def demanded(action: Action) -> dict[str, str]:
    """The facts that a statement of the action has to have, with their values."""
    if action.step == BUILD_DOCS:
        return {"formats": action.params.get("formats", "")}
    if action.step == BUILD_TARBALLS:
        return {"commit": action.commit}
    return {"python": action.version, "level": action.params.get("level", "")}


def most_bytes(action: Action) -> int:
    """How large its files may be together."""
    return _MOST_BYTES.get(action.step, 1 << 20)


def _texts(found: Any, what: str) -> dict[str, str]:
    if not isinstance(found, dict) or len(found) > _MOST_FACTS:
        message = f"has no table of up to {_MOST_FACTS} {what}"
        raise BrokenJson(message)
    for text in found.values():
        if not isinstance(text, str) or len(text) > _LONGEST or printable(text) != text:
            message = f"has {what} that are not one short line each"
            raise BrokenJson(message)
    return found
