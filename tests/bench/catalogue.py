"""Alterations of a published release, each kind of them: how many ``doit verify`` misses.

    python tests/bench/catalogue.py FOLDER [EACH]

FOLDER is that of a rehearsed release of 3.13.6 (``doit rehearse --folder F`` makes F/3.13.6), of
the toy or of the real CPython source; it is copied, to memory where there is room. EACH is how
many alterations of a kind are tried, spread over all of them (default: 2). Many are done at once,
as long as they can be told apart, so what is counted are looks. Exit status 1 if one is not told
by a finding that names it, or if an untouched release has a finding.
"""

from __future__ import annotations

import resource
import shutil
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from tests.faults.alterations import Alteration, alterations_of, batches  # noqa: E402
from tests.in_memory import folder_in_memory  # noqa: E402
from tests.released import Released  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator


def main(made: Path, each: int) -> int:
    """Print counts, seconds and memory; 1 if anything was missed, or told without reason."""
    began_s = time.perf_counter()
    with _copied(made) as world:
        alarms = [len(world.look(fresh=True).findings)]
        kinds: dict[str, list[Alteration]] = {}
        for found in alterations_of(world):
            kinds.setdefault(found.kind, []).append(found)
        tried = [one for kind in kinds.values() for one in kind[:: -(-len(kind) // each)]]
        looks = batches(tried)
        every = sum(map(len, kinds.values()))
        print(f"{every} alterations of {len(kinds)} kinds; {len(tried)} in {len(looks)} looks")
        missed = [wrong for batch in looks for wrong in _missed(world, batch)]
        alarms.append(len(world.look(fresh=True).findings))
    for subject, number in Counter(one.kind.partition(": ")[0] for one in tried).items():
        print(f"    {subject}: {number}")
    for wrong in missed:
        print(f"    MISSED: {wrong.kind}: {wrong.named}")
    used = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"missed {len(missed)}, findings of the untouched release {sum(alarms)}")
    print(f"{time.perf_counter() - began_s:.0f} s; {used / 1024:.0f} MB at most in one process")
    return int(bool(missed or any(alarms)))


def _missed(world: Released, batch: list[Alteration]) -> list[Alteration]:
    began_s = time.perf_counter()
    for one in batch:
        one.do(world)
    report = world.look(fresh=True)
    told = "\n".join(f"{found.where} {found.message}" for found in report.stopping(report.findings))
    world.restore()
    missed = [one for one in batch if one.named not in told]
    print(f"  {len(batch)} at once: {len(missed)} missed, {time.perf_counter() - began_s:.0f} s")
    sys.stdout.flush()
    return missed


@contextmanager
def _copied(made: Path) -> Iterator[Released]:
    room = folder_in_memory("catalogue")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, room)
        world = Released(made, room / "copy")
        stack.callback(world.close)
        yield world


# Verify starts processes that import this module.
if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if sys.argv[2:] else 2))
