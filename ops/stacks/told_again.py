"""Makes the next `up` of a stack call the provisioner again, though its input is the same.

The engine calls it when the input differs from the one in the state, so what somebody changed at OpenAI by hand is not
seen. Here the state's copy gets a space at its end: the same JSON, and another text. The `up` writes the program's text
back, so a preview before and after it has nothing to show. One that is stopped in between leaves the call to the next.

Not by `triggers`: a change of these replaces the resource, and its deletion would archive the project.
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/invocation.go
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, Final

from ops.stacks.engine import Engine

_INVOCATION: Final = "aws:lambda/invocation:Invocation"


def tell_again(engine: Engine, stack: str) -> None:
    """Without an invocation, as before the first `up`, nothing is done."""
    before = engine.export(stack)
    while (told := with_other_text(json.loads(before))) is not None:
        # Replacing takes the lock, reading does not: another worker may have written the state in between.
        now = engine.export(stack)
        if now == before:
            engine.replace_state(stack, told)
            return
        before = now


def with_other_text(deployment: Mapping[str, Any]) -> dict[str, Any] | None:
    """`deployment`, as `Engine.export` gives it, whose invocations differ from what any program says; None where it has
    none. Pure."""
    changed = copy.deepcopy(dict(deployment))
    resources: list[dict[str, Any]] = changed.get("resources") or []
    found = [one for one in resources if one["type"] == _INVOCATION]
    for resource in found:
        for side in ("inputs", "outputs"):
            # Once is enough, also where an earlier one was stopped.
            resource[side]["input"] = str(resource[side]["input"]).rstrip() + " "
    return changed if found else None
