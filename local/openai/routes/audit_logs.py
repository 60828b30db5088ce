"""The audit log, newest first."""

from __future__ import annotations

from typing import Any, Final

from local.openai import access
from local.openai.call import Call, admin_route
from local.openai.paging import page

_RANGES: Final = ("gt", "gte", "lt", "lte")


def _list(call: Call) -> dict[str, Any]:
    query = call.query()
    events, projects = set(query.texts("event_types")), set(query.texts("project_ids"))
    actors, emails = set(query.texts("actor_ids")), set(query.texts("actor_emails"))
    resources = set(query.texts("resource_ids"))
    bounds = {r: query.integer(f"effective_at[{r}]", minimum=0, maximum=2**40) for r in _RANGES}

    def keep(entry: dict[str, Any]) -> bool:
        at: int = entry["effective_at"]
        key = entry["actor"].get("api_key", {})
        person = key.get("user") or entry["actor"].get("session", {}).get("user", {})
        return (
            (not events or entry["type"] in events)
            and (not projects or entry.get("project", {}).get("id") in projects)
            and (not actors or bool(actors & {key.get("id"), person.get("id")}))
            and (not emails or person.get("email") in emails)
            and (not resources or entry[entry["type"]]["id"] in resources)
            and (bounds["gt"] is None or at > bounds["gt"])
            and (bounds["gte"] is None or at >= bounds["gte"])
            and (bounds["lt"] is None or at < bounds["lt"])
            and (bounds["lte"] is None or at <= bounds["lte"])
        )

    newest_first = list(reversed(call.organization.audit))
    return page(newest_first, query, lambda e: e, lambda e: e["id"], before=True, keep=keep)


ROUTES = [admin_route("GET", "/audit_logs", _list, access.AUDIT_READ)]
