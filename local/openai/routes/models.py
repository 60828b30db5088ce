"""The models that a project key can see.

A model that the project may not use is not listed, and a request for it by name is answered as for a model that does
not exist.
"""

from __future__ import annotations

from typing import Any

from local.openai import errors
from local.openai.answering import offered
from local.openai.call import Call, model_route
from local.openai.catalogue import MODELS, Model
from local.openai.state import Project


def _render(call: Call, model: Model) -> dict[str, Any]:
    settings = call.organization.settings
    shown = {"id": model.id, "object": "model", "created": model.created, "owned_by": "system"}
    if settings.hide_shutdown_dates:
        return shown
    return shown | {"shutdown_date": settings.shutdown_dates.get(model.id, model.shutdown)}


def _project(call: Call) -> Project:
    assert call.api_key is not None
    return call.organization.projects[call.api_key.project_id]


def _list(call: Call) -> dict[str, Any]:
    call.query().done()
    project = _project(call)
    shown = [m for m in MODELS.values() if project.may_use(m.id) and offered(call, m)]
    return {"object": "list", "data": [_render(call, m) for m in shown]}


def _retrieve(call: Call) -> dict[str, Any]:
    name = call.parameters["model"]
    model = MODELS.get(name)
    if model is None or not _project(call).may_use(name) or not offered(call, model):
        raise errors.model_not_found(name)
    return _render(call, model)


ROUTES = [
    model_route("GET", "/models", _list, "api.model.read"),
    model_route("GET", "/models/{model}", _retrieve, "api.model.read"),
]
