"""What a reader may raise: one hierarchy, each with AWS's code kept and a way out.

Owns the classes and how they read. Leaves out which answer of AWS becomes which class (`aws_errors`). An error never
holds a key: AWS's failures carry none, and the reader drops the frames of the libraries below it.
"""

from __future__ import annotations

from typing import ClassVar

from myflux_keys import payload


class KeyReaderError(Exception):
    """A tenant's key can't be had.

    `tenant` is the slug asked for, `code` AWS's error code ("" where AWS had no part in it), `way_out` what to do.
    """

    keeps_last_good: ClassVar[bool] = False
    """Whether a key fetched earlier may be served meanwhile: only where nobody decided that it should stop."""

    def __init__(self, message: str = "", *, tenant: str = "", code: str = "", way_out: str = "") -> None:
        super().__init__(message)
        self.tenant = tenant
        self.code = code
        self.way_out = way_out

    def __str__(self) -> str:
        code = f" [{self.code}]" if self.code else ""
        return " ".join(part for part in (f"{self.args[0]}{code}.", self.way_out) if part)

    def again(self) -> KeyReaderError:
        """The same error without traceback: one failure is raised to many callers, and frames must not pile up."""
        return type(self)(self.args[0], tenant=self.tenant, code=self.code, way_out=self.way_out)


class InvalidTenantError(KeyReaderError, ValueError):
    """The name asked for can't be a tenant's. Nothing was sent."""


class NotReadyError(KeyReaderError):
    """The secret exists and has no AWSCURRENT version: no key has been stored yet."""


class AccessDeniedError(KeyReaderError):
    """AWS refuses this process: wrong tag, wrong role, or a tenant that was disabled."""


class SecretNotFoundError(KeyReaderError):
    """The secret does not exist, or is marked for deletion."""


class UnavailableError(KeyReaderError):
    """AWS can't be reached or fails: 5xx, throttling, network, or credentials of the process that can't be had."""

    keeps_last_good = True


class PayloadError(KeyReaderError, payload.PayloadError):
    """The secret's value is not a payload of this tenant. The message never holds the value."""

    keeps_last_good = True
