"""Trains in the simulated environment: a morning on which several releases are made.

The environment is that of the oldest series; what the other series have is added to it: branches,
rules, labels, builders, the schedule, and what CI will build.
"""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from plugins.rehearsal import buildbots, ci_packages, github, peps
from plugins.rehearsal.machine import run
from plugins.rehearsal.store import Store
from plugins.rehearsal.toy_cpython import make_toy
from plugins.rehearsal.world import before, branch_of, ci_files, make_world

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.model.version import Version

__all__ = ["make_train"]


def make_train(
    folder: Path,
    versions: Sequence[Version],
    habit: str = "manifests",
    not_before: datetime | None = None,
) -> Path:
    """Make the environment of a train under ``folder`` unless it exists; returns its train.toml.

    The first of the versions leads; each has a release file of its own beside it. Nothing may
    leave before the hour. Raises ValueError for two versions of one series, or one that is made
    from main, and FileNotFoundError as ``make_world`` does.
    """
    train = folder / "train.toml"
    wrong = [str(each) for each in versions if branch_of(each) == "main"]
    if wrong or len({each.series for each in versions}) != len(versions):
        message = f"{wrong[0] if wrong else versions[0].series} is made from another one's branch"
        raise ValueError(message)
    oldest, *newer = sorted(versions)
    first = make_world(folder, oldest, habit=habit)  # which tells of keys that are gone
    if train.exists():
        return train
    store = Store(folder / "world" / "state")
    now = datetime.now(UTC)  # noqa: TID251 - the simulated side
    for version in newer:
        _add_branches(folder / "world", version, now)
        github.add_series(store, version.series)
        buildbots.add(store, version.series)
    peps.put(store, sorted(versions), now.date())
    _let_ci_build(store, folder, versions)
    text = first.read_text(encoding="utf-8")
    for version in versions:
        write_whole(folder / f"{version}.toml", _declared(text, version).encode())
    names = ", ".join(f'"{version}.toml"' for version in versions)
    hour = f"not_before = {not_before:%Y-%m-%dT%H:%M:%SZ}\n" if not_before else ""
    write_whole(train, f"releases = [{names}]\n{hour}".encode())
    # What the oldest would be alone is refused from now on: the train does not name this file.
    write_whole(first, _declared(text, oldest).encode())
    return train


def _declared(text: str, version: Version) -> str:
    """The release.toml of a release alone as that of this version in the train."""
    own = f'version = "{version}"\ntrain   = "train.toml"'
    text = re.sub(r"(?m)^version = .*$", own, text, count=1)
    return re.sub(r"(?m)^phase = .*$", f'phase = "{peps.phase_of(version).value}"', text, count=1)


def _add_branches(world: Path, version: Version, now: datetime) -> None:
    """The series has its branch and tags everywhere, and main is of the one after it."""
    apart = world / "toy"
    shutil.rmtree(apart, ignore_errors=True)
    make_toy(apart, version=str(before(version)), released=now.date() - timedelta(days=9))
    refs = [f"+refs/heads/{each}:refs/heads/{each}" for each in (version.series, "main")]
    for name in ("upstream", "fork"):
        run(world / f"{name}.git", "git", "fetch", "--quiet", apart / "upstream.git",
            *refs, "refs/tags/*:refs/tags/*")  # fmt: skip
    for name in ("upstream", "origin"):
        run(world / "cpython", "git", "fetch", "--quiet", "--tags", name)
    shutil.rmtree(apart)


def _let_ci_build(store: Store, folder: Path, versions: Sequence[Version]) -> None:
    """CI builds for each release what it would build for it alone."""
    ci = store.load("ci", {})
    of = {
        str(version): {
            "source": ci_files(folder / "build" / str(version), version),
            **ci_packages.write(folder / "world" / "ci", version),
        }
        for version in versions
    }
    store.save("ci", {**ci, "of": of})
