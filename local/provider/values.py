"""Converts property values between the engine's wire format and plain Python.

Owns unknowns, secrets and archives, converted here because the SDK's own provider library loses an archive's hash.
Leaves out what a property means. Plain values are None, bool, int, float, str, list, dict, `UNKNOWN` and `Archive`.
Signatures are those of the engine's RPC protocol (`sdk/go/common/resource/plugin/rpc.go`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's public marker, not a secret
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        _UNKNOWN_STRING,
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class _Unknown:
    """A value that is known only after another resource is created."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in state. Used only in requests and responses: operations get plain values."""

    value: Any

    def __repr__(self) -> str:
        return "Secret([redacted])"


@dataclass(frozen=True)
class Archive:
    """An archive as the engine sent it. `hash` identifies its content; `path` is set only if its source is a file."""

    hash: str
    path: str


@dataclass(frozen=True)
class Asset:
    """A single file or text. No implemented input takes one; the class exists so that the error can name it."""

    hash: str


def _read(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        case "list_value":
            return [_read(item) for item in value.list_value.values]
        case "struct_value":
            return _read_struct(value.struct_value)
        case _:
            return None


def _read_struct(struct: Struct) -> Any:
    fields = struct.fields
    match fields[_SIGNATURE].string_value if _SIGNATURE in fields else None:
        case None:
            return {name: _read(item) for name, item in fields.items()}
        case signature if signature == _SECRET:
            return Secret(_read(fields["value"]))
        case signature if signature == _ARCHIVE:
            return Archive(fields["hash"].string_value, fields["path"].string_value if "path" in fields else "")
        case signature if signature == _ASSET:
            return Asset(fields["hash"].string_value)
        case signature if signature == _OUTPUT:
            inner = _read(fields["value"]) if "value" in fields else UNKNOWN
            return Secret(inner) if "secret" in fields and fields["secret"].bool_value else inner
        case signature if signature == _RESOURCE:
            return _read(fields["id"]) if "id" in fields else fields["urn"].string_value
        case signature:
            raise ValueError(f"a value of the unknown kind {signature} came from the engine")


def from_wire(struct: Struct) -> dict[str, Any]:
    """The properties of `struct` without those that are null: for AWS, null and absent are the same."""
    return {name: value for name, item in struct.fields.items() if (value := _read(item)) is not None}


def _write(value: Any) -> Any:
    if value is UNKNOWN:
        return _UNKNOWN_STRING
    if isinstance(value, Secret):
        return {_SIGNATURE: _SECRET, "value": _write(value.value)}
    if isinstance(value, Archive):
        # The state has no path: the engine then sends `assets: {}`, and refuses later steps unless the response has it.
        where = {"path": value.path} if value.path else {"assets": {}}
        return {_SIGNATURE: _ARCHIVE, "hash": value.hash, **where}
    if isinstance(value, Mapping):
        return {str(name): _write(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_write(item) for item in value]
    return value


def to_wire(properties: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update({name: _write(value) for name, value in properties.items() if value is not None})
    return struct


def reveal(value: Any) -> Any:
    """`value` without secret marks, at any depth."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {name: reveal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def conceal(value: Any, *sources: Any) -> Any:
    """`value` with the secret marks of each of `sources`, which have the same shape. A list is marked as a whole."""
    if any(isinstance(source, Secret) for source in sources):
        return Secret(reveal(value))
    if isinstance(value, dict):
        maps = [source for source in sources if isinstance(source, dict)]
        return {name: conceal(item, *(m[name] for m in maps if name in m)) for name, item in value.items()}
    if isinstance(value, list) and any(holds_secret(source) for source in sources):
        return Secret(value)
    return value


def holds_secret(value: Any) -> bool:
    if isinstance(value, Secret):
        return True
    if isinstance(value, dict):
        return any(holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(holds_secret(item) for item in value)


def holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_unknown(item) for item in value)
    return value is UNKNOWN
