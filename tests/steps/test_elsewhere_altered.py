"""Generated alterations of all that GitHub answers about a step elsewhere: each field, each zip."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from doit_receipts.errors import ReleaseError
from plugins.model.action import bundle_file, room_of
from plugins.model.attested import attested
from plugins.model.strict_json import BrokenJson
from plugins.rehearsal import hub
from tests.lying_server import answer, lying
from tests.steps.test_elsewhere import Asking, asking, lasting

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from plugins.model.action import Action
    from plugins.model.attested import Attested

__all__ = ["asking", "lasting"]

pytestmark = pytest.mark.slow

GONE: Final = object()
WRONG: Final[dict[str, Any]] = {
    "missing": GONE, "null": None, "a list": ["x"], "an object": {"x": 1}, "a number": 7,
    "a text": "x", "huge": "x" * 300_000, "many digits": 10**30,
}  # fmt: skip


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each field and entry, whether it holds others or not."""
    for key, each in (
        value.items() if isinstance(value, dict) else enumerate(value)
        if isinstance(value, list) else ()
    ):  # fmt: skip
        yield (*path, key)
        yield from paths_of(each, (*path, key))


def altered(content: Any, path: tuple[Any, ...], how: str) -> Any:
    made = json.loads(json.dumps(content))
    *way, last = path
    inner = made
    for key in way:
        inner = inner[key]
    if WRONG[how] is GONE:
        del inner[last]
    else:
        inner[last] = WRONG[how]
    return made


def recorded(asking: Asking) -> dict[str, bytes]:
    """What the simulated GitHub answers to each request that takes a result over, by its kind."""
    (action,), top = asking.actions, "/repos/python/release-tools"
    run = asking.runs[-1]["id"]
    head = {"authorization": f"Bearer {hub.SECRETS['github']}"}
    asked = {
        "attestations": f"{top}/attestations/sha256:{action.digest}?predicate_type=x",
        "workflows": f"{top}/actions/workflows/pep101-step.yml/runs",
        "artifacts": f"{top}/actions/runs/{run}/artifacts",
        "zip": f"{top}/actions/artifacts/{run}/zip",
        "run": f"{top}/actions/runs/{run}",
    }
    with httpx.Client(headers=head) as client:
        answers = {}
        for kind, path in asked.items():
            found = client.get(asking.world["github"] + path)
            if found.has_redirect_location:
                found = httpx.get(found.headers["location"])
            assert found.is_success, (kind, found)
            answers[kind] = found.content
    return answers


def kind_of(path: str) -> str:
    way = path.partition("?")[0].split("/")
    found = {"attestations": "attestations", "workflows": "workflows", "zip": "zip",
             "artifacts": "artifacts"}  # fmt: skip
    return next((found[each] for each in reversed(way) if each in found), "run")


@contextmanager
def a_github(answers: dict[str, bytes]) -> Iterator[str]:
    """A GitHub that answers so; gives its address."""

    def speak(connection: socket.socket, path: str) -> None:
        connection.sendall(answer(answers[kind_of(path)], Content_Type="application/json"))

    with lying(speak) as base:
        yield base


@pytest.fixture
def taken(asking: Asking) -> tuple[Asking, dict[str, bytes], dict[str, str]]:
    """A result that was taken over, GitHub's answers about it, and what came of it."""
    asking.start()
    came = asking.to_the_end()
    return asking, recorded(asking), came


def judge(asking: Asking, answers: dict[str, bytes], came: dict[str, str]) -> bool:
    """Whether what GitHub answers is refused; if not, it has to be taken over as it was made."""
    (action,) = asking.actions
    room = room_of(asking.release.layout, action)
    good = {path.name: path.read_bytes() for path in (room / "result").iterdir()}
    bundle = bundle_file(asking.release.layout, action)
    bundle.unlink()
    said = ""
    with a_github(answers) as base:
        try:
            found = replace(asking, github=base).follow()
        except ReleaseError as error:
            found, said = {}, str(error)
    left = room / "result"
    assert not left.exists() or all(path.read_bytes() == good[path.name] for path in left.iterdir())
    if said:
        assert "\n" not in said
        assert len(said) < 2_000
        assert not bundle.exists()
    else:
        assert found == came
    # As it was, for the next.
    (room / "result").mkdir(exist_ok=True)
    for name, content in good.items():
        (room / "result" / name).write_bytes(content)
    bundle.write_bytes(b"{}")
    return bool(said)


@pytest.mark.parametrize("kind", ["attestations", "artifacts", "run"])
def test_each_field_of_each_answer_is_refused_or_changes_nothing(
    taken: tuple[Asking, dict[str, bytes], dict[str, str]], kind: str,
    count: Callable[[str, int], None],
) -> None:  # fmt: skip
    asking, answers, came = taken
    whole = json.loads(answers[kind])
    assert not judge(asking, answers, came)
    refused = harmless = 0
    for path in paths_of(whole):
        for how in WRONG:
            made = altered(whole, path, how)
            if made == whole:
                continue
            if judge(asking, {**answers, kind: json.dumps(made).encode()}, came):
                refused += 1
            else:
                harmless += 1
    assert refused > (20 if kind != "run" else 0)
    count(f"alterations of GitHub's answer about {kind} refused", refused)
    count(f"alterations of GitHub's answer about {kind} that change nothing", harmless)


def test_no_field_of_the_list_of_runs_makes_a_result_of_none(
    taken: tuple[Asking, dict[str, bytes], dict[str, str]], count: Callable[[str, int], None]
) -> None:
    asking, answers, came = taken
    answers = {**answers, "attestations": b'{"attestations": []}'}
    whole = json.loads(answers["workflows"])
    whole["workflow_runs"] = whole["workflow_runs"][:1]
    tried = 0
    for path in paths_of(whole):
        for how in WRONG:
            made = json.dumps(altered(whole, path, how)).encode()
            assert judge(asking, {**answers, "workflows": made}, came), (path, how)
            tried += 1
    count("alterations of GitHub's list of runs that counted for nothing", tried)


def zips(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Archives that others might make of these files, each with what is wrong with it."""
    (name, content), *_ = files.items()

    def made(entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for each, raw in entries:
                archive.writestr(each, raw)
        return stream.getvalue()

    good = made([(name, content)])
    hostile = (
        f"../{name}", f"/{name}", f"a/{name}", f"./{name}", f"..\\{name}", f"C:{name}",
        f"{name} ", f"{name}.", f"\u202e{name}", "a" * 200, name.upper(),
        "CON", "-rf", ".hidden", f"a/../{name}", "~/x", f"{name}/", "new.json",
    )  # fmt: skip
    for each in hostile:
        yield f"named {each[:20]!a}", made([(each, content)])
        yield f"and one named {each[:20]!a}", made([(name, content), (each, b"x")])
    link = zipfile.ZipInfo(name)
    link.external_attr = 0o120777 << 16
    yield "a link", made([(link, b"/etc/passwd")])
    yield "empty", made([])
    yield "a bomb", made([(name, b"\0" * (4 << 20))])
    yield "a bomb beside", made([(name, content), ("zeros", b"\0" * (4 << 20))])
    yield "no zip", b"PK\x03\x04 not really"
    yield "nothing", b""
    yield "cut", good[:-9]
    yield "its middle", good[10:]
    yield "other bytes", made([(name, content + b" ")])
    yield "no bytes", made([(name, b"")])
    for at in range(0, len(good), max(1, len(good) // 40)):
        yield f"byte {at}", good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :]


def test_each_hostile_artifact_is_refused_and_nothing_of_it_stays(
    taken: tuple[Asking, dict[str, bytes], dict[str, str]], count: Callable[[str, int], None]
) -> None:
    asking, answers, came = taken
    (action,) = asking.actions
    folder = room_of(asking.release.layout, action) / "result"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    listed = json.loads(answers["artifacts"])
    refused = 0
    for wrong, content in zips(files):
        # GitHub tells the digest of what it has, or none.
        for digest in ("", f"sha256:{sha256(content).hexdigest()}"):
            listed["artifacts"][0] |= {"size_in_bytes": len(content), "digest": digest}
            served = {**answers, "zip": content, "artifacts": json.dumps(listed).encode()}
            if judge(asking, served, came):
                refused += 1
            else:
                # A byte that nobody reads, or a folder, which is not made: the files are right.
                assert wrong.startswith("byte ") or wrong.endswith("/'"), wrong
    assert refused > 80
    count("hostile artifacts refused", refused)
    inside = {path.relative_to(folder.parent).as_posix() for path in folder.parent.rglob("*")}
    assert inside <= {"attestation.json", "result", *(f"result/{name}" for name in files),
                      "result.zip"}  # fmt: skip


def refusal(raw: bytes, action: Action) -> tuple[str, Attested | None]:
    """Why the statement does not count; or "", and what it says."""
    try:
        return "", attested(raw, action)
    except BrokenJson as error:
        return str(error), None


def test_each_wrong_field_of_a_statement_is_refused(
    taken: tuple[Asking, dict[str, bytes], dict[str, str]], count: Callable[[str, int], None]
) -> None:
    asking, answers, _ = taken
    (action,) = asking.actions
    bundle = json.loads(answers["attestations"])["attestations"][0]["bundle"]
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    good = attested(json.dumps(statement).encode(), action)
    refused = 0
    reported = {("predicate", "facts", "tests"), ("predicate", "facts", "ran")}
    for path in paths_of(statement):
        for how in WRONG:
            made = altered(statement, path, how)
            if made == statement:
                continue
            said, found = refusal(json.dumps(made).encode(), action)
            refused += bool(said)
            assert "\n" not in said
            if not said:
                assert path in reported, (path, how)
                assert found is not None
                assert replace(found, facts=good.facts) == good
    twice = json.dumps(statement)
    for name in statement:
        raw = twice.replace(f'"{name}"', f'"{name}": 1, "{name}"', 1).encode()
        with pytest.raises(BrokenJson, match="twice"):
            attested(raw, action)
        refused += 1
    assert refused > 150
    count("wrong fields of a statement refused", refused)
