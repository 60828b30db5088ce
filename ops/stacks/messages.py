"""The engine's error messages, each once and without what says nothing to a person.

Leaves out listening to the engine (`engine`) and what a failure means for a stack (`check_secrets`, `work`).
"""

from __future__ import annotations

from typing import Final

_AGAIN: Final = "an unhandled error occurred: "
"""The engine's words before the reason of a program, which told it already."""
_RAISED: Final = "python inline source runtime error: "
"""The SDK's words before an exception of a program that runs inside its caller."""
_ENGINE_STOPPED: Final = "resource monitor shut down"
"""The engine's answer to waiting calls after another resource's error, which was told, has ended the update."""


class Messages:
    def __init__(self) -> None:
        self._told: dict[str, None] = {}

    def hear(self, message: str) -> None:
        said = message.strip().removeprefix(_AGAIN)
        if said.startswith(_RAISED):
            reason = said.removeprefix(_RAISED)
            said = "" if reason.startswith(_ENGINE_STOPPED) else f"the program stopped with an exception: {reason}"
        if said:
            self._told[said] = None

    def __str__(self) -> str:
        return "\n".join(self._told)
