"""Whether customers of a cell hand in their own keys at a public page."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tenancy.fields import Flag, Model


class Connect(Model):
    """The connect page: docs/adr/0041-connect.md."""

    enabled: Annotated[
        Flag,
        Field(
            description="true: the platform has a public page where customers hand in their own keys, by links that "
            "`myflux-keys connect` makes. false closes it."
        ),
    ] = False
