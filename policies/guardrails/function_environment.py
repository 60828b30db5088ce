"""The functions' environment variables.

Owns the list of the variables that the program sets, and the values that each may have. A variable that is not in the
list is refused: many change what a function runs, or where it sends keys, such as PYTHONPATH or AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, cast
from urllib.parse import urlsplit

from . import ownership
from .config import Config
from .key_shapes import shown
from .model import UNKNOWN, Finding, Resource, Rule, Stack, unknown, violation

_ORGANIZATION: Final = re.compile(r"org-[A-Za-z0-9-]{1,64}", re.ASCII)
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def _is_cell(value: str, cell: str, _: Config) -> bool:
    return value == cell


def _is_admin_secret(value: str, cell: str, _: Config) -> bool:
    return value == f"myflux-admin/{cell}/openai"


def _is_organization(value: str, _: str, __: Config) -> bool:
    return _ORGANIZATION.fullmatch(value) is not None


def is_openais(url: str, _: str, config: Config) -> bool:
    """Whether it is an address of OpenAI's, or of this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username or parts.password:
        return False
    if host in LOOPBACK:
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and host in config.openai_hosts


def _is_health_bucket(value: str, cell: str, _: Config) -> bool:
    return re.fullmatch(rf"myflux-health-{re.escape(cell)}-[0-9]{{12}}", value, re.ASCII) is not None


def _is_connect_bucket(value: str, cell: str, _: Config) -> bool:
    return re.fullmatch(rf"myflux-connect-{re.escape(cell)}-[0-9]{{12}}", value, re.ASCII) is not None


def _is_alias_of(what: str) -> Callable[[str, str, Config], bool]:
    return lambda value, cell, _: value == f"alias/myflux-{what}/{cell}"


def _is_alarm_topic(value: str, cell: str, _: Config) -> bool:
    topic = rf"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{{12}}:myflux-{re.escape(cell)}-alarms"
    return re.fullmatch(topic, value, re.ASCII) is not None


def _is_language(value: str, _: str, __: Config) -> bool:
    return value in ("en", "es")


VARIABLES: Final[dict[str, tuple[Callable[[str, str, Config], bool], str]]] = {
    "MYFLUX_CELL": (_is_cell, "the function would work for another cell than its own"),
    "MYFLUX_ADMIN_SECRET": (_is_admin_secret, "it is not the admin secret of the function's own cell"),
    "MYFLUX_ORGANIZATION_ID": (_is_organization, "it is not the id of an OpenAI organization"),
    "MYFLUX_HEALTH_BUCKET": (_is_health_bucket, "it is not the bucket of the function's own cell"),
    "MYFLUX_ALARM_TOPIC": (_is_alarm_topic, "messages would be sent to another topic than the cell's alarms'"),
    "MYFLUX_INTAKE_BUCKET": (_is_connect_bucket, "keys would be handed in at another bucket than the cell's"),
    "MYFLUX_INTAKE_KEY": (_is_alias_of("intake"), "keys would be encrypted by another key than the cell's intake has"),
    "MYFLUX_LINK_KEY": (_is_alias_of("link"), "links would be verified by another key than the cell's"),
    "MYFLUX_LANGUAGE": (_is_language, "the health function has no texts in this language"),
    "OPENAI_BASE_URL": (is_openais, "keys would be sent to a host that is not OpenAI's, or without https"),
}
"""Every variable that functions/shared/environment.py and the functions' own settings read: whether a value is right,
given the function's cell and the configuration, and what is wrong with any other value."""


def _environment(stack: Stack, config: Config) -> Iterator[Finding]:
    for function in ownership.functions(stack):
        variables = function.get("environment", "variables")
        if variables is UNKNOWN:
            yield unknown(function, "environment.variables")
        elif isinstance(variables, dict):
            for name, value in cast(dict[str, Any], variables).items():
                yield from _variable(function, name, value, config)


def _variable(function: Resource, name: str, value: Any, config: Config) -> Iterator[Finding]:
    path = f"environment.variables.{shown(name)}"
    if name not in VARIABLES:
        yield violation(function, path, "the program sets no such variable")
        return
    is_right, wrong = VARIABLES[name]
    role = ownership.role_of(function.text("name"))
    if value is UNKNOWN or function.get("name") is UNKNOWN:
        yield unknown(function, path)
    elif not is_right(str(value), role.cell if role else function.text("tags", "cell"), config):
        yield violation(function, path, wrong)


ENVIRONMENT_RULES: Final = (
    Rule(
        name="functions-environment-is-plain",
        severity="critical",
        level="mandatory",
        description="A function's environment has only the variables that the program sets: its own cell, that cell's "
        "admin secret, bucket and topic, a language, an OpenAI organization, and an OPENAI_BASE_URL of OpenAI's.",
        rationale="Variables such as AWS_LAMBDA_EXEC_WRAPPER and PYTHONPATH run other code, and AWS_ENDPOINT_URL sends "
        "secrets elsewhere. The functions send the admin key to OPENAI_BASE_URL. Whoever may describe a function sees "
        "its environment.",
        fix="Remove the variable. Add other hosts to the pack's `openaiHosts`; a new variable belongs in "
        "policies/guardrails/function_environment.py, where a reviewer sees it.",
        source="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
        check=_environment,
        scope="resource",
        settings=("openai_hosts",),
    ),
)
