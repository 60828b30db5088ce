"""What the page says of a model's price: of a table that `docs/offer.py` writes, which knows how old each price is.

A model that it does not have has no price here, and never another model's. A dated snapshot costs what its family does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

_TABLE: Final[dict[str, dict[str, str]]] = json.loads(
    (Path(__file__).parent / "page" / "prices.json").read_text(encoding="utf-8")
)["models"]
_SNAPSHOT: Final = re.compile(r"-[0-9]{4}-[0-9]{2}-[0-9]{2}")


def price(model: str) -> dict[str, Any] | None:
    """`input_usd` and `output_usd` for a million tokens, and `as_of`, a day."""
    return _TABLE.get(model) or _TABLE.get(_SNAPSHOT.sub("", model))
