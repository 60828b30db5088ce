"""Which provider plugins a set of Python packages asks for."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_WITHOUT_PLUGIN: Final = frozenset({"pulumi-policy", "pulumi-esc-sdk"})
_PRE: Final = {"a": "alpha", "b": "beta", "rc": "rc"}
_VERSION: Final = re.compile(
    r"(?P<release>\d+(?:\.\d+)*)(?:(?P<pre>a|b|rc)(?P<number>\d+))?(?P<rest>\.(?:post|dev)\d+)*"
)


@dataclass(frozen=True)
class Parameterization:
    """What turns a general plugin into the one for this package; `value` is opaque."""

    name: str
    version: str
    value: bytes


@dataclass(frozen=True)
class Requirement:
    """A resource plugin: `version` has a leading v."""

    name: str
    version: str
    server: str
    parameterization: Parameterization | None


def required(packages: Iterable[Mapping[str, Any]]) -> list[Requirement]:
    """`packages` as `PythonEnvironment.packages` gives them."""
    return [found for package in packages if (found := _requirement(package))]


def plugin_version(version: str) -> str | None:
    """A PEP 440 version as semver: 1.2 is 1.2.0, 1.2.3a4 is 1.2.3-alpha.4; None where the two don't map."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return None
    segments = match["release"].split(".")
    release = ".".join(segments + ["0"] * (3 - len(segments)))
    pre = f"-{_PRE[match['pre']]}.{match['number']}" if match["pre"] else ""
    build = version[match.end("number") if match["pre"] else match.end("release") :].replace(".", "")
    return release + pre + (f"+{build}" if build else "")


def _requirement(package: Mapping[str, Any]) -> Requirement | None:
    name, plugin = package["name"], package["plugin"]
    if name in _WITHOUT_PLUGIN or (plugin is None and not name.startswith("pulumi-")):
        return None
    described: Mapping[str, Any] = {"resource": True} if plugin is None else plugin
    if not described.get("resource"):
        return None
    version = described.get("version") or plugin_version(package["version"])
    if version is None:
        # An alpha's package version lacks the build that its plugin's version carries: the engine finds one itself.
        return None
    extra = described.get("parameterization")
    return Requirement(
        name=described.get("name") or name.removeprefix("pulumi-"),
        version=version if version.startswith("v") else f"v{version}",
        server=described.get("server", ""),
        parameterization=Parameterization(extra["name"], extra["version"], base64.b64decode(extra["value"]))
        if extra
        else None,
    )
