"""The package schema that the engine requests, e.g. to generate code for an imported resource.

Derived from the descriptions that the provider itself uses, in Pulumi's schema language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from local.provider.configuration import KNOWN
from local.provider.model import ListOf, MapOf, Property, Resource, Scalar, Type
from local.provider.registry import RESOURCES, VERSION

_SCALARS = {
    Scalar.ARCHIVE: {"$ref": "pulumi.json#/Archive"},
    Scalar.JSON: {"type": "string"},
    Scalar.POLICY: {"type": "string"},
}


@cache
def schema_text() -> str:
    types: dict[str, Any] = {}
    resources = {token: _resource(resource, types) for token, resource in RESOURCES.items()}
    settings = {name: {"type": "string"} for name in sorted(KNOWN)}
    return json.dumps(
        {
            "name": "aws",
            "version": VERSION,
            "description": "The resource types of the AWS provider that the local cell carries.",
            "config": {"variables": settings},
            "provider": {"inputProperties": settings},
            "types": types,
            "resources": resources,
            "language": {"python": {"moduleNameOverrides": {"lambda": "lambda_"}}},
            "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
        }
    )


def _resource(resource: Resource, types: dict[str, Any]) -> dict[str, Any]:
    inputs = resource.properties()
    properties = {name: _spec(prop.type, types) for name, prop in inputs.items()}
    results = {name: _spec(kind, types) for name, kind in resource.results().items()}
    return {
        "properties": properties | results,
        "required": sorted(results),
        "inputProperties": properties,
        "requiredInputs": sorted(name for name, prop in inputs.items() if prop.required),
    }


def _spec(kind: Type, types: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, Scalar):
        return _SCALARS.get(kind, {"type": kind.value})
    if isinstance(kind, ListOf):
        return {"type": "array", "items": _spec(kind.item, types)}
    if isinstance(kind, MapOf):
        return {"type": "object", "additionalProperties": _spec(kind.item, types)}
    types[kind.token] = _object(kind.fields, types)
    return {"$ref": f"#/types/{kind.token}"}


def _object(fields: Mapping[str, Property], types: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _spec(prop.type, types) for name, prop in fields.items()},
        "required": sorted(name for name, prop in fields.items() if prop.required),
    }
