"""Projects in OpenAI's Admin API: where they are listed, and whether one is archived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PROJECTS: Final = "/organization/projects"


def is_archived(project: Mapping[str, Any]) -> bool:
    """Either field of the API's project may show it."""
    return project.get("status") == "archived" or project.get("archived_at") is not None
