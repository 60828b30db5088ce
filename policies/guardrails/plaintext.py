"""No key's value is in a resource's properties, where Pulumi, a log or a console shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, cast

from . import ownership
from .config import Config
from .key_shapes import holds_key, shown, texts
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_VALUES: Final = ("secretString", "secretBinary", "secretStringWo", "secretStringWoVersion", "generateSecretString")
_OF_A_SECRET: Final = ("secretId", "secretArn", "secretName", "name")

_WHERE_TEXT_GOES: Final = {
    ownership.FUNCTION: (("environment",), ("environment", "variables"), ("description",)),
    ownership.INVOCATION: (("input",),),
    ownership.A_SECRET: (("description",),),
}
"""Properties of our resources whose text is chosen by a person or a program. Other unknown values are ids or ARNs from
AWS, which are checked once they are known."""

_holds_key: Final = lru_cache(maxsize=8192)(holds_key)
"""Most texts are the same in every stack."""


def _no_version(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        holding = [name for name in _VALUES if resource.get(name) is not None]
        if resource.type != ownership.VERSION and not holding:
            continue
        path = holding[0] if holding else ""
        about = [name for name in _OF_A_SECRET if resource.get(name) is not None]
        names = {
            found.text("name") if isinstance(found, Resource) else found
            for name in about
            if (found := ownership.secret_behind(stack, resource, name)) is not None
        }
        if ownership.is_ours(resource) or any(ownership.named_like_ours(name) for name in names):
            yield violation(resource, path, "Pulumi would write a version of our secret")
        elif resource.type == ownership.VERSION and not names:
            yield unknown(resource, about[0] if about else "secretId")


def _shaped_like_a_key(resource: Resource, values: Mapping[str, Any]) -> Iterator[Finding]:
    reported: set[str] = set()
    for path, text in texts(values):
        if path not in reported and _holds_key(text):
            reported.add(path)
            yield violation(resource, path, "the text holds something shaped like an API key or an AWS access key")


def _no_key_in_outputs(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        yield from _shaped_like_a_key(resource, resource.outputs)


def _no_key_shape(stack: Stack, _: Config) -> Iterator[Finding]:
    for resource in stack:
        yield from _shaped_like_a_key(resource, resource.properties)
        for path in _WHERE_TEXT_GOES.get(resource.type, ()):
            value = resource.get(*path)
            if not ownership.is_ours(resource) and resource.type != ownership.INVOCATION:
                continue
            if value is UNKNOWN:
                yield unknown(resource, ".".join(path))
                break
            if isinstance(value, dict) and path[-1] == "variables":
                for name, inner in cast(dict[str, Any], value).items():
                    if inner is UNKNOWN:
                        yield unknown(resource, f"environment.variables.{shown(name)}")


PLAINTEXT_RULES: Final = (
    Rule(
        name="no-secret-version",
        severity="critical",
        level="mandatory",
        description="Pulumi writes no version of a tenant's secret or of an admin secret.",
        rationale="Whoever reads the stack's state, its history or a backup has the key.",
        fix="Remove the version: the rotation function writes managed keys, `myflux-keys` stores the others.",
        source="https://www.pulumi.com/docs/iac/concepts/secrets/",
        check=_no_version,
    ),
    Rule(
        name="no-key-in-properties",
        severity="critical",
        level="mandatory",
        description="No property of any resource holds anything shaped like a key, in plain or encoded text.",
        rationale="Environments, tags, descriptions, parameters and user data are visible to anyone with read-only "
        "access, and are kept in Pulumi's state. Nobody sees who reads the key there.",
        fix="Revoke the key, since it has leaked. Let the program read it from its secret at run time.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
        check=_no_key_shape,
        scope="resource",
    ),
    Rule(
        name="no-key-in-outputs",
        severity="critical",
        level="mandatory",
        description="No export of a stack, output of a component or answer of AWS, such as a function's result, holds "
        "anything shaped like a key. What is not known before deployment is checked at the end of the update.",
        rationale="Outputs are kept in Pulumi's state and its history, are shown in terminals and CI logs, and other "
        "stacks read them. A mark as secret encrypts them for whoever may read the state.",
        fix="Revoke the key, since it has leaked. Let the function answer with ids, and read the key from its "
        "secret at run time.",
        source="https://www.pulumi.com/docs/iac/concepts/secrets/",
        check=_no_key_in_outputs,
    ),
)
