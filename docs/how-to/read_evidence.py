"""Read the evidence of a Python release: who built, tested and approved the files that you have.

python read_evidence.py Python-3.14.0.intoto.jsonl hugo@python.org \
    https://github.com/login/oauth Python-3.14.0.tgz ...

Needs Sigstore's client for Python and nothing else; ends with status 1 for anything that is not
proved. SIGSTORE_TRUST may name another client trust configuration than the public Sigstore's.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

PROVENANCE, RELEASE = "https://slsa.dev/provenance/v1", "https://pep101.dev/release/v1"


def once(pairs: list) -> dict:
    """An object of which no field comes twice."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a field comes twice")
    return dict(pairs)


def statements(evidence: Path, identity: Identity):
    """Each statement that this identity signed, with the sha256 of what was signed."""
    trust = os.environ.get("SIGSTORE_TRUST")
    config = ClientTrustConfig.from_json(Path(trust).read_text()) if trust else None
    verifier = Verifier(trusted_root=config.trusted_root) if config else Verifier.production()
    for line in evidence.read_bytes().splitlines():
        kind, payload = verifier.verify_dsse(Bundle.from_json(line), identity)
        if kind != "application/vnd.in-toto+json":
            raise ValueError(f"signed, but no statement: {kind}")
        yield hashlib.sha256(payload).hexdigest(), json.loads(payload, object_pairs_hook=once)


def main(evidence: str, address: str, issuer: str, *files: str) -> None:
    found = dict(statements(Path(evidence), Identity(identity=address, issuer=issuer)))
    *builds, last = found.values()
    release = last["predicate"]
    if last["predicateType"] != RELEASE or release["statements"] != [*found][:-1]:
        raise ValueError("a statement is missing, or there is one more")
    for build in builds:
        how = build["predicate"]["buildDefinition"]
        commit = how["resolvedDependencies"][0]["digest"]["gitCommit"]
        if build["predicateType"] != PROVENANCE or commit != release["commit"]:
            raise ValueError("the statements are about different commits")
        print(f"built from {commit}, confined by {how['internalParameters']['confined']}: "
              f"{', '.join(subject['name'] for subject in build['subject'])}")  # fmt: skip
    for approval in release["approvals"]:
        print(f"{approval['task']}: by {approval['by']}, key {approval['key']}")
    known = {subject["name"]: subject["digest"]["sha256"] for subject in last["subject"]}
    for file in map(Path, files):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        names = [name for name in known if name.endswith(f"/{file.name}") and known[name] == digest]
        if not names:
            raise ValueError(f"{file} is not among the files of the release, or was changed")
        print(f"{file}: as released, {names[0]}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:
        sys.exit(f"refused: {type(error).__name__}: {error}")
