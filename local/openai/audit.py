"""The audit log's entries."""

from __future__ import annotations

from typing import Any

from local.openai import keys
from local.openai.call import Call
from local.openai.state import Project


def record(call: Call, event: str, details: dict[str, Any], project: Project | None = None) -> None:
    """Appends an entry; the field with the name of `event`, e.g. `api_key.created`, contains `details`."""
    actor: dict[str, Any]
    if call.admin_key is not None:
        person = {"id": "user-owner", "email": "owner@myflux.example"}
        actor = {"type": "api_key", "api_key": {"id": call.admin_key.id, "type": "user", "user": person}}
    else:
        person = {"id": "user-owner", "email": "owner@myflux.example"}
        actor = {"type": "session", "session": {"user": person, "ip_address": "127.0.0.1"}}
    entry: dict[str, Any] = {
        "id": keys.make_id("audit_log-"),
        "type": event,
        "effective_at": call.at,
        "actor": actor,
        event: details,
    }
    if project is not None:
        entry["project"] = {"id": project.id, "name": project.name}
    call.organization.audit.append(entry)
