"""Read what a run at GitHub attested of a step of a release: what it did, and about which files.

python read_step.py attestation.json python/release-tools pep101-step.yml tests.json ...

Needs Sigstore's client for Python and nothing else; ends with status 1 for anything that is not
proved. SIGSTORE_TRUST may name another client trust configuration than the public Sigstore's.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier, policy

STEP = "https://github.com/python/release-tools/pep101-step/v1"


def once(pairs: list) -> dict:
    """An object of which no field comes twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a field comes twice")
    return dict(pairs)


def main(bundle: str, repository: str, workflow: str, *files: str) -> None:
    place = f"https://github.com/{repository}/.github/workflows/{workflow}@refs/heads/main"
    wanted = policy.AllOf([
        policy.Identity(identity=place, issuer="https://token.actions.githubusercontent.com"),
        policy.GitHubWorkflowRepository(repository),
        policy.OIDCBuildTrigger("workflow_dispatch"),
        policy.OIDCRunnerEnvironment("github-hosted"),
    ])  # fmt: skip
    trust = os.environ.get("SIGSTORE_TRUST")
    config = ClientTrustConfig.from_json(Path(trust).read_text()) if trust else None
    verifier = Verifier(trusted_root=config.trusted_root) if config else Verifier.production()
    kind, payload = verifier.verify_dsse(Bundle.from_json(Path(bundle).read_bytes()), wanted)
    statement = json.loads(payload, object_pairs_hook=once)
    if kind != "application/vnd.in-toto+json" or statement["predicateType"] != STEP:
        raise ValueError("is signed, but is not a statement about a step")
    predicate = statement["predicate"]
    action = json.dumps(predicate["action"], sort_keys=True, separators=(",", ":")).encode()
    known = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    wanted_files = {"action.json": hashlib.sha256(action).hexdigest(), **predicate["products"]}
    if known != wanted_files or predicate["result"] != "passed":
        raise ValueError("the statement is about other files than its predicate names")
    for file in map(Path, files):
        if known.get(file.name) != hashlib.sha256(file.read_bytes()).hexdigest():
            raise ValueError(f"{file} is not what was attested")
    found = predicate["action"]
    print(f"{found['step']} of {found['tag']}, commit {found['commit']}, on {found['platform']}")
    print(f"passed in {predicate['run']}, done by the tool at commit {predicate['tool']}")
    for file in files:
        print(f"{file}: as attested")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"refused: {type(error).__name__}: {error}")
