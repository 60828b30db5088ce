"""The base URL of a cell's OpenAI API."""

from __future__ import annotations

import os

from tenancy.cell import Cell

LOCAL_OPENAI_URL = "MYFLUX_LOCAL_OPENAI_URL"


class AddressError(Exception):
    """The address of the local cell's OpenAI is not known. The message says how to get it."""


def openai_base_url(cell: Cell) -> str:
    """The cell file's address; the local cell's from the environment, since its port is chosen when it starts."""
    if not cell.local:
        return str(cell.openai.base_url)
    url = os.environ.get(LOCAL_OPENAI_URL)
    if not url:
        raise AddressError(
            f"cell {cell.cell} is local, and {LOCAL_OPENAI_URL}, which holds the address of its OpenAI, is not set. "
            'Start it with `./myflux-keys local up`, then `eval "$(./myflux-keys local env)"`.'
        )
    return url
