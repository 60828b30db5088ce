"""What the AWS side keeps across a stop: every store of MiniStack's services.

MiniStack saves its state only at a clean stop, and neither sessions nor objects nor the event history, so its own
persistence is not used. Here, whatever is in one of its services' stores is kept: what a request has changed is saved
before its answer is sent, a rotation's start and end before anybody hears of them, and what answers nobody (logs, the
event history) within a second or so. Executions of functions end with the cell, and so do their sessions; an invocation
that nobody waits for is then lost.
"""

from __future__ import annotations

import ast
import importlib
import io
import logging
import pickle
import sys
import threading
import time
from types import ModuleType
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from local.aws.iam.request import ServiceRequest
from local.keeping import LOOK_SECONDS, Store

_SERVICES: Final = "ministack.services."
_PLAIN: Final = {
    "eventbridge": ("_rule_last_fired",),
    "scheduler": ("_schedule_last_fired",),
    "sts": ("_sessions",),
}
"""Stores that are ordinary dictionaries. The others are of MiniStack's own two classes."""
_EXECUTION: Final = "SourceFunctionArn"
"""What a function's own session has (`iam/function_roles.py`)."""
_READS: Final = ("BatchGet", "Describe", "Get", "Head", "List", "Lookup")
_TRIES: Final = 20
_SHARE: Final = 20
"""At most one part of the time in so many goes into saving what nobody waits for."""

_log = logging.getLogger("local.aws.keeping")


class _Pickler(pickle.Pickler):
    """KMS's private keys have no pickle of their own."""

    def reducer_override(self, obj: Any) -> Any:
        if hasattr(obj, "private_bytes"):
            return _private_key, (obj.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),)
        return NotImplemented


def _private_key(der: bytes) -> PrivateKeyTypes:
    return load_der_private_key(der, None)


class Keeper:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._saving = threading.Lock()
        """From the look to the end of the writing: else an older look could be written over a newer one."""

    def restore(self) -> None:
        """Fills MiniStack's stores with what was kept. Call it before the rules are installed."""
        for group in self._store.groups():
            service, _, name = group.partition(".")
            data = _ours(service).get(name)
            if data is None:
                held = getattr(importlib.import_module(_SERVICES + service), name)
                data = held if isinstance(held, dict) else held._data
            for key, record in self._store.read(group):
                if not (isinstance(record, dict) and _EXECUTION in record):
                    data[ast.literal_eval(key)] = record

    def resume(self) -> None:
        """Takes up what was under way, and saves from now on. Call it when the rules are installed."""
        from ministack.services import lambda_svc

        from local.aws.secrets import rotation_driver, store

        store.BY_ITSELF.append(lambda: self.save("secretsmanager"))
        if lambda_svc._esms.has_any():
            lambda_svc._ensure_poller()
        rotation_driver.resume()
        threading.Thread(target=self._watch, name="keeping", daemon=True).start()

    def after(self, request: ServiceRequest) -> None:
        """Saves what a request may have changed."""
        from ministack import app

        if request.method in ("GET", "HEAD") or (request.operation or "").startswith(_READS):
            return
        service = app.SERVICE_NAME_ALIASES.get(request.service, request.service)
        registered = app.SERVICE_REGISTRY.get(service)
        if registered:
            self.save(str(registered["module"]), *registered.get("sub_modules", ()))

    def save(self, *services: str) -> None:
        """Saves these services' stores, as they are in one moment: each as a whole, all in one transaction."""
        with self._saving:
            groups: dict[str, dict[str, bytes]] = {}
            for service in services:
                if (module := sys.modules.get(_SERVICES + service)) is not None:
                    for name, data in _stores(service, module).items():
                        groups[f"{service}.{name}"] = _whole(service, data)
            self._store.save(groups)

    def save_all(self) -> None:
        for name in sorted(sys.modules):
            service = name.removeprefix(_SERVICES)
            if name.startswith(_SERVICES) and "." not in service:
                self.save(service)

    def _watch(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self.save_all()
            except Exception:  # noqa: BLE001 (the next look may find what this one could not save)
                _log.exception("what the AWS side has could not be saved; it goes on")
            time.sleep(max(LOOK_SECONDS, _SHARE * (time.monotonic() - began)))


def _stores(service: str, module: ModuleType) -> dict[str, dict[Any, Any]]:
    from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

    scoped = {
        name: held._data
        for name, held in vars(module).items()
        if isinstance(held, (AccountRegionScopedDict, AccountScopedDict))
    }
    return scoped | {name: getattr(module, name) for name in _PLAIN.get(service, ())} | _ours(service)


def _ours(service: str) -> dict[str, dict[Any, Any]]:
    """Stores of a service that MiniStack lacks."""
    from local.aws.federation import accounts

    return {"issuers": accounts.ISSUERS} if service == "iam" else {}


def _whole(service: str, data: dict[Any, Any]) -> dict[str, bytes]:
    """Each record pickled. A thread of MiniStack may change one meanwhile: then it is pickled again."""
    from local.aws.secrets.store import LOCK

    if service == "secretsmanager":
        with LOCK:
            return _pickled(data)
    for _ in range(_TRIES):
        try:
            return _pickled(data)
        except RuntimeError:  # "dictionary changed size during iteration"
            time.sleep(0)
    return _pickled(data)


def _pickled(data: dict[Any, Any]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for key, record in list(data.items()):
        buffer = io.BytesIO()
        _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(record)
        found[repr(key)] = buffer.getvalue()
    return found
