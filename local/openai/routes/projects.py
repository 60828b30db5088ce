"""Projects: create, list, retrieve, update, archive.

Owns `/v1/organization/projects`. Leaves out the objects in a project. Names need not be unique: OpenAI allows two
projects with the same name, so a search by name must read all projects.
"""

from __future__ import annotations

from typing import Any

from local.openai import audit, errors, keys
from local.openai.call import Call, admin_route
from local.openai.paging import page
from local.openai.state import Project

RESIDENCIES = (
    "GLOBAL",
    "US_STORAGE_PROCESSING",
    "EU_STORAGE_PROCESSING",
    "JP_STORAGE",
    "JP_STORAGE_PROCESSING",
    "KR_STORAGE",
    "CA_STORAGE",
    "SG_STORAGE",
    "IN_STORAGE",
    "IN_STORAGE_PROCESSING",
    "AU_STORAGE",
    "AU_STORAGE_PROCESSING",
    "GB_STORAGE",
    "AE_STORAGE",
    "AE_STORAGE_PROCESSING",
)


def render(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "object": "organization.project",
        "name": project.name,
        "created_at": project.created_at,
        "archived_at": project.archived_at,
        "status": "active" if project.archived_at is None else "archived",
        "residency": project.residency,
        "external_key_id": project.external_key_id,
    }


def _create(call: Call) -> dict[str, Any]:
    body = call.body()
    name = body.text("name")
    external_key_id = body.text("external_key_id", required=False, nullable=True)
    geography = body.text("geography", required=False, nullable=True)
    residency = body.choice("residency", RESIDENCIES, required=False, nullable=True)
    body.done()
    if geography is not None and residency is not None:
        raise errors.invalid_value("geography", "do not provide both 'geography' and 'residency'.")
    limit = call.organization.settings.max_projects
    if len(call.organization.projects) >= limit:
        raise errors.project_limit(limit)
    assert name is not None
    project = Project(keys.make_id("proj_"), name, call.at, residency, external_key_id)
    call.organization.projects[project.id] = project
    audit.record(call, "project.created", {"id": project.id, "data": {"name": name, "title": name}}, project)
    return render(project)


def _list(call: Call) -> dict[str, Any]:
    query = call.query()
    archived = query.boolean("include_archived")
    projects = list(call.organization.projects.values())
    return page(projects, query, render, lambda p: p.id, keep=lambda p: archived is True or p.archived_at is None)


def _retrieve(call: Call) -> dict[str, Any]:
    return render(call.any_project())


def _update(call: Call) -> dict[str, Any]:
    project = call.project()
    body = call.body()
    name = body.text("name", required=False)
    changes_key = body.has("external_key_id")
    external_key_id = body.text("external_key_id", required=False, nullable=True)
    body.text("geography", required=False, nullable=True)
    body.done()
    if name is not None:
        project.name = name
    if changes_key:
        project.external_key_id = external_key_id
    audit.record(call, "project.updated", {"id": project.id, "changes_requested": {"title": name}}, project)
    return render(project)


def _archive(call: Call) -> dict[str, Any]:
    project = call.project()
    if call.emulator.faults.take(call.method, call.path, "not_done"):
        return render(project) | {"archived_at": call.at, "status": "archived"}
    project.archived_at = call.at
    audit.record(call, "project.archived", {"id": project.id}, project)
    return render(project)


ROUTES = [
    admin_route("POST", "/projects", _create),
    admin_route("GET", "/projects", _list),
    admin_route("GET", "/projects/{project_id}", _retrieve),
    admin_route("POST", "/projects/{project_id}", _update),
    admin_route("POST", "/projects/{project_id}/archive", _archive),
]
