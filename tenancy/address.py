"""The base URL of a cell's OpenAI API."""

from __future__ import annotations

from tenancy.cell import Cell

LOCAL_OPENAI_URL = "MYFLUX_LOCAL_OPENAI_URL"
"""Environment variable: the URL of the local cell's OpenAI, whose port changes with every start."""


class AddressError(Exception):
    """The address of the local cell's OpenAI is not known. The message says how to get it."""


def openai_base_url(cell: Cell, local_url: str | None) -> str:
    """The cell file's address; `local_url`, as the environment says it, for the local cell. Raises AddressError."""
    if not cell.local:
        return str(cell.openai.base_url)
    if not local_url:
        raise AddressError(
            f"cell {cell.cell} is local, and {LOCAL_OPENAI_URL}, which holds the address of its OpenAI, is not set. "
            'Start it with `./myflux-keys local up`, then `eval "$(./myflux-keys local env)"`.'
        )
    return local_url
