"""Documentation of another machine: what is taken into docs/ is what its attestation names."""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import pytest

from checks.machines import docs_are_attested
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Severity
from plugins.model.action import Action, bundle_file, here_file, room_of
from plugins.model.attested import FACTS_FILE, Attested, statement_of
from plugins.model.docs_source import DocsSource
from plugins.model.statement import PAYLOAD_TYPE
from plugins.model.strict_json import canonical
from plugins.steps import docs_elsewhere
from plugins.steps.docs_elsewhere import STATEMENT
from tests.progress import Quiet
from tests.source_world import a_release

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.release import Release

FORMS: Final = ("text",)
RUN: Final = "https://github.com/python/release-tools/actions/runs/7"


@dataclass
class Fetched:
    """What a run made of the documentation, as it is kept here once it was judged."""

    release: Release
    action: Action
    judged: Mapping[str, str] = field(default_factory=dict)
    """The facts of the task that fetched it."""

    @property
    def result(self) -> Path:
        return room_of(self.release.layout, self.action) / "result"

    def keep(self, facts: dict[str, Any]) -> dict[str, bytes]:
        names = [path.name for form in FORMS for path in self.release.layout.docs_archives(form)]
        files = {FACTS_FILE: canonical(facts), **{name: name.encode() for name in names}}
        self.result.mkdir(parents=True)
        for name, content in files.items():
            (self.result / name).write_bytes(content)
        products = {name: sha256(content).hexdigest() for name, content in files.items()}
        done = Attested(RUN, "c" * 40, products, {"formats": "text"})
        payload = statement_of(self.action, done).payload()
        envelope = {
            "payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(b"judged by the gate").decode()}],
        }  # fmt: skip
        entry = {"logIndex": "1", "integratedTime": "1"}
        bundle = {"dsseEnvelope": envelope, "verificationMaterial": {"tlogEntries": [entry]}}
        bundle_file(self.release.layout, self.action).write_bytes(canonical(bundle))
        self.judged = {STATEMENT: sha256(payload).hexdigest()}
        return files

    def take(self) -> dict[str, str]:
        release = self.release
        source = DocsSource(release.layout.clone, release.version.tag, 1)
        nothing: Any = None
        return docs_elsewhere.take(release, source, FORMS, nothing, Quiet(), judged=self.judged)

    def docs(self) -> dict[str, bytes]:
        found = (path for path in self.release.layout.docs.rglob("*") if path.is_file())
        return {path.name: path.read_bytes() for path in found}


@pytest.fixture
def fetched(tmp_path: Path) -> Fetched:
    release = a_release(tmp_path)
    (action,) = docs_elsewhere.actions(release, FORMS, (), commit="d" * 40)
    return Fetched(release, action)


def test_what_the_attestation_names_is_taken(fetched: Fetched) -> None:
    files = fetched.keep({"formats": "text"})
    assert fetched.take() == {"formats": "text"}
    assert fetched.docs() == {name: files[name] for name in files if name != FACTS_FILE}


@pytest.mark.parametrize("changed", [".zip", ".bz2", ".json"])
def test_what_was_changed_since_it_was_judged_reaches_no_docs(
    fetched: Fetched, changed: str
) -> None:
    fetched.keep({"formats": "text"})
    (file,) = (path for path in fetched.result.iterdir() if path.name.endswith(changed))
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(StepFailed, match=f"{file.name}: is not what was attested") as caught:
        fetched.take()
    assert "doit forget fetch_docs" in str(caught.value)
    assert file.name not in fetched.docs()


def test_attestation_that_came_after_the_judged_one_is_not_believed(fetched: Fetched) -> None:
    """Whoever changes files and attestation together behind the gate changes no documentation."""
    fetched.keep({"formats": "text"})
    judged = fetched.judged
    shutil.rmtree(fetched.result)
    fetched.keep({"formats": "text", "sphinx": "another"})
    for facts in (judged, {}):
        fetched.judged = facts
        with pytest.raises(
            StepFailed, match=r"attestation\.json: is not what was attested"
        ) as caught:
            fetched.take()
        assert "doit forget fetch_docs" in str(caught.value)
        assert fetched.docs() == {}


def test_files_without_their_attestation_are_not_taken(fetched: Fetched) -> None:
    """A run that was killed left them, and then nobody answered: the gate says "built here"."""
    fetched.keep({"formats": "text"})
    bundle_file(fetched.release.layout, fetched.action).unlink()
    with pytest.raises(StepFailed, match=r"attestation\.json: is not among the files"):
        fetched.take()
    here_file(fetched.release.layout, fetched.action).write_bytes(fetched.action.to_bytes())
    built: list[str] = []

    class Building(Quiet):
        def say(self, text: str) -> None:
            built.append(text)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        docs_elsewhere.take(
            fetched.release, DocsSource(fetched.release.layout.clone, "v", 1), FORMS, None,  # type: ignore[arg-type]
            Building(), judged=fetched.judged,
        )  # fmt: skip
    assert built == ["nobody answered: building the documentation here"]
    assert fetched.docs() == {}


def test_a_fact_whose_name_no_terminal_should_see_is_refused(fetched: Fetched) -> None:
    fetched.keep({"formats": "text", "\x1b[2Jsphinx": "9"})
    with pytest.raises(StepFailed, match="is not one line of text"):
        fetched.take()


@pytest.mark.parametrize(
    ("ours", "severity"), [(False, Severity.BLOCK), (True, Severity.NOTE)], ids=["file", "journal"]
)
def test_a_file_alone_does_not_say_that_this_machine_builds(
    fetched: Fetched, *, ours: bool, severity: Severity
) -> None:
    """Whoever wants no attestation of it deletes that, and writes the file."""
    nothing: Any = None
    action = fetched.action
    here = here_file(fetched.release.layout, action)
    here.parent.mkdir(parents=True)
    here.write_bytes(action.to_bytes())
    (found,) = docs_are_attested(
        fetched.release.layout, nothing, [action], nothing, [action.digest] if ours else []
    )
    assert (found.rule, found.severity) == ("docs.unproven", severity)
    assert ours or "doit forget fetch_docs" in found.remedy
