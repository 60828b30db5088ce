"""docs/going-live.md: the rehearsal plays each of its blocks, or says why it cannot.

The rehearsal itself is `make rehearsal`: it takes minutes, so it is no part of `make test`.
"""

from __future__ import annotations

import re

import pytest

from tests.rehearsal.page import PAGE, UnclearPage, blocks
from tests.rehearsal.played import DETAILS, PLAN
from tests.rehearsal.unplayed import UNPLAYED

TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = blocks(TEXT)


def test_every_block_is_found_and_every_plan_is_a_blocks() -> None:
    fences = re.findall(r"^```", TEXT, re.MULTILINE)
    assert len(fences) == 2 * len(BLOCKS), "a block that is not found would not be played"
    keys = {block.key for block in BLOCKS}
    assert len(keys) == len(BLOCKS)
    assert not DETAILS.keys() - keys, "a plan for a block that the page does not have"
    assert not PLAN.keys() - {block.heading for block in BLOCKS}


def test_what_is_not_played_says_why() -> None:
    assert not UNPLAYED.keys() - {block.key for block in BLOCKS}
    assert not UNPLAYED.keys() & DETAILS.keys(), "it cannot be both"
    assert all(len(reason) > 20 for reason in UNPLAYED.values())
    assert len(UNPLAYED) < len(BLOCKS) / 4, "a page of which little is played proves little"


@pytest.mark.parametrize(
    "text",
    ["## a\n```\nx\n```\n", "## a\n```json\n{}\n```\n", "## a\n```sh\nx\n", "## a\n  ```sh\n  x\n  ```\n"],
    ids=["no language", "a file without a name", "no end", "indented"],
)
def test_a_block_that_would_be_passed_over_is_refused(text: str) -> None:
    with pytest.raises(UnclearPage):
        blocks(text)


def test_no_command_stands_outside_a_block_but_in_a_sentence() -> None:
    """A line that begins with a command is one that somebody would copy."""
    outside = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^ *(\./myflux-keys|aws|pulumi|git) .*$", outside, re.MULTILINE)
