"""What each endpoint does, one file a kind of object; all of them together in `ALL`."""

from __future__ import annotations

from typing import Final

from local.openai.call import Route
from local.openai.routes import (
    admin_keys,
    audit_logs,
    chat,
    limits,
    models,
    project_keys,
    projects,
    responses,
    service_accounts,
    spend,
    usage,
)

_MODULES: Final = (
    projects,
    service_accounts,
    project_keys,
    limits,
    spend,
    usage,
    audit_logs,
    admin_keys,
    models,
    chat,
    responses,
)

ALL: Final[list[Route]] = [route for module in _MODULES for route in module.ROUTES]
