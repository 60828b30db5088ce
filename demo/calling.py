"""Calls to the model that go on while something else happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from demo.scene import Scene
from myflux_keys import KeyReader

_PAUSE = 0.25
"""Seconds between one caller's calls: two callers stay under the tenant's own limit of requests a minute."""


@dataclass
class Callers:
    """Calls to the model that run until the `with` ends."""

    scene: Scene
    tenant: str
    reader: KeyReader
    answered: int = 0
    failures: list[str] = field(default_factory=list[str])
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __enter__(self) -> Callers:
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(2)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        with self.reader.openai_client(self.tenant) as client:
            model = self.scene.fleet.tenants[self.tenant].models[0]
            while not self._stop.wait(_PAUSE):
                try:
                    client.responses.create(model=model, input="Is anybody there?")
                    self.answered += 1
                # This check counts every kind of failure.
                except Exception as error:  # noqa: BLE001
                    self.failures.append(f"{type(error).__name__}: {error}")
