"""What failures on the way to a federated tenant's token become.

Pure functions. Leaves out what is done after an error (`cached_key`). OpenAI documents two codes of its exchange:
`invalid_grant`, of provider and rule, and `invalid_subject_token`, of the token that was given.
https://developers.openai.com/api/docs/guides/workload-identity-federation
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from myflux_keys import web_token
from myflux_keys.aws_errors import EXPIRED_TOKEN, is_passing, not_answered, refusal_of
from myflux_keys.errors import AccessDeniedError, KeyReaderError, PayloadError, UnavailableError
from myflux_keys.identity import ALGORITHM, TOKEN_SECONDS, audience
from myflux_keys.redaction import REDACTED, redact

REFUSED: Final = frozenset({400, 401, 403})
"""Statuses with which the exchange refuses, as OpenAI's SDK has them."""
_MOST: Final = 300
_LATER: Final = "This is temporary: the reader tries again later."
_TOKEN_SHAPE: Final = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*)*")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, for the text of errors. `role` is "" where the process's own credentials do."""

    cell: str
    tenant: str
    role: str

    @property
    def who(self) -> str:
        return f"role {self.role} with session tag tenant={self.tenant}" if self.role else "this process's credentials"


def of_the_object(error: Exception, asking: Asking, where: str) -> KeyReaderError | None:
    """None if there is no identity at `where`. S3 says 403 of an object that is not there to those who may not list,
    and to those who may not read."""
    if not isinstance(error, ClientError):
        return not_answered(error, asking.tenant)
    said = refusal_of(error)
    if said.code in EXPIRED_TOKEN or is_passing(said.code, said.status):
        why = f"AWS does not give the identity of tenant {asking.tenant!r} ({said})"
        return UnavailableError(why, tenant=asking.tenant, code=said.code, way_out=_LATER)
    if said.status in (403, 404):
        return None
    why = f"AWS does not give the identity of tenant {asking.tenant!r}, {where} ({said})"
    return KeyReaderError(why, tenant=asking.tenant, code=said.code, way_out="Read AWS's message and code.")


def malformed(reason: str, asking: Asking, where: str) -> PayloadError:
    return PayloadError(
        f"{where} is no identity of tenant {asking.tenant!r}: {reason}",
        tenant=asking.tenant,
        way_out=f"`myflux-keys up {asking.tenant}` writes it; write it in no other way.",
    )


def of_awss_token(error: Exception, asking: Asking) -> KeyReaderError:
    if not isinstance(error, ClientError):
        return not_answered(error, asking.tenant)
    said = refusal_of(error)
    asked = web_token.request(audience(asking.cell), TOKEN_SECONDS, ALGORITHM)
    why, way_out = web_token.meaning(said.code, said.status, asked)
    if said.code == "SessionDurationEscalationException":
        way_out = "Let the reader assume the role, or renew this process's credentials before they end."
    kind: type[KeyReaderError] = AccessDeniedError
    if said.code in EXPIRED_TOKEN or is_passing(said.code, said.status):
        kind = UnavailableError
    return kind(
        f"tenant {asking.tenant!r} has no key, and {asking.who} gets no token: {why} ({said})",
        tenant=asking.tenant,
        code=said.code,
        way_out=way_out,
    )


def of_the_exchange(status: int, code: str, description: str, asking: Asking) -> KeyReaderError:
    """`code` is OAuth's, or "" where the answer is not of that form: then it is no refusal by OpenAI."""
    tenant, cell = asking.tenant, asking.cell
    code = without_tokens(code)
    said = f"HTTP {status}" + (f": {without_tokens(description).rstrip('.')}" if description else "")
    if status not in REFUSED or not code:
        why = f"the exchange of AWS's token for tenant {tenant!r} fails ({said})"
        return UnavailableError(why, tenant=tenant, code=code, way_out=_LATER)
    if code == "invalid_grant":
        return AccessDeniedError(
            f"OpenAI has no federation rule that lets {asking.who} act for tenant {tenant!r} ({said})",
            tenant=tenant,
            code=code,
            way_out=f"Possible reasons: the tenant is disabled or its token was revoked; its rule matches another role,"
            f" or another value of openai.tenant than {tenant!r}. {_made_anew(tenant)}",
        )
    if code == "invalid_subject_token":
        # Not that this tenant is refused: new signing keys of AWS, for one, take OpenAI ten minutes to see.
        return UnavailableError(
            f"OpenAI does not accept AWS's token for tenant {tenant!r} ({said})",
            tenant=tenant,
            code=code,
            way_out=f"If it lasts: the cell's identity provider must have the account's issuer and the audience"
            f" {audience(cell)!r}; {_made_anew(tenant)}",
        )
    return KeyReaderError(
        f"OpenAI refuses to exchange AWS's token for tenant {tenant!r} ({said})",
        tenant=tenant,
        code=code,
        way_out="Read OpenAI's message and code.",
    )


def _made_anew(tenant: str) -> str:
    """A plain `up` calls the provisioner only where the tenant's specification changed."""
    return f"`myflux-keys up {tenant} --refresh` sets rule and provider again."


def not_exchanged(reason: str, kind: str, asking: Asking, url: str) -> UnavailableError:
    """The error for what prevented an exchange, or an answer that is none. `kind` is the error's name."""
    return UnavailableError(
        f"AWS's token for tenant {asking.tenant!r} was not exchanged at {url}: {without_tokens(reason).rstrip('.')}",
        tenant=asking.tenant,
        code=kind,
        way_out="Check that this process can reach OpenAI, and its proxy and certificates.",
    )


def without_tokens(text: str) -> str:
    """Somebody else's words, short, and with nothing that is shaped like a key or a token."""
    return _TOKEN_SHAPE.sub(REDACTED, redact(text))[:_MOST]
