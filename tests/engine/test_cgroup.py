"""What a container may use of a larger machine, by files of its control groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.cores import cores_here
from doit_receipts.memory import free_memory_mb, memory_mb

if TYPE_CHECKING:
    from pathlib import Path

MEMINFO: Final = "MemTotal:       67108864 kB\nMemAvailable:   62914560 kB\n"
MB: Final = 1 << 20
NO_LIMIT_OF_V1: Final = "9223372036854771712"


def machine(root: Path, groups: str, **files: str) -> Path:
    """A machine of 64 GiB, of which 60 are free, whose groups have these files."""
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "meminfo").write_text(MEMINFO)
    (root / "proc" / "self" / "cgroup").write_text(groups)
    for name, text in files.items():
        file = root / "sys" / "fs" / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_a_machine_without_limits_is_taken_as_it_is(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/\n", **{"memory.max": "max\n", "cpu.max": "max 100000\n"})
    assert (memory_mb(root), free_memory_mb(root)) == (65536, 61440)
    assert cores_here(root) == cores_here(tmp_path / "none") >= 1
    assert memory_mb(tmp_path / "none") is free_memory_mb(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("groups", "below"),
    [("0::/\n", ""), ("0::/box/own\n", "box/own/"), ("0::/box/own\n", "box/"),
     ("0::/../../elsewhere\n", ""), ("1:name=systemd:/\n0::/a\n", "unified/a/")],
)  # fmt: skip
def test_a_container_of_two_gib_on_a_large_machine_has_two(
    tmp_path: Path, groups: str, below: str
) -> None:
    """Its own group's limit counts, and so does that of each group around it."""
    root = machine(tmp_path, groups, **{
        f"{below}memory.max": f"{2048 * MB}\n",
        f"{below}memory.current": f"{1500 * MB}\n",
        f"{below}memory.stat": f"anon {1000 * MB}\nactive_file {200 * MB}\n"
        f"inactive_file {300 * MB}\n",
    })  # fmt: skip
    assert memory_mb(root) == 2048
    assert free_memory_mb(root) == 2048 - 1500 + 500, "what files were read into comes free"


def test_the_tightest_of_several_limits_counts(tmp_path: Path) -> None:
    root = machine(tmp_path, "0::/box/own\n", **{
        "box/memory.max": f"{4096 * MB}", "box/memory.current": f"{4000 * MB}",
        "box/own/memory.max": f"{3072 * MB}", "box/own/memory.current": f"{10 * MB}",
        "box/own/memory.high": f"{2048 * MB}",
    })  # fmt: skip
    assert memory_mb(root) == 2048, "above that it is slowed down until nothing gets on"
    assert free_memory_mb(root) == 96


def test_more_that_is_used_than_allowed_leaves_nothing(tmp_path: Path) -> None:
    files = {"memory.max": f"{100 * MB}", "memory.current": f"{101 * MB}"}
    assert free_memory_mb(machine(tmp_path, "0::/", **files)) == 0


def test_the_first_version_of_groups_is_read_too(tmp_path: Path) -> None:
    """In a container its own group is what is seen at the top, and /proc has its name outside."""
    groups = "9:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n"
    root = machine(tmp_path, groups, **{
        "memory/memory.limit_in_bytes": f"{2048 * MB}\n",
        "memory/memory.usage_in_bytes": f"{1500 * MB}\n",
        "memory/memory.stat": f"total_inactive_file {100 * MB}\ntotal_active_file 0\n",
        "cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n",
    })  # fmt: skip
    assert (memory_mb(root), free_memory_mb(root), cores_here(root)) == (2048, 648, 1)
    unlimited = machine(tmp_path / "b", groups, **{
        "memory/memory.limit_in_bytes": NO_LIMIT_OF_V1, "memory/memory.usage_in_bytes": "5",
        "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
    })  # fmt: skip
    assert (memory_mb(unlimited), free_memory_mb(unlimited)) == (65536, 61440)
    assert cores_here(unlimited) == cores_here(tmp_path / "none")


@pytest.mark.skipif(cores_here() < 2, reason="a machine of one core has nothing to limit")
@pytest.mark.parametrize(
    ("said", "cores"),
    [("100000 100000", 1), ("50000 100000", 1), ("1000 100000", 1), ("150000 100000", 2),
     ("99999999 100000", None), ("max 100000", None), ("", None), ("x y", None),
     ("100000 0", None), ("-5 100000", None)],
)  # fmt: skip
def test_cores_are_as_many_as_the_quota_pays_for(
    tmp_path: Path, said: str, cores: int | None
) -> None:
    root = machine(tmp_path, "0::/own", **{"own/cpu.max": said})
    assert cores_here(root) == (cores or cores_here(tmp_path / "none"))


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "\0", "max max", "1e9"])
def test_nonsense_in_the_files_limits_nothing(tmp_path: Path, nonsense: str) -> None:
    root = machine(
        tmp_path, "what\n0::\n::::\n", **{"memory.max": nonsense, "memory.current": nonsense}
    )
    assert (memory_mb(root), free_memory_mb(root)) == (65536, 61440)
