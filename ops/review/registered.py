"""A resource as a stack's program asked for it, and the same as JSON, to be passed from one process to another.

Owns the record and its two forms: `from_json(to_json(one))` is `one`, whatever it holds, since the rules are asked of
the second. Leaves out how it is come by (`rehearsal`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, cast

from pulumi import asset
from pulumi.output import Unknown

from ops.review.file_line import Place

_UNKNOWN: Final = {"$pulumi": "unknown"}
_FILES: Final = "$pulumi.files"
"""What JSON has no word for. No property of AWS is called so."""


@dataclass(frozen=True)
class Files:
    """An asset or an archive. `kind` is the name of Pulumi's class; `origin` is a path, an address or a text, as the
    kind says, and empty for an AssetArchive, which is made of `parts`. `sha256` tells what was at a path when it was
    recorded, since the file may be another later; empty where there is none to read."""

    kind: str
    origin: str = ""
    sha256: str = ""
    parts: Mapping[str, Files] = field(default_factory=dict[str, "Files"])


def files(given: asset.Asset | asset.Archive) -> Files:
    kind = type(given).__name__
    if isinstance(given, asset.AssetArchive):
        return Files(kind, parts={name: files(one) for name, one in sorted(given.assets.items())})
    if isinstance(given, asset.FileArchive | asset.FileAsset):
        return Files(kind, str(given.path), _digest(Path(given.path)))
    if isinstance(given, asset.StringAsset):
        return Files(kind, given.text, hashlib.sha256(given.text.encode()).hexdigest())
    if isinstance(given, asset.RemoteAsset | asset.RemoteArchive):
        return Files(kind, given.uri)
    raise TypeError(f"{kind} is neither an asset nor an archive that this knows.")


@dataclass(frozen=True)
class Registered:
    """A resource as the program asked for it. `inputs` has the provider's own names of properties; what is unknown
    before deployment is a `pulumi.output.Unknown`, assets and archives are `Files`. `secret` names the properties that
    the program marked as secrets. `id` and `outputs` are what AWS would answer, empty in a rehearsal of the preview.
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
    return {part.name: _told(getattr(one, part.name)) for part in fields(one)}


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
    if isinstance(value, Files):
        return {_FILES: [value.kind, value.origin, value.sha256, _told(value.parts)]}
    if isinstance(value, Mapping):
        return {name: _told(one) for name, one in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_told(one) for one in cast(list[Any], value)]
    if isinstance(value, frozenset):
        return sorted(cast(frozenset[str], value))
    return value


def _digest(path: Path) -> str:
    if not path.exists():
        return ""
    found = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in found:
        digest.update(file.relative_to(path).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _heard(value: Any) -> Any:
    if value == _UNKNOWN:
        return Unknown()
    if isinstance(value, dict):
        told = cast(dict[str, Any], value)
        if _FILES in told:
            kind, origin, sha256, parts = told[_FILES]
            return Files(kind, origin, sha256, _heard(parts))
        return {name: _heard(one) for name, one in told.items()}
    return [_heard(one) for one in cast(list[Any], value)] if isinstance(value, list) else value
