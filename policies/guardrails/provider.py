"""The AWS provider's own properties.

Owns reading them. Leaves out the rules about them (`account`, `credentials`, `encrypted_calls`).
"""

from __future__ import annotations

import json
from typing import Any, Final

from .model import Resource

AWS_PROVIDER: Final = "pulumi:providers:aws"


def setting(provider: Resource, name: str) -> Any:
    """A property of a provider. The engine shows those that are no text as JSON text."""
    value = provider.get(name)
    if not isinstance(value, str) or (value[:1] not in ("[", "{") and value not in ("true", "false")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
