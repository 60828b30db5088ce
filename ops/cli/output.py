"""Printing: results on stdout, as a sentence or as JSON; steps and errors on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from myflux_keys.redaction import redact


def result(data: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    print(redact(json.dumps(data, indent=2)) if as_json else plain(sentence))


def plain(text: str) -> str:
    """Names that others gave, such as a project's at OpenAI, cannot steer the terminal, turn a line around, or show a
    key."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in redact(text))


def numbered(steps: Sequence[str]) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))


def step(sentence: str) -> None:
    print(plain(sentence), file=sys.stderr, flush=True)


def error(sentence: str) -> None:
    print(f"myflux-keys: {plain(sentence)}", file=sys.stderr)


def fail(sentence: str, code: int = 1) -> NoReturn:
    error(sentence)
    sys.exit(code)
