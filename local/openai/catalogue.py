"""The models that the emulator offers: their prices and the organization's rate limits for them.

Limits are round numbers, about those of usage tier 3, and the same for every model.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

REQUESTS_PER_MINUTE: Final = 5_000
TOKENS_PER_MINUTE: Final = 4_000_000


@dataclass(frozen=True)
class Model:
    """Prices in US dollars per million tokens; `created` in seconds since the epoch; `shutdown` as YYYY-MM-DD. `flex`:
    whether the model is offered at half the price, slower; `batch`: whether the Batch API takes it."""

    id: str
    created: int
    input_price: Decimal
    output_price: Decimal
    cached_price: Decimal
    flex: bool
    batch: bool
    shutdown: str | None
    requests_per_minute: int = REQUESTS_PER_MINUTE
    tokens_per_minute: int = TOKENS_PER_MINUTE

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0, *, half: bool = False) -> Decimal:
        """The exact cost in US dollars. Cached tokens are among the input's. `half`: by flex or batch."""
        whole = self.input_price * (input_tokens - cached_tokens) + self.cached_price * cached_tokens
        return (whole + self.output_price * output_tokens) / (2_000_000 if half else 1_000_000)

    def shut_down(self, now: float) -> bool:
        return self.shutdown is not None and datetime.fromtimestamp(now, UTC).date() >= date.fromisoformat(
            self.shutdown
        )

    @property
    def caches_in_batch(self) -> bool:
        """OpenAI's page has a batch price of cached tokens for the models that it also offers with flex."""
        return self.flex

    @property
    def chats(self) -> bool:
        return not self.id.startswith("text-embedding-")

    @property
    def reasons(self) -> bool:
        """Whether the model is of a family that refuses `max_tokens` and any temperature other than 1."""
        return self.id.startswith(("gpt-5", "gpt-6", "o3"))


def _read() -> dict[str, Model]:
    table = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
    models: dict[str, Model] = {}
    for name, row in table["models"].items():
        released = datetime.fromisoformat(row["released"] or table["date"]).replace(tzinfo=UTC)
        prices = Decimal(row["input_usd"]), Decimal(row["output_usd"]), Decimal(row["cached_usd"])
        models[name] = Model(name, int(released.timestamp()), *prices, row["flex"], row["batch"], row["shutdown"])
    return models


MODELS: Final = _read()


BYTES_A_TOKEN: Final = 4


def count_tokens(text: str) -> int:
    """About four bytes of UTF-8 per token: OpenAI's rule of thumb. Its tokenizer's files are not available offline."""
    return math.ceil(len(text.encode()) / BYTES_A_TOKEN)
