"""`tenants/archive/`: the files of tenants that were off-boarded, and why their slugs never come back.

Owns where such a file lies and the refusal of its slug. Leaves out moving files there (`ops/actions/offboard.py`). What
an archived file says is never read: that it exists is all that matters, so one look a tenant is enough.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tenancy.document import Document
from tenancy.problems import Problem, Refusal

FOLDER: Final = "archive"


def place(root: Path, slug: str) -> Path:
    """Where the file of an off-boarded tenant lies below `root`, the folder that holds tenants/."""
    return root / "tenants" / FOLDER / f"{slug}.yaml"


def reused(root: Path, slug: str) -> Refusal | None:
    """Why `slug` is not to be had; None where no tenant ever left under it."""
    if not os.path.lexists(place(root, slug)):
        return None
    reason = (
        f"A tenant of this slug was off-boarded (tenants/{FOLDER}/{slug}.yaml). OpenAI never brings its archived "
        "project back, and whoever kept a note, a bill or a log of the slug would take the new tenant for the old one."
    )
    return Refusal("slug-reused", reason, "choose a slug that was never used, for example with a number or a year.")


def problems(root: Path, document: Document) -> Iterator[Problem]:
    slug = document.source.stem.casefold()
    refusal = reused(root, slug)
    if refusal is not None:
        yield document.problem(refusal, ("tenant",))
