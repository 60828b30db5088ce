"""Before an operation that no worker runs: frees and repairs the stack that an earlier, killed engine has left.

For the commands that start an engine themselves, such as `move` and `offboard`. A worker also has its own note of the
killed one (`work`), and repairs the state by the same `mend`.
"""

from __future__ import annotations

import json
import os

from ops import state_place
from ops.errors import OperationError
from ops.stacks import lock_process, pending, state_file
from ops.stacks.engine import Engine
from ops.stacks.pending import Mended


def settled(engine: Engine, stack: str) -> bool:
    """Whether an engine had been cut off: then the state is repaired, and the operation must refresh first.

    Raises OperationError where a person must repair it."""
    url = engine.place(stack).url or os.environ.get(state_place.BACKEND, "")
    if not url:
        return False
    lock_process.free(url, stack)
    if not state_file.opened(url, stack).cut_off:
        return False
    mended = mend(engine, stack)
    if mended.unknown:
        raise OperationError(pending.not_found(stack, mended.unknown))
    return True


def mend(engine: Engine, stack: str) -> Mended:
    """Resolves what a killed engine left pending. Where `unknown` is not empty, nothing was changed."""
    before = engine.export(stack)
    mended = pending.mend(json.loads(before), pending.in_aws)
    if mended.deployment is None or mended.unknown:
        return mended
    # Replacing takes the lock, reading does not: another worker may have repaired the state in between.
    if engine.export(stack) != before:
        return Mended(None)
    engine.replace_state(stack, mended.deployment)
    return mended
