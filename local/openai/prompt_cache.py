"""Which part of a prompt OpenAI has read shortly before, and so bills at the price of cached tokens.

Owns the rule: prompts of 1,024 tokens or more, the longest common beginning in steps of 128 tokens, kept for ten
minutes after its last use. https://developers.openai.com/api/docs/guides/prompt-caching
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from local.openai.catalogue import BYTES_A_TOKEN

SHORTEST: Final = 1024
STEP: Final = 128
KEPT_SECONDS: Final = 600


class PromptCache:
    def __init__(self) -> None:
        self._used: dict[tuple[str, str, str], float] = {}

    def read(self, project: str, model: str, messages: Sequence[str], now: float) -> int:
        """How many of the first tokens were cached; the whole prompt is from now on."""
        cached = 0
        for tokens, digest in _beginnings("\0".join(messages).encode()):
            place = (project, model, digest)
            if self._used.get(place, float("-inf")) >= now - KEPT_SECONDS:
                cached = tokens
            self._used[place] = now
        return cached


def _beginnings(prompt: bytes) -> Iterator[tuple[int, str]]:
    """The prompt's cacheable beginnings by length in tokens, shortest first."""
    whole, running = len(prompt) // BYTES_A_TOKEN, hashlib.sha256()
    read = 0
    for tokens in range(SHORTEST, whole + 1, STEP):
        running.update(prompt[read : tokens * BYTES_A_TOKEN])
        read = tokens * BYTES_A_TOKEN
        yield tokens, running.hexdigest()
