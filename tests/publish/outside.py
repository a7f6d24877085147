"""Outside: acts in one form, whether a plan, a task's log or the rehearsed world tells of them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["said", "seen_by_world", "told"]

# What others did, and what the world notes beside an act that it notes anyway.
_OTHERS: Final = {"blog", "buildbots", "experts", "peps", "faults", "fulcio"}
_BESIDE: Final = {"open", "write", "setstat", "symlink"}
_PARTIAL: Final = ".partial"
_SIGN: Final = re.compile(r"sign (\d+) (?:files?|statements?) as ")
_HOST: Final = re.compile(
    r"(make the folder|upload|rename|copy|set mode and group of|point the link|remove|unzip)"
    r" (\w+)\.rehearsal:(\S+?)(?:,| to (\S+)| into |$)"
)
_SAVED: Final = {
    ("POST", "release"): "created release", ("PATCH", "release"): "changed release",
    ("POST", "release_file"): "created release_file",
    ("PATCH", "release_file"): "changed release_file",
}  # fmt: skip


def said(work: Path) -> dict[str, list[str]]:
    """What each task's log tells of its acts, a line each."""
    mark = "outside: "
    return {
        log.stem: found
        for log in sorted((work / "logs").iterdir())
        if (found := [
            line.removeprefix(mark)
            for line in log.read_text().splitlines()
            if line.startswith(mark)
        ])
    }  # fmt: skip


def told(lines: Iterable[str]) -> Counter[Any]:
    """These acts, as ``seen_by_world`` has them."""
    return Counter(each for line in lines for each in _told(line))


def _told(line: str) -> list[Any]:
    if line.startswith("email to "):
        found = re.search(r"<\S+>", line)
        assert found
        return [("mail", found[0])]
    if line.startswith("push to "):
        name = "fork" if "/fork.git" in line else "upstream"
        refs = re.findall(r"(refs/\S+): \S+ -> (\w+)", line)
        return [
            ("push", name, tuple(sorted((ref, new.replace("nothing", "")) for ref, new in refs)))
        ]
    if (found := _SIGN.match(line)) is not None:
        return ["signature"] * int(found[1])
    if (found := _HOST.match(line)) is not None:
        return _on_host(*found.groups())
    return [_request(line)]


def _request(line: str) -> Any:
    method, url, *_ = line.replace(",", " ").split()
    path = urlsplit(url).path
    parts = path.strip("/").split("/")
    if "(the admin's form" in line:
        return ("site", "changed release")
    if parts[:3] == ["api", "v2", "downloads"]:
        return ("site", _SAVED[method, parts[3]])
    return ("http", method, unquote(path))


def _on_host(verb: str, host: str, path: str, target: str) -> list[Any]:
    match verb:
        case "set mode and group of":
            return []
        case "unzip":
            return [("host", host, "unzip")]
        case "rename":
            return [("host", host, "rename", target.rpartition("/")[2])]
        case "copy":
            # Made under another name first, as an upload is.
            name = target.rpartition("/")[2]
            return [("host", host, "copy", f"{name}{_PARTIAL}"), ("host", host, "rename", name)]
        case _:
            return [("host", host, verb, path)]


def seen_by_world(events: Iterable[Mapping[str, Any]], mine: Iterable[str]) -> Counter[Any]:
    """What the world recorded; of ``mine`` an upload is told from a rename."""
    uploaded = {path for line in mine for _, _, verb, path in
                (each for each in _told(line) if len(each) == 4) if verb == "upload"}  # fmt: skip
    found: Counter[Any] = Counter()
    unzipped = set()
    for event in events:
        part, kind = event["part"], event["event"]
        if part in _OTHERS or kind == "published":
            continue
        if part.startswith("ssh."):
            host = part.removeprefix("ssh.")
            if kind == "unpack":
                # Each release has a hidden folder of its own.
                unzipped.add((host, event["path"].partition("/.")[2].partition("/")[0]))
            elif kind not in _BESIDE:
                found[_recorded(host, kind, event["path"], uploaded)] += 1
            continue
        found[_sent(part, kind, event)] += 1
    return found + Counter(("host", host, "unzip") for host, _ in unzipped)


def _recorded(host: str, kind: str, path: str, uploaded: set[str]) -> Any:
    if kind == "copy" or (kind == "rename" and path not in uploaded):
        return ("host", host, kind, path.rpartition("/")[2])
    verb = {"mkdir": "make the folder", "rename": "upload", "replace": "point the link"}
    return ("host", host, verb.get(kind, kind), path)


def _sent(part: str, kind: str, event: Mapping[str, Any]) -> Any:
    if part == "rekor":
        return "signature"
    if part in ("fork", "upstream"):
        return ("push", part, tuple(sorted(event["refs"].items())))
    if part in ("mail", "site"):
        return (part, event["message_id"] if part == "mail" else kind)
    paths = {
        "queued": "/_apis/pipelines/21/runs",
        "retained": "/_apis/build/retention/leases",
        "topic": "/posts.json",
    }
    method = {"purged": "PURGE", **dict.fromkeys(paths, "POST")}.get(kind, kind)
    return ("http", method, paths.get(kind) or event["path"])
