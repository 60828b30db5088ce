"""The OpenAI organization of a cell: its id and the base URL of its API."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from myflux_keys.names import ORGANIZATION_ID
from tenancy.fields import Model, Text, refused

OPENAI_BASE_URL: Final = "https://api.openai.com/v1"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def checked_organization(text: str) -> str:
    if not ORGANIZATION_ID.fullmatch(text):
        refused(
            "bad-organization-id",
            "An OpenAI organization id starts with org-.",
            "copy it from the organization's settings.",
        )
    return text


def _base_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        refused("bad-url", "This is not a URL.", f"write {OPENAI_BASE_URL}.")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        refused(
            "url-not-https",
            "base_url must start with https://: the admin key and every tenant's key are sent to it.",
            "write an https:// address.",
        )
    if not host or parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        refused(
            "bad-url",
            "base_url must be a host and a path, without credentials, query or fragment.",
            f"write {OPENAI_BASE_URL}.",
        )
    if not text.isascii() or not text.isprintable() or " " in text or not parts.path.endswith("/v1"):
        refused("bad-url", "base_url must end in /v1 and hold no spaces.", f"write {OPENAI_BASE_URL}.")
    return text


class OpenAI(Model):
    """The OpenAI organization whose admin key the cell's secret holds."""

    organization_id: Annotated[
        Text,
        AfterValidator(checked_organization),
        Field(description="The id in the organization's settings; not secret.", examples=["org-example"]),
    ]
    base_url: Annotated[
        Text | None,
        AfterValidator(lambda text: None if text is None else _base_url(text)),
        Field(
            description=f"Base URL of OpenAI's API. Default: {OPENAI_BASE_URL}. Must be https, unless on loopback. Not "
            "allowed in a local cell, whose address changes with every start.",
            json_schema_extra={"format": "uri"},
        ),
    ] = None
