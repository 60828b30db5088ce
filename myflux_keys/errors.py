"""The errors that a reader raises, each with AWS's code and a way out; `docs/reader.md` says what to do about each.

`aws_errors` chooses the class for an answer of AWS. An error never holds a key: AWS's errors hold none, and the reader
drops the frames of the libraries that it calls.
"""

from __future__ import annotations

from typing import ClassVar

from myflux_keys import payload


class KeyReaderError(Exception):
    """A tenant's key cannot be read, or no token be had for it.

    `tenant` is the slug asked for, `code` AWS's error code, or OpenAI's where it refuses the exchange ("" where neither
    had a part in it), `way_out` what to do.
    """

    keeps_last_good: ClassVar[bool] = False
    """Whether a cached key may be used meanwhile: only if nobody refused access on purpose."""

    def __init__(self, message: str = "", *, tenant: str = "", code: str = "", way_out: str = "") -> None:
        super().__init__(message)
        self.tenant = tenant
        self.code = code
        self.way_out = way_out

    def __str__(self) -> str:
        code = f" [{self.code}]" if self.code else ""
        return " ".join(part for part in (f"{self.args[0]}{code}.", self.way_out) if part)

    def again(self) -> KeyReaderError:
        """The same error without traceback: it is raised to many callers, and each would add frames."""
        return type(self)(self.args[0], tenant=self.tenant, code=self.code, way_out=self.way_out)


class InvalidTenantError(KeyReaderError, ValueError):
    """The name is not a valid tenant's name. Nothing was sent."""


class ConfigurationError(KeyReaderError, ValueError):
    """This process's own settings do not work: its Region, AWS profile, proxy or certificates."""

    keeps_last_good = True


class NotReadyError(KeyReaderError):
    """The secret exists and has no AWSCURRENT version: no key has been stored yet."""


class AccessDeniedError(KeyReaderError):
    """AWS, or OpenAI for a federated tenant, refuses this process: wrong tag, wrong role, or a disabled tenant."""


class SecretNotFoundError(KeyReaderError):
    """The secret does not exist, or is marked for deletion."""


class FederatedTenantError(KeyReaderError):
    """The tenant has no key, since it is federated: only the OpenAI clients that a reader makes can call for it."""

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.way_out}."


class UnavailableError(KeyReaderError):
    """AWS or OpenAI's exchange cannot be reached, does not answer or fails (5xx, throttling), or this process has no
    credentials."""

    keeps_last_good = True


class PayloadError(KeyReaderError, payload.PayloadError):
    """The secret's value is not a payload of this tenant, or its identity is malformed. The message never holds the
    value."""

    keeps_last_good = True
