"""What AWS's documents leave open about tokens, as a choice of the cell: a test runs with each.

A file in the cell's folder, read for each token. Without it the choices are AWS's own words, read literally.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

FILE: Final = "federation.json"

PrincipalTags = Literal["session over role", "session alone", "role alone"]


@dataclass(frozen=True)
class Settings:
    principal_tags: PrincipalTags = "session over role"
    """The tags in `principal_tags` of a session that has tags of its own. AWS says that "the session tags will be
    present": beside the role's other tags, or in place of all of them? `role alone` is what AWS does not say, for code
    that must be safe even then."""
    organization_id: str | None = None
    """The AWS Organizations id of the account, for the claim `org_id`. None: it is in no organization."""


def choose(home: Path, settings: Settings) -> None:
    """The cell in `home` follows `settings` from the next token on."""
    draft = home / f"{FILE}.new"
    draft.write_text(json.dumps(asdict(settings)), encoding="utf-8")
    draft.replace(home / FILE)


def chosen(home: Path) -> Settings:
    try:
        return Settings(**json.loads((home / FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Settings()
