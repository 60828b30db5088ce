"""The differences between a resource's state and its new inputs, and whether they need an update or a replacement.

Pure functions. As in the official plugin, the new inputs are compared with the *state*, so that the next update reverts
a change made by hand. Leaves out the wire format (`servicer`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from local.provider.check import DEFAULTS
from local.provider.model import MapOf, ObjectOf, Property, Resource, absent
from local.provider.values import UNKNOWN, holds_unknown

Kind = Literal["add", "delete", "update"]


@dataclass(frozen=True)
class Difference:
    path: str
    """A property path such as ``tags.owner``; keys that are not identifiers are quoted: ``tags["a:b"]``."""
    kind: Kind
    replaces: bool = False

    @property
    def top(self) -> str:
        return self.path.split(".", 1)[0].split("[", 1)[0]


@dataclass(frozen=True)
class Differences:
    found: Sequence[Difference]
    delete_before_replace: bool = False

    @property
    def changed(self) -> frozenset[str]:
        return frozenset(difference.top for difference in self.found)

    @property
    def replaces(self) -> frozenset[str]:
        return frozenset(difference.top for difference in self.found if difference.replaces)


def diff(
    resource: Resource, state: Mapping[str, Any], news: Mapping[str, Any], region: str, ignored: Sequence[str] = ()
) -> Differences:
    """`state` are the old outputs, `news` the checked inputs. `region` is the provider's. Skips the `ignored` paths."""
    found: list[Difference] = []
    for name, prop in resource.properties().items():
        old, new = state.get(name), news.get(name)
        if name == "region" and new is None and old is not None and old != region:
            new = region
        for path, kind in compare(prop, old, new, name):
            if path not in ignored and name not in ignored:
                found.append(Difference(path, kind, prop.replaces))
    if resource.replaces_when is not None:
        forced = resource.replaces_when(dict(news), Differences(found).changed)
        found = [Difference(d.path, d.kind, d.replaces or d.top in forced) for d in found]
    result = Differences(found)
    return Differences(found, bool(result.replaces) and _must_delete_first(resource, news, result))


def _must_delete_first(resource: Resource, news: Mapping[str, Any], result: Differences) -> bool:
    """True if the type needs it or the name is fixed and unchanged, since two resources cannot have the same name."""
    auto = resource.autoname
    fixed = auto is not None and auto.property not in news.get(DEFAULTS, []) and auto.property not in result.changed
    return resource.delete_before_replace or fixed


def compare(prop: Property, old: Any, new: Any, path: str) -> list[tuple[str, Kind]]:
    if new is None or (absent(new) and old is None):
        return [] if prop.computed or absent(old) else [(path, "delete")]
    if new is UNKNOWN:
        return [(path, "add" if old is None else "update")]
    if old is None or (absent(old) and isinstance(prop.type, MapOf | ObjectOf)):
        return [] if absent(new) else [(path, "add")]
    if isinstance(prop.type, ObjectOf) and isinstance(old, dict):
        fields = prop.type.fields.items()
        return [each for name, sub in fields for each in compare(sub, old.get(name), new.get(name), f"{path}.{name}")]
    if isinstance(prop.type, MapOf) and isinstance(old, dict):
        return _compare_maps(prop.type, old, new, path)
    if holds_unknown(new) or not prop.equal(old, new):
        return [(path, "update")]
    return []


def _compare_maps(kind: MapOf, old: dict[str, Any], new: dict[str, Any], path: str) -> list[tuple[str, Kind]]:
    item = Property(kind.item)
    found: list[tuple[str, Kind]] = []
    for key in sorted(old.keys() | new.keys()):
        inner = f"{path}.{key}" if key.isidentifier() else f'{path}["{key}"]'
        if key not in new:
            found.append((inner, "delete"))
        elif key not in old:
            found.append((inner, "add"))
        elif new[key] is UNKNOWN or not item.equal(old[key], new[key]):
            found.append((inner, "update"))
    return found
