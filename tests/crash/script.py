"""Which calls a rotation makes, in order over both services, and which of them a fault strikes.

Owns counting, naming and choosing. Leaves out HTTP (`proxy.py`). Both proxies share one script, so the n-th call is the
n-th of the whole rotation, whichever service it goes to.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.crash.faults import Fault

_OPENAI: Final = (
    ("GET", r"/v1/organization/projects/[^/]+/api_keys", "list keys"),
    ("POST", r"/v1/organization/projects/[^/]+/service_accounts/[^/]+/api_keys", "mint"),
    ("GET", r"/v1/models/[^/]+", "try key"),
    ("POST", r"/v1/organization/projects/[^/]+/api_keys/[^/]+", "set expiry"),
    ("DELETE", r"/v1/organization/projects/[^/]+/api_keys/[^/]+", "delete key"),
)
"""Every call to OpenAI that a rotation may make. Another one has no name here, so `call_name` raises: a finding."""

PATIENT_SECONDS: Final = 20.0
IMPATIENT_SECONDS: Final = 0.5


@dataclass(frozen=True)
class Call:
    """`step` is the step that was running, e.g. ``createSecret``; `name` e.g. ``OpenAI mint``."""

    step: str
    name: str

    def __str__(self) -> str:
        return f"{self.step}: {self.name}"


class Script:
    """What one rotation's calls meet. Between `begin` and `end` calls are counted; outside they pass untouched."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.step = ""
        self.calls: list[Call] = []
        self.struck: list[Call] = []
        self._counting = False
        self._meanwhile: Callable[[], None] | None = None
        self._fault: Fault | None = None
        self._index = 0
        self._lasting: Call | None = None
        self._patience = PATIENT_SECONDS

    def begin(
        self, index: int | None = None, fault: Fault | None = None, *, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Counts from 0 anew; the call number `index` from now meets `fault`, or waits until `meanwhile` is done."""
        with self._lock:
            self._meanwhile = meanwhile
            self.calls, self.struck, self._lasting = [], [], None
            self._index, self._fault = -1 if index is None else index, fault
            self._patience = IMPATIENT_SECONDS if fault is not None and fault.how == "silence" else PATIENT_SECONDS
            self._counting = True

    def end(self) -> None:
        with self._lock:
            self._counting, self._lasting, self._fault = False, None, None
            self._patience = PATIENT_SECONDS

    @property
    def patience(self) -> float:
        """Seconds that the function gives each call: few only where one is to time out, or a busy machine would make
        faults that nobody asked for."""
        return self._patience

    def invocation_begins(self, step: str) -> None:
        with self._lock:
            self.step = step

    def invocation_ends(self) -> None:
        """A lasting fault is over when the function has given up."""
        with self._lock:
            if self._lasting is not None:
                self._lasting, self._fault = None, None

    def meets(self, name: str) -> Fault | None:
        """Counts one call and answers what it meets."""
        with self._lock:
            if self._counting and self._meanwhile and len(self.calls) == self._index:
                meanwhile, self._meanwhile = self._meanwhile, None
                meanwhile()
            if not self._counting:
                return None
            call = Call(self.step, name)
            self.calls.append(call)
            strikes = call == self._lasting if self._lasting else len(self.calls) - 1 == self._index
            if self._fault is None or not strikes:
                return None
            self.struck.append(call)
            fault = self._fault
            if fault.lasting:
                self._lasting = call
            else:
                self._fault = None
            return fault


def call_name(method: str, path: str, headers: Any, body: bytes) -> str:
    """The call in words. Raises ValueError for a call that no rotation has any business making."""
    target = headers.get("X-Amz-Target")
    if target is not None:
        operation = target.split(".")[-1]
        asked: dict[str, Any] = json.loads(body)
        return f"AWS {operation}" + (" (admin key)" if asked["SecretId"].startswith("myflux-admin/") else "")
    bare = path.partition("?")[0]
    for verb, pattern, name in _OPENAI:
        if verb == method and re.fullmatch(pattern, bare):
            return f"OpenAI {name}"
    raise ValueError(f"{method} {bare} is no call of a rotation")
