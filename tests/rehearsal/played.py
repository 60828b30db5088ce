"""What happens around the page's blocks: who types them, what is pasted, what others do, and what must be seen
afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.rehearsal import scenes
from tests.rehearsal.page import Block
from tests.rehearsal.place import Place

ADMINISTRATOR: Final = ("administrator", "administrator")
OPERATOR: Final = ("operator", "operator")
SECOND: Final = ("second operator", "operator")
APPLICATION: Final = ("application", "runtime")
"""A person's name, and the user of the cell whose access key they have."""


@dataclass(frozen=True)
class Around:
    """`answer` is pasted at the block's prompt; `before` and `after` are what others and the pipeline do, and what the
    rehearsal looks at: each returns a sentence."""

    who: tuple[str, str] = OPERATOR
    answer: Callable[[Place], str] | None = None
    before: Callable[[Place], str] | None = None
    after: Callable[[Place, str], str] | None = None


PLAN: Final[Mapping[str, Around]] = {
    "1. The account": Around(ADMINISTRATOR),
    "3. Bootstrap": Around(ADMINISTRATOR),
    "4. The cell's pull request": Around(ADMINISTRATOR),
    "8. The application": Around(ADMINISTRATOR),
    "11. A second operator's laptop": Around(SECOND),
}
"""By heading; DETAILS wins."""

DETAILS: Final[Mapping[tuple[str, int], Around]] = {
    ("3. Bootstrap", 2): Around(ADMINISTRATOR, answer=scenes.passphrase, after=scenes.bootstrapped),
    ("5. The platform", 1): Around(before=scenes.cell_merged),
    ("6. The admin key", 1): Around(answer=scenes.admin_key),
    ("7. The first tenant", 2): Around(before=scenes.tenant_deployed),
    ("8. The application", 7): Around(APPLICATION, after=scenes.answered),
    ("9. Alarms", 1): Around(after=scenes.subscribed),
    ("9. Alarms", 2): Around(ADMINISTRATOR),
    ("11. A second operator's laptop", 2): Around(SECOND, after=scenes.unchanged),
    ("A damaged state", 1): Around(ADMINISTRATOR, before=scenes.state_damaged),
    ("A damaged state", 2): Around(after=scenes.state_restored),
    ("A damaged state", 3): Around(before=scenes.state_lost, after=scenes.adopted),
    ("The cell", 1): Around(before=scenes.offboarding_merged),
    ("The cell", 2): Around(ADMINISTRATOR, answer=scenes.passphrase, after=scenes.nothing_left),
}


def around(block: Block) -> Around:
    return DETAILS.get(block.key) or PLAN.get(block.heading) or Around()
