"""Printing: results on stdout, as a sentence or as JSON; steps and errors on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

from myflux_keys.redaction import redact


def result(data: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    print(json.dumps(data, indent=2) if as_json else sentence)


def numbered(steps: Sequence[str]) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


def step(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def fail(sentence: str, code: int = 1) -> NoReturn:
    print(f"myflux-keys: {redact(sentence)}", file=sys.stderr)
    sys.exit(code)


class Redacted:
    """A text stream that redacts whatever looks like a key: usage errors and tracebacks repeat what was typed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redact(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
