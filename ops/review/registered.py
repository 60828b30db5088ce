"""A resource as a stack's program registered it, and the same as JSON for another process.

Owns the record and its two forms: `from_json(to_json(one))` is `one`, whatever it holds, since the rules get
the second. Leaves out the rehearsal (`rehearsal`).
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
"""Marks values that JSON cannot express. No property of AWS has these names."""


@dataclass(frozen=True)
class Files:
    """An asset or an archive. `kind` is the name of Pulumi's class; `origin` is a path, an address or a text, as the
    kind says, and empty for an AssetArchive, which is made of `parts`. `sha256` is the digest of the file at a path
    when it was recorded, since the file may change; empty where there is no file."""

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
    raise TypeError(f"{kind} is not a known kind of asset or archive.")


@dataclass(frozen=True)
class Registered:
    """A resource as the program registered it. `inputs` has the provider's own names of properties; what is unknown
    before deployment is a `pulumi.output.Unknown`, assets and archives are `Files`. `secret` names the properties that
    the program marked as secrets. `id` and `outputs` are what AWS would answer, empty in a rehearsal of the preview; a
    component's `outputs` are what it registers, the stack's are its exports. `property_dependencies` maps a property to
    the URNs that its value comes from. `place` is the line of the repository that made the resource."""

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
    ignore_changes: tuple[str, ...] = ()
    place: Place | None = None


def to_json(one: Registered) -> dict[str, Any]:
    return {part.name: _encoded(getattr(one, part.name)) for part in fields(one)}


def from_json(encoded: Mapping[str, Any]) -> Registered:
    """Raises KeyError or TypeError for what another version of `to_json` wrote with other fields."""
    place = encoded["place"]
    depends = cast(dict[str, list[str]], encoded["property_dependencies"])
    parts: dict[str, Any] = {
        **encoded,
        "inputs": _decoded(encoded["inputs"]),
        "outputs": _decoded(encoded["outputs"]),
        "dependencies": frozenset(encoded["dependencies"]),
        "property_dependencies": {name: frozenset(urns) for name, urns in depends.items()},
        "secret": frozenset(encoded["secret"]),
        "ignore_changes": tuple(encoded["ignore_changes"]),
        "place": Place(place["file"], place["line"]) if place else None,
    }
    return Registered(**parts)


def _encoded(value: Any) -> Any:
    if isinstance(value, Unknown):
        return _UNKNOWN
    if isinstance(value, Place):
        return {"file": value.file, "line": value.line}
    if isinstance(value, Files):
        return {_FILES: [value.kind, value.origin, value.sha256, _encoded(value.parts)]}
    if isinstance(value, Mapping):
        return {name: _encoded(one) for name, one in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_encoded(one) for one in cast(list[Any], value)]
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


def _decoded(value: Any) -> Any:
    if value == _UNKNOWN:
        return Unknown()
    if isinstance(value, dict):
        encoded = cast(dict[str, Any], value)
        if _FILES in encoded:
            kind, origin, sha256, parts = encoded[_FILES]
            return Files(kind, origin, sha256, _decoded(parts))
        return {name: _decoded(one) for name, one in encoded.items()}
    return [_decoded(one) for one in cast(list[Any], value)] if isinstance(value, list) else value
