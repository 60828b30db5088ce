"""The component package as a provider: its schema, and errors as messages instead of stack traces.

Owns which values must be plain, and how an error reaches the user. Leaves out the protocol, which is the SDK's, and the
rules, which are tenancy's.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

from component_package.platform_component import Platform
from component_package.tenant_key_component import TenantKey
from tenancy import TenancyError
from tenancy.address import AddressError

NAME: Final = "myflux"
COMPONENTS: Final = [Platform, TenantKey]
ROOT: Final = Path(__file__).resolve().parent.parent

_NOT_PLAIN: Final = """{component}: {names} must be plain [not-plain]
    It decides what is created, so it must be known before; this is a secret, or another resource's output.
    Way out: write the value itself, or read it from the configuration as plain text."""
_ABSENT: Final = """{component}: {names} missing [missing-field]
    A tenant's key needs this output of its cell's platform.
    Way out: pass the platform's output of the same name."""


def version() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


class Package(ComponentProvider):
    def __init__(self) -> None:
        super().__init__(cast("list[type[pulumi.ComponentResource]]", COMPONENTS), NAME, version=version())

    def construct(
        self, name: str, resource_type: str, inputs: pulumi.Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, TenancyError | AddressError):
                # An empty list, since the engine prints the values of listed properties; without a list the SDK fails.
                raise InputPropertiesError(str(error.inner), []) from None
            raise

    def map_inputs(self, inputs: pulumi.Inputs, component_def: ComponentDefinition) -> pulumi.Inputs:
        """The inputs with Python's names. Unknown inputs stay, for tenancy to refuse them."""
        given = cast("Mapping[str, Any]", inputs)
        wanted = component_def.inputs
        if late := [
            name for name, value in given.items() if name in wanted and wanted[name].plain and not known(value)
        ]:
            raise InputPropertiesError(_NOT_PLAIN.format(component=component_def.name, names=", ".join(late)), [])
        absent = [name for name, each in wanted.items() if not (each.plain or each.optional or name in given)]
        if absent:
            raise InputPropertiesError(_ABSENT.format(component=component_def.name, names=", ".join(absent)), [])
        return self._fields(given, wanted, component_def.inputs_mapping)

    def _fields(
        self, values: Mapping[str, Any], known: Mapping[str, PropertyDefinition], names: Mapping[str, str]
    ) -> dict[str, Any]:
        return {names.get(name, name): self._value(value, known.get(name)) for name, value in values.items()}

    def _value(self, value: Any, described: PropertyDefinition | None) -> Any:
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            if described and described.ref and (shape := self.get_type_definition(described)):
                return self._fields(fields, shape.properties, shape.properties_mapping)
            inner = described.additional_properties if described else None
            return {name: self._value(each, inner) for name, each in fields.items()}
        if isinstance(value, list):
            return [self._value(each, described.items if described else None) for each in cast("list[Any]", value)]
        # The protocol sends every number as a float.
        return int(value) if isinstance(value, float) and value.is_integer() else value


def known(value: Any) -> bool:
    """Whether a value is known and not secret: no resource's output."""
    if isinstance(value, dict):
        return all(map(known, cast("dict[str, Any]", value).values()))
    if isinstance(value, list):
        return all(map(known, cast("list[Any]", value)))
    return value is None or isinstance(value, str | int | float)
