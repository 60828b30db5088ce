"""The emulator's own endpoints under `/_emulator`: a person's actions on OpenAI's site, and the state that tests read.

Owns the check of their token, and their JSON. Leaves out OpenAI's API. Without the token only `health` answers, so
that no tenant, function or other client of the port can make or read an admin key.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from local.openai import access, faults, keys, policies, settings
from local.openai.call import Call, Emulator
from local.openai.errors import ApiError
from local.openai.fields import Body
from local.openai.minting import mint_admin_key, mint_project_key
from local.openai.routes.service_accounts import checked_scopes
from local.openai.state import ApiKey, Organization, Project, ServiceAccount, User, now

PREFIX = "/_emulator"


class ControlApp:
    def __init__(self, emulator: Emulator, token: str) -> None:
        self._emulator = emulator
        self._token = token
        self._handlers: dict[tuple[str, str], Callable[[Request, dict[str, Any]], Any]] = {
            ("POST", "/customers"): self._open_customer,
            ("POST", "/admin-keys"): self._create_admin_key,
            ("POST", "/user-keys"): self._create_user_key,
            ("GET", "/minted"): lambda _r, _b: [asdict(m) for m in emulator.ledger.entries],
            ("GET", "/faults"): lambda _r, _b: [f.as_json() for f in emulator.faults.waiting],
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): lambda _r, _b: emulator.faults.waiting.clear(),
            ("GET", "/settings"): lambda _r, _b: settings.as_json(emulator.organization.settings),
            ("PUT", "/settings"): self._change_settings,
            ("GET", "/calls"): self._calls,
            ("DELETE", "/calls"): lambda _r, _b: emulator.organization.calls.clear(),
            ("GET", "/now"): lambda _request, _fields: now(),
            ("GET", "/state"): self._state,
            ("POST", "/reset"): lambda _r, _b: emulator.reset(),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["path"].removeprefix(PREFIX)
        if (request.method, path) == ("GET", "/health"):
            await JSONResponse({"status": "ok"})(scope, receive, send)
            return
        given = request.headers.get("x-emulator-token", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            await _error(401, "the header X-Emulator-Token is missing or wrong")(scope, receive, send)
            return
        handler = self._handlers.get((request.method, path))
        if handler is None:
            await _error(404, f"there is no {request.method} {scope['path']}")(scope, receive, send)
            return
        try:
            fields: Any = await request.json() if await request.body() else {}
            if not isinstance(fields, dict):
                raise ValueError("the body is not a JSON object")
            response = JSONResponse(handler(request, fields))
        except ApiError as refusal:
            response = JSONResponse(refusal.body, refusal.status)
        except ValueError as refusal:
            response = _error(400, str(refusal))
        await response(scope, receive, send)

    def _call(self, request: Request) -> Call:
        return Call(self._emulator, request.method, request.url.path, {}, QueryParams(), b"", {}, now())

    def _open_customer(self, _request: Request, fields: dict[str, Any]) -> dict[str, Any]:
        """A customer's organization, with the project that each new one has at OpenAI; found again by its id."""
        body = Body(fields)
        identifier = body.text("organization_id") or ""
        body.done()
        ours = self._emulator.organization.settings
        if identifier == ours.organization_id:
            raise ValueError(f"{identifier} is the cell's own organization: a customer's has another id")
        if identifier not in self._emulator.customers:
            organization = Organization(settings.changed(ours, {"organization_id": identifier}))
            project = Project(keys.make_id("proj_"), "Default project", int(now()))
            organization.projects[project.id] = project
            self._emulator.customers[identifier] = organization
        (default, *_) = self._emulator.customers[identifier].projects
        return {"organization_id": identifier, "project_id": default}

    def _organization(self, identifier: str | None) -> Organization:
        """The cell's own where none is named. Raises ValueError for a customer's that was not opened."""
        if not identifier or identifier == self._emulator.organization.settings.organization_id:
            return self._emulator.organization
        if identifier not in self._emulator.customers:
            raise ValueError(f"there is no organization {identifier!r}: open it with POST {PREFIX}/customers")
        return self._emulator.customers[identifier]

    def _create_admin_key(self, request: Request, fields: dict[str, Any]) -> dict[str, Any]:
        name, scopes, expires, rest = _new_key(fields)
        call = self._call(request)
        call.organization = self._organization(rest.text("organization_id", required=False, nullable=True))
        rest.done()
        unknown = set(scopes) - access.ADMIN_SCOPES
        if unknown:
            known = ", ".join(sorted(access.ADMIN_SCOPES))
            raise ValueError(f"{sorted(unknown)[0]!r} is not a scope of admin keys: {known}")
        key, value = mint_admin_key(call, name, scopes, expires)
        return {"id": key.id, "value": value}

    def _create_user_key(self, request: Request, fields: dict[str, Any]) -> dict[str, Any]:
        name, scopes, expires, rest = _new_key(fields)
        call = self._call(request)
        identifier = rest.text("project_id") or ""
        rest.done()
        call.parameters = {"project_id": identifier}
        holders = (one for one in self._emulator.organizations if identifier in one.projects)
        call.organization = next(holders, call.organization)
        project = call.project()
        policies.check_new_key(call.organization.settings, expires, user_owned=True)
        person = User(keys.make_id("user-"), "A. Person", "person@myflux.example", call.at)
        key, value = mint_project_key(call, project, person, name, checked_scopes(scopes) or [], expires)
        return {"id": key.id, "value": value}

    def _add_fault(self, _request: Request, fields: dict[str, Any]) -> dict[str, Any]:
        fault = faults.parse(fields)
        self._emulator.faults.waiting.append(fault)
        return fault.as_json()

    def _change_settings(self, _request: Request, fields: dict[str, Any]) -> dict[str, Any]:
        organization = self._emulator.organization
        organization.settings = settings.changed(organization.settings, fields)
        return settings.as_json(organization.settings)

    def _calls(self, request: Request, _fields: dict[str, Any]) -> list[dict[str, Any]]:
        since = float(request.query_params.get("since", 0))
        return [entry for entry in self._emulator.organization.calls if entry["at"] >= since]

    def _state(self, request: Request, _fields: dict[str, Any]) -> dict[str, Any]:
        organization, at = self._organization(request.query_params.get("organization_id")), now()
        one = request.query_params.get("project_id")
        return {
            "now": at,
            "machine_now": time.time(),
            "admin_keys": [
                {"id": k.id, "name": k.name, "expires_at": k.expires_at}
                for k in organization.admin_keys.values()
                if not k.expired(at)
            ],
            "projects": [
                {
                    "id": p.id,
                    "name": p.name,
                    "archived": p.archived_at is not None,
                    "service_accounts": [
                        {"id": a.id, "name": a.name, "role": a.role} for a in p.service_accounts.values()
                    ],
                    "live_keys": [_shown(k) for k in p.keys.values() if p.archived_at is None and not k.expired(at)],
                    "spent_usd": float(organization.spent_cents(p.id, at) / 100),
                }
                for p in organization.projects.values()
                if one in (None, p.id)
            ],
            "alerts_sent": organization.alerts_sent,
        }


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "project_id": key.project_id,
        "service_account_id": key.owner.id if isinstance(key.owner, ServiceAccount) else None,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }


def _new_key(fields: dict[str, Any]) -> tuple[str, list[str], int | None, Body]:
    """(name, scopes, seconds to expiry, reader with the remaining fields) of a key to make."""
    body = Body(fields)
    name = body.text("name") or ""
    scopes = body.texts("scopes", required=False) or []
    longest = policies.LONGEST_EXPIRY
    expires = body.integer("expires_in_seconds", minimum=1, maximum=longest, required=False, nullable=True)
    return name, scopes, expires, body


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status)
