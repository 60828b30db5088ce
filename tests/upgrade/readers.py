"""The runtime while the cell is upgraded: readers of both versions call the model in the background.

Owns the two processes (`calls.py`) and what their calls came to. A rotation has reached a reader when it calls with
another key than before.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.report import CheckFailed
from demo.scene import wait_until
from tests.upgrade.version import Version

_PROGRAM = Path(__file__).with_name("calls.py")


@dataclass
class Readers:
    """`roles` maps each tenant to the role that reads its key; `environment` is the runtime's."""

    cell: str
    roles: Mapping[str, str]
    environment: Mapping[str, str]
    home: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, "subprocess.Popen[bytes]"])

    def start(self, versions: Sequence[Version]) -> None:
        for version in versions:
            # Nothing but that version's reader may be found: not this folder, and not the caller's own path.
            environment = {**self.environment, "PYTHONPATH": str(version.folder), "PYTHONSAFEPATH": "1"}
            command = [version.python, _PROGRAM, self.cell, json.dumps(dict(self.roles)), self._file(version.name)]
            with (self.home / f"reader-{version.name}.log").open("ab") as log:
                self._running[version.name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(timeout=60)

    def _file(self, name: str) -> Path:
        return self.home / f"calls-{name}.jsonl"

    def calls(self, name: str) -> list[dict[str, Any]]:
        file = self._file(name)
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def keys(self) -> dict[tuple[str, str], str]:
        """The key of the last call that was answered, by reader and tenant."""
        return {(name, each["tenant"]): each["key"] for name in self._running for each in self.calls(name)}

    def check(self) -> int:
        """The number of calls so far. Raises CheckFailed if one failed, or a reader ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise CheckFailed(f"the reader of {name} ended: {self.home}/reader-{name}.log")
            if failed := [each for each in self.calls(name) if each["error"]]:
                first = failed[0]
                raise CheckFailed(
                    f"{len(failed)} calls of the reader of {name} failed, the first for {first['tenant']} with key "
                    f"{first['key'] or 'none'}: {first['error']}"
                )
        return sum(len(self.calls(name)) for name in self._running)

    def await_calls(self) -> int:
        """Until each reader has called for each tenant once more."""
        before = self._counted()

        def called() -> bool:
            self.check()
            return all(self._counted()[name, one] > before[name, one] for name in self._running for one in self.roles)

        wait_until(called, "a call of each reader for each tenant")
        return self.check()

    def _counted(self) -> Counter[tuple[str, str]]:
        return Counter((name, each["tenant"]) for name in self._running for each in self.calls(name))

    def await_new_keys(self, before: Mapping[tuple[str, str], str], tenants: Sequence[str]) -> None:
        def moved() -> bool:
            self.check()
            now = self.keys()
            return all(now[name, one] != before[name, one] for name in self._running for one in tenants)

        wait_until(moved, f"calls of each reader with the new keys of {', '.join(tenants)}")
