"""Before an operation that no worker runs: frees and repairs the stack that an earlier, killed engine has left.

For the commands that start an engine themselves, such as `move` and `offboard`. A worker does the same with its own
note of the killed one (`work`).
"""

from __future__ import annotations

import json
import os

from ops import state_place
from ops.errors import OperationError
from ops.stacks import backend, lock_process, pending, state_file
from ops.stacks.engine import Engine


def settled(engine: Engine, stack: str) -> bool:
    """Whether an engine had been cut off: then the state is repaired, and the operation must refresh first.

    Raises OperationError where a person must repair it."""
    url = engine.place(stack).url or os.environ.get(state_place.BACKEND, "")
    if not url:
        return False
    for lock in backend.locks(url, stack):
        if lock_process.has_ended(lock, url):
            backend.unlock(url, lock)
    if not state_file.opened(url, stack).cut_off:
        return False
    mended = pending.mend(json.loads(engine.export(stack)), pending.in_aws)
    if mended.unknown:
        raise OperationError(pending.not_found(stack, mended.unknown))
    if mended.deployment is not None:
        engine.replace_state(stack, mended.deployment)
    return True
