"""What a stack registers, as far as the proof looks at it, and a tenant's texts with a placeholder for its slug."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from ops.isolation.terms import OWNER


class Resource(Protocol):
    """The parts of a registered or deployed resource that are used here; `inputs` has the provider's property names."""

    @property
    def type(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...
    @property
    def outputs(self) -> Mapping[str, Any]: ...


def general(text: str, slug: str) -> str:
    """`text` with OWNER where the slug stands by itself. Putting the slug back gives the very text: nothing is lost."""
    return re.sub(rf"(?<![a-z0-9-]){re.escape(slug)}(?![a-z0-9-])", OWNER, text)
