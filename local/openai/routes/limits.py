"""A project's rate limits by model, and the list of models that it may or may not use.

Owns `…/rate_limits` and `…/model_permissions`. Leaves out enforcement (`pacing.py`, `answering.py`). A project's limit
cannot be above the organization's. If no permissions were set, a retrieve returns 404.
"""

from __future__ import annotations

from typing import Any, Final

from local.openai import audit, errors
from local.openai.call import Call, admin_route
from local.openai.catalogue import MODELS, Model
from local.openai.pacing import CEILINGS, ceiling_of, limit_of
from local.openai.paging import page
from local.openai.state import Project

_PREFIX: Final = "rl-"
_OTHERS: Final = (
    "max_requests_per_1_day",
    "max_images_per_1_minute",
    "max_audio_megabytes_per_1_minute",
    "batch_1_day_max_input_tokens",
)
"""OpenAI documents these for some models only; none of the emulator's models has them."""


def _render(project: Project, model: Model) -> dict[str, Any]:
    limits = {name: limit_of(project, model, name) for name in CEILINGS}
    return {"id": _PREFIX + model.id, "object": "project.rate_limit", "model": model.id} | limits


def _list(call: Call) -> dict[str, Any]:
    project = call.project()
    return page(
        list(MODELS.values()),
        call.query(),
        lambda m: _render(project, m),
        lambda m: _PREFIX + m.id,
        default=100,
        before=True,
    )


def _update(call: Call) -> dict[str, Any]:
    project = call.project()
    identifier = call.parameters["rate_limit_id"]
    model = MODELS.get(identifier.removeprefix(_PREFIX))
    if model is None or not identifier.startswith(_PREFIX):
        raise errors.not_found("Rate limit", identifier)
    body = call.body()
    changes: dict[str, int] = {}
    for name in CEILINGS:
        value = body.integer(name, minimum=1, maximum=ceiling_of(model, name), required=False)
        if value is not None:
            changes[name] = value
    for name in _OTHERS:
        if body.integer(name, minimum=0, maximum=2**53, required=False) is not None:
            raise errors.invalid_value(name, f"this limit does not apply to model '{model.id}'.")
    body.done()
    project.rate_limits.setdefault(model.id, {}).update(changes)
    audit.record(call, "rate_limit.updated", {"id": identifier, "changes_requested": changes}, project)
    return _render(project, model)


def _permissions(project: Project) -> dict[str, Any]:
    if project.model_permissions is None:
        raise errors.not_found("Model permissions of project", project.id)
    mode, models = project.model_permissions
    return {"object": "project.model_permissions", "mode": mode, "model_ids": models}


def _retrieve_permissions(call: Call) -> dict[str, Any]:
    return _permissions(call.project())


def _set_permissions(call: Call) -> dict[str, Any]:
    project = call.project()
    body = call.body()
    mode = body.choice("mode", ("allow_list", "deny_list"))
    models = body.texts("model_ids")
    body.done()
    assert models is not None
    for index, model in enumerate(models):
        if model not in MODELS:
            raise errors.invalid_value(f"model_ids[{index}]", f"model '{model}' is not visible to the organization.")
    project.model_permissions = ("allow_list" if mode == "allow_list" else "deny_list", models)
    changed = {"id": project.id, "changes_requested": {"title": None}}
    audit.record(call, "project.updated", changed, project)
    return _permissions(project)


def _delete_permissions(call: Call) -> dict[str, Any]:
    project = call.project()
    _permissions(project)
    project.model_permissions = None
    audit.record(call, "project.updated", {"id": project.id, "changes_requested": {"title": None}}, project)
    return {"object": "project.model_permissions.deleted", "deleted": True}


_LIMITS = "/projects/{project_id}/rate_limits"
_MODELS = "/projects/{project_id}/model_permissions"

ROUTES = [
    admin_route("GET", _LIMITS, _list),
    admin_route("POST", _LIMITS + "/{rate_limit_id}", _update),
    admin_route("GET", _MODELS, _retrieve_permissions),
    admin_route("POST", _MODELS, _set_permissions),
    admin_route("DELETE", _MODELS, _delete_permissions),
]
