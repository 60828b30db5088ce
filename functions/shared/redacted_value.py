"""How OpenAI shows a key after it was made: by its beginning and its end."""

from __future__ import annotations

import re
from typing import Final

from myflux_keys.payload import SecretText

_SHOWN: Final = re.compile(r"(?P<begin>[^*.…]{3,})(?:\*+|\.{2,}|…)(?P<end>[^*.…]{3,})")
"""``sk-admin...xyz`` in OpenAI's reference, ``sk-admin-****wxyz`` on its site."""


def shows(redacted_value: str, value: SecretText) -> bool:
    """Whether `value` has the beginning and end in OpenAI's `redacted_value`."""
    shown = _SHOWN.fullmatch(redacted_value)
    text = value.reveal()
    return shown is not None and text.startswith(shown["begin"]) and text.endswith(shown["end"])
