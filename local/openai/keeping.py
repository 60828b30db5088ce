"""What the OpenAI side keeps across a stop: its organizations with their keys, what was used, and every key value made.

What a call of the Admin API or of `/_emulator` has changed is saved before its answer is sent; what a model call leaves
(usage, a key's last use) within a second. The list of calls is this process's own and is not kept.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import deque
from dataclasses import replace
from typing import Any, Final

from local.keeping import LOOK_SECONDS, Store
from local.openai.call import Emulator

_STATE: Final = "emulator"
_LEDGER: Final = "ledger"
_GROWING: Final = ("usage", "audit", "alerts_sent")
_OWN: Final = "own"
"""In place of the id of the cell's own organization, which a test may change."""
_PARTS: Final = ("faults", "admin_pace", "model_pace", "prompts")
_ADMIN: Final = "/v1/organization"


class Keeper:
    def __init__(self, emulator: Emulator, store: Store) -> None:
        self._emulator = emulator
        self._store = store
        self._waiting = False

    def restore(self) -> None:
        """Fills the emulator with what was kept. Call it before it serves."""
        emulator = self._emulator
        for key, found in self._store.read(_STATE):
            kind, _, name = key.partition(" ")
            if kind == "part":
                setattr(emulator, name, found)
                continue
            for growing in _GROWING:
                setattr(found, growing, self._list(f"{name} {growing}"))
            if name == _OWN:
                emulator.organization = found
            else:
                emulator.customers[name] = found
        emulator.ledger.entries.extend(self._list(_LEDGER))

    def _list(self, name: str) -> list[Any]:
        return [item for _, items in self._store.read(name) for item in items]

    def save(self) -> None:
        emulator = self._emulator
        records = {f"part {name}": getattr(emulator, name) for name in _PARTS}
        grown: dict[str, list[Any]] = {_LEDGER: emulator.ledger.entries}
        for name, one in {_OWN: emulator.organization, **emulator.customers}.items():
            grown |= {f"{name} {growing}": getattr(one, growing) for growing in _GROWING}
            records[f"organization {name}"] = replace(one, calls=deque(), **{growing: [] for growing in _GROWING})
        self._store.save({_STATE: {key: pickle.dumps(found) for key, found in records.items()}}, grown)

    def after(self, method: str, path: str) -> None:
        """Saves what a call may have changed, at once or soon."""
        if path.startswith(_ADMIN) and method != "GET":
            self.save()
        elif not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._late)

    def _late(self) -> None:
        self._waiting = False
        self.save()
