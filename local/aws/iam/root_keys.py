"""Removes MiniStack's access keys that skip every check: ``test``, any 12 digits, its environment's key, and no key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.aws.iam.patching import replace

_EVALUATOR = "ministack.core.iam_evaluator"


def install() -> None:
    replace(_EVALUATOR, "is_root_access_key", "access_key_id", _never)
    replace(_EVALUATOR, "_is_root_key", "access_key_id", _never)


def _never(_original: Callable[..., Any]) -> Callable[..., Any]:
    def is_root(access_key_id: str) -> bool:
        del access_key_id
        return False

    return is_root
