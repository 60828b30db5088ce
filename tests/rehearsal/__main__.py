"""Plays docs/going-live.md on a local cell in production's shape: `python -m tests.rehearsal`, or `make rehearsal`.

    page      The code blocks of the page, in order
    people    Who types the blocks: a shell that goes on from block to block
    place     The cell, the repository and what stands in the place of the page's names
    played    Who types each block, and what happens before and after it
    scenes    What others do meanwhile, and what must then be so
    unplayed  The blocks that cannot be played here, each with its reason

Exit code 1 where a block failed, was not played, or left something behind.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from local.cell import LocalCell
from tests.ci.stand_in import GitHubStandIn
from tests.rehearsal.page import PAGE, Block, blocks
from tests.rehearsal.people import BlockFailed
from tests.rehearsal.place import Place
from tests.rehearsal.played import around
from tests.rehearsal.unplayed import UNPLAYED


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description="Plays docs/going-live.md.")
    parser.add_argument("--keep", action="store_true", help="leave the cell and its folder after a failure")
    keep: bool = parser.parse_args(arguments).keep
    folder = Path(tempfile.mkdtemp(prefix="myflux-rehearsal-"))
    began = time.monotonic()
    cell = LocalCell.start(folder / "cell")
    failed = False
    try:
        with GitHubStandIn.serving() as github:
            place = Place(folder, cell, github)
            place.prepare()
            failed = not all(_step(place, block) for block in blocks(PAGE.read_text(encoding="utf-8")))
    finally:
        if failed and keep:
            print(f"left running: {folder}", file=sys.stderr)
        else:
            cell.stop()
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{'FAILED' if failed else 'The page was played'} in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _step(place: Place, block: Block) -> bool:
    """Whether the rehearsal goes on."""
    began = time.monotonic()

    def told(mark: str, what: str) -> None:
        print(f"{mark} {block.name:<44} {time.monotonic() - began:6.1f} s  {what}", flush=True)

    if block.key in UNPLAYED:
        told("-", f"not played: {UNPLAYED[block.key]}")
        return True
    plan = around(block)
    try:
        sentences = [plan.before(place)] if plan.before else []
        person = place.person(*plan.who)
        said = person.play(block, place.text(block.file, block.text), plan.answer(place) if plan.answer else "")
        sentences += [plan.after(place, said)] if plan.after else []
    except (BlockFailed, AssertionError) as failure:
        told("✗", str(failure))
        return False
    told("✓", "; ".join(sentences) or (block.file and f"{block.file} written") or f"{person.name}")
    return True


if __name__ == "__main__":
    sys.exit(main())
