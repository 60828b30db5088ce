"""The file: the facts as JSON, the style and the script, under a policy that allows nothing else.

Names of customers are hostile text. They stand in JSON, where no character is left that HTML gives a meaning to, and
the script puts them on the page as text. The policy names the script and the style by hash, so nothing else can run,
and the page can ask no server.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import Final

from ops.actions.fleet_view import FleetView
from ops.page.facts import facts

SCRIPTS: Final = ("draw.js", "chart.js", "timeline.js", "tenant.js", "fleet.js")
"""In this order they are one module."""

_HERE: Final = Path(__file__).parent
# What HTML, or a script inside it, could take for its own. As JSON, these escapes are the same text.
_ESCAPES: Final = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def page(fleet: FleetView) -> bytes:
    """The file's bytes, UTF-8."""
    shown = facts(fleet)
    style = (_HERE / "look.css").read_text(encoding="utf-8")
    script = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>MyFlux Keys: {escape(shown["headline"])}</title>
<style>{style}</style>
</head>
<body>
<noscript>
<p>This page needs JavaScript. It asks no server for anything. In a terminal: <code>myflux-keys status</code></p>
</noscript>
<script type="application/json" id="facts">{_json(shown)}</script>
<script type="module">{script}</script>
</body>
</html>
""".encode("utf-8", "replace")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
