"""`tenants/archive/`: the files of off-boarded tenants, whose slugs are never used again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tenancy.document import Document
from tenancy.problems import Problem, Refusal

FOLDER: Final = "archive"


def place(root: Path, slug: str) -> Path:
    """The path of an off-boarded tenant's file; `root` is the folder that holds tenants/."""
    return root / "tenants" / FOLDER / f"{slug}.yaml"


def reused(root: Path, slug: str) -> Refusal | None:
    """The refusal of an off-boarded tenant's slug, or None. The archived file only has to exist; it is never read."""
    if not os.path.lexists(place(root, slug)):
        return None
    reason = (
        f"A tenant with this slug was off-boarded (tenants/{FOLDER}/{slug}.yaml). OpenAI cannot restore its archived "
        "project, and old bills and logs would seem to be about the new tenant."
    )
    return Refusal("slug-reused", reason, "choose a slug that was never used, for example one with a number or a year.")


def problems(root: Path, document: Document) -> Iterator[Problem]:
    slug = document.source.stem.casefold()
    refusal = reused(root, slug)
    if refusal is not None:
        yield document.problem(refusal, ("tenant",))
