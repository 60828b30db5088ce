"""The functions' settings, from the four environment variables that the platform stack sets."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from myflux_keys.names import CELL_SLUG, ORGANIZATION_ID

CELL: Final = "MYFLUX_CELL"
ADMIN_SECRET: Final = "MYFLUX_ADMIN_SECRET"  # noqa: S105 - the name of a variable that holds a secret's name
BASE_URL: Final = "OPENAI_BASE_URL"
ORGANIZATION: Final = "MYFLUX_ORGANIZATION_ID"
HEALTH_BUCKET: Final = "MYFLUX_HEALTH_BUCKET"
"""Only of functions that read it."""


class SettingError(Exception):
    """A variable is missing or breaks its rule. The message names the variable."""


@dataclass(frozen=True)
class Environment:
    """`base_url` ends without a slash, e.g. ``https://api.openai.com/v1``; `admin_secret` is a secret's name."""

    cell: str
    admin_secret: str
    base_url: str
    organization_id: str


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Raises SettingError, before any call."""
    values = required(variables, CELL, ADMIN_SECRET, BASE_URL, ORGANIZATION)
    cell = checked_cell(values[CELL])
    if not ORGANIZATION_ID.fullmatch(values[ORGANIZATION]):
        raise SettingError(f"{ORGANIZATION}={values[ORGANIZATION]!r} is not an OpenAI organization's id (org-…)")
    return Environment(cell, values[ADMIN_SECRET], checked_base_url(values[BASE_URL]), values[ORGANIZATION])


def required(variables: Mapping[str, str], *names: str) -> dict[str, str]:
    """Their values without blanks around them. Raises SettingError for the first that is not set."""
    values = {name: variables.get(name, "").strip() for name in names}
    for name, value in values.items():
        if not value:
            raise SettingError(f"{name} is not set: the platform's stack sets it on the function")
    return values


def checked_cell(cell: str) -> str:
    if not CELL_SLUG.fullmatch(cell):
        raise SettingError(f"{CELL}={cell!r} is not a cell's slug ({CELL_SLUG.pattern})")
    return cell


def checked_base_url(url: str) -> str:
    """The URL, which must be https, since every request holds a key; http is allowed on loopback, for the local
    cell."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.query or parts.fragment or parts.username or parts.password:
        raise SettingError(f"{BASE_URL} must be a URL without query and credentials, such as https://api.openai.com/v1")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return url.rstrip("/")
    raise SettingError(f"{BASE_URL}={url!r} must begin with https:// : keys would be sent unencrypted to {host}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
