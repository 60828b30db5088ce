"""A resource as a stack's program asked for it, and the same as JSON, to be passed from one process to another.

Owns the record and its two forms. Leaves out how it is come by (`rehearsal`). An archive is told by the hash of what it
holds: where it lay while it was packed says nothing about a change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, cast

from pulumi import asset
from pulumi.output import Unknown

from review.place import Place

_UNKNOWN: Final = {"$pulumi": "unknown"}
"""What JSON has no word for. No property of AWS is called so."""


@dataclass(frozen=True)
class Registered:
    """A resource as the program asked for it. `inputs` has the provider's own names of properties; what is unknown
    before deployment is a `pulumi.output.Unknown`, assets are `pulumi.Asset`s. `secret` names the properties that the
    program marked as secrets. `id` and `outputs` are what AWS would answer, empty in a rehearsal of the preview.
    `property_dependencies` maps a property to the URNs that its value comes from. `place` is the line of the repository
    that made the resource."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    id: str
    outputs: Mapping[str, Any]
    parent: str
    provider: str
    custom: bool
    protect: bool
    retain_on_delete: bool
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, frozenset[str]]
    secret: frozenset[str] = frozenset()
    place: Place | None = None


def to_json(one: Registered) -> dict[str, Any]:
    return {field.name: _told(getattr(one, field.name)) for field in fields(one)}


def from_json(told: Mapping[str, Any]) -> Registered:
    """Raises KeyError or TypeError for what another version of `to_json` wrote with other fields."""
    place = told["place"]
    depends = cast(dict[str, list[str]], told["property_dependencies"])
    parts: dict[str, Any] = {
        **told,
        "inputs": _heard(told["inputs"]),
        "outputs": _heard(told["outputs"]),
        "dependencies": frozenset(told["dependencies"]),
        "property_dependencies": {name: frozenset(urns) for name, urns in depends.items()},
        "secret": frozenset(told["secret"]),
        "place": Place(place["file"], place["line"]) if place else None,
    }
    return Registered(**parts)


def _told(value: Any) -> Any:
    if isinstance(value, Unknown):
        return _UNKNOWN
    if isinstance(value, Place):
        return {"file": value.file, "line": value.line}
    if isinstance(value, asset.AssetArchive):
        return {"archive": {name: _told(one) for name, one in sorted(value.assets.items())}}
    if isinstance(value, asset.FileArchive | asset.FileAsset):
        return {"archive": Path(value.path).name, "sha256": _digest(Path(value.path))}
    if isinstance(value, asset.StringAsset):
        return {"asset": hashlib.sha256(value.text.encode()).hexdigest()}
    if isinstance(value, asset.RemoteAsset | asset.RemoteArchive):
        return {"asset": value.uri}
    if isinstance(value, Mapping):
        return {name: _told(one) for name, one in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in cast(list[Any], value)]
    if isinstance(value, frozenset):
        return sorted(cast(frozenset[str], value))
    return value


def _digest(path: Path) -> str:
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(path).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _heard(value: Any) -> Any:
    if value == _UNKNOWN:
        return Unknown()
    if isinstance(value, dict):
        return {name: _heard(one) for name, one in cast(dict[str, Any], value).items()}
    return [_heard(one) for one in cast(list[Any], value)] if isinstance(value, list) else value
