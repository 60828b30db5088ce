"""The page as one HTML text, and the headers of every answer.

The page holds nothing of a tenant: its script asks for that, so that neither a saved page nor its source tells
anything. Style and headers are the connect page's, with what only this page needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from functions.connect import answer, render

_FOLDER: Final = Path(__file__).parent
_STYLE: Final = f"{render.STYLE}\n{render.lean(_FOLDER / 'page.css')}"
_SCRIPT: Final = render.lean(_FOLDER / "page.js")

HTML: Final = Template((_FOLDER / "page.html").read_text(encoding="utf-8")).substitute(style=_STYLE, script=_SCRIPT)

_NOT_OF_LOOPBACK: Final = "Strict-Transport-Security"
"""There is no HTTPS on this address, and browsers would ignore it."""

HEADERS: Final[Mapping[str, str]] = {
    **{name: value for name, value in answer.HEADERS.items() if name != _NOT_OF_LOOPBACK},
    "Content-Security-Policy": answer.policy(render.hash_of(_SCRIPT), render.hash_of(_STYLE)),
    "Permissions-Policy": "camera=(), clipboard-read=(self), clipboard-write=(self), display-capture=(), "
    "geolocation=(), microphone=(), usb=()",
}
