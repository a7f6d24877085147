"""The evidence of a rehearsed release: judged by us, by the client's command, and by a script."""

from __future__ import annotations

import ast
import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from sigstore.dsse._predicate import SLSAPredicateV1_0

from plugins.model.promise import record_paths
from plugins.model.statement import read_statement
from plugins.rehearsal import sigstore
from plugins.rehearsal.store import Store
from tests.export.toy import PROJECT

if TYPE_CHECKING:
    from tests.released import Released

pytestmark = pytest.mark.slow

SCRIPT: Final = PROJECT / "docs" / "how-to" / "read_evidence.py"
NAME: Final = "3.13.6/Python-3.13.6.intoto.jsonl"
RM: Final = ("rm@example.org", "https://github.com/login/oauth")


def evidence_of(world: Released) -> Path:
    return world.root / NAME


def trust_of(world: Released) -> Path:
    return sigstore.trust_file(Store(world.world / "state"))


def asked(world: Released, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The script, run as somebody does who has it and the client alone: in an empty folder."""
    return subprocess.run(
        [sys.executable, "-I", SCRIPT, *words], capture_output=True, text=True, check=False,
        cwd=world.folder, env={**os.environ, "SIGSTORE_TRUST": str(trust_of(world))},
    )  # fmt: skip


def test_the_evidence_of_an_untouched_release_has_no_finding(world: Released) -> None:
    report = world.look()
    assert report.findings == ()
    assert "evidence" in [judgement.subject for judgement in report.judgements]


def test_what_is_stated_has_the_form_that_the_client_knows_of_provenance(world: Released) -> None:
    """Its model of SLSA provenance v1 refuses unknown fields."""
    kinds = []
    for line in evidence_of(world).read_bytes().splitlines():
        payload = base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"])
        statement = read_statement(payload)
        kinds.append(statement.predicate_type.rpartition("/")[0])
        if "slsa" in statement.predicate_type:
            SLSAPredicateV1_0.model_validate(statement.predicate)
        else:
            assert {each["task"] for each in statement.predicate["approvals"]} >= {
                "approve_windows", "approve_macos", "approve_release", "approve_merge",
            }  # fmt: skip
            tests = {each["task"]: each for each in statement.predicate["tests"]}
            assert tests["test_source"]["level"] == "quick"
            assert len(tests["test_downloads"]["confined"]) > 1
            assert statement.predicate["rehearsal"] is True
    assert kinds == ["https://slsa.dev/provenance"] * 2 + ["https://pep101.dev/release"]


def test_nothing_of_this_machine_is_stated(world: Released) -> None:
    for line in evidence_of(world).read_bytes().splitlines():
        payload = base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]).decode()
        for private in (str(world.made), str(Path.home()) + "/", "127.0.0.1", "localhost"):
            assert private not in payload


def rules_of(world: Released, *, evidence: bool = False) -> set[str]:
    return {found.rule for found in world.look(fresh=True, evidence=evidence).findings}


def test_the_absence_of_evidence_is_a_finding_where_it_is_promised_or_asked_for(
    world: Released,
) -> None:
    evidence_of(world).unlink()
    world.purge()
    assert rules_of(world) == {"manifest.differs"}
    for path in record_paths(world.release):
        (world.root / path).unlink()
    world.purge()
    assert rules_of(world) == {"manifest.missing"}
    assert rules_of(world, evidence=True) == {"manifest.missing", "evidence.missing"}


def test_evidence_of_another_file_than_users_get_is_found(world: Released) -> None:
    raw = evidence_of(world).read_bytes()
    evidence_of(world).write_bytes(raw[:-1])
    world.purge()
    assert rules_of(world) == {"evidence.form", "manifest.differs"}


def test_the_clients_own_command_verifies_each_file(world: Released, tmp_path: Path) -> None:
    """As docs/how-to/read-the-evidence.md has it: one line of the evidence is one bundle."""
    for number, name in enumerate(
        ("3.13.6/Python-3.13.6.tgz", "doc/3.13.6/python-3.13.6-docs-html.zip")
    ):
        bundle = tmp_path / f"{number}.sigstore.json"
        bundle.write_bytes(evidence_of(world).read_bytes().splitlines()[number])
        words: list[str | Path] = [sys.executable, "-m", "sigstore"]
        words += ["--trust-config", trust_of(world)]
        words += ["verify", "identity", "--bundle", bundle, "--cert-identity", RM[0]]
        words += ["--cert-oidc-issuer", RM[1]]
        good = subprocess.run([*words, world.root / name], capture_output=True, check=False)
        assert good.returncode == 0, good.stderr
        other = tmp_path / "other"
        other.write_bytes((world.root / name).read_bytes() + b"\n")
        bad = subprocess.run([*words, other], capture_output=True, text=True, check=False)
        assert bad.returncode == 1
        assert "no subject for digest" in bad.stderr


def test_a_script_that_knows_nothing_of_us_verifies_it_and_refuses_an_altered_one(
    world: Released, tmp_path: Path
) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_bytes()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom)
                     else [alias.name for alias in node.names])
    }  # fmt: skip
    assert imported - sys.stdlib_module_names == {"sigstore"}
    archive = world.root / "3.13.6/Python-3.13.6.tgz"
    good = asked(world, evidence_of(world), *RM, archive)
    assert good.returncode == 0, good.stderr
    assert "approve_release: by RM" in good.stdout
    assert "as released, 3.13.6/Python-3.13.6.tgz" in good.stdout

    lines = evidence_of(world).read_bytes().splitlines(keepends=True)
    altered = tmp_path / "altered.jsonl"
    for what, content in {
        "VerificationError": [*lines[:2], _with_commit(lines[2], "f" * 40)],
        "a statement is missing": lines[1:],
        "not among the files": lines,
    }.items():
        altered.write_bytes(b"".join(content))
        file = tmp_path / archive.name
        file.write_bytes(archive.read_bytes() + (b"x" if content is lines else b""))
        bad = asked(world, altered, *RM, file)
        assert bad.returncode == 1
        assert what in bad.stderr
        assert bad.stderr.startswith("refused: ")
    stranger = asked(world, evidence_of(world), "other@example.org", RM[1], archive)
    assert stranger.returncode == 1


def _with_commit(line: bytes, commit: str) -> bytes:
    """The bundle, whose statement names another commit, and that is all."""
    bundle = json.loads(line)
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    statement["predicate"]["commit"] = commit
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    return json.dumps(bundle, sort_keys=True, separators=(",", ":")).encode() + b"\n"
