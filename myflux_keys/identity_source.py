"""Gets a federated tenant's access token with an AWS session that is tagged with the tenant.

Owns the identity object, AWS's token, and how long OpenAI's is used. Leaves out the credentials (`tenant_sessions`),
the exchange (`token_exchange`) and caching (`cached_key`). Errors are returned, not raised, so that no traceback has a
frame with a token. docs/adr/0043-no-key-at-all.md
"""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from myflux_keys.access_token import Token
from myflux_keys.aws_names import CellNames
from myflux_keys.errors import KeyReaderError
from myflux_keys.forks import in_each_child
from myflux_keys.identity import ALGORITHM, TOKEN_SECONDS, IdentityError, TenantIdentity, audience
from myflux_keys.identity_errors import Asking, malformed, of_awss_token, of_the_object
from myflux_keys.key import is_openais, is_safe_base
from myflux_keys.payload import SecretText
from myflux_keys.quiet import quiet
from myflux_keys.web_token import request

if TYPE_CHECKING:
    from myflux_keys.tenant_sessions import TenantSessions
    from myflux_keys.token_exchange import TokenExchange

LONGEST_IDENTITY = 65_536
"""Bytes. Hundreds are needed."""


class IdentitySource:
    """One cell's federated tenants. Thread-safe."""

    def __init__(self, sessions: TenantSessions) -> None:
        self._sessions = sessions
        self._made: TokenExchange | None = None
        self._making = threading.Lock()
        in_each_child(self, IdentitySource._start_anew)

    def find(self, tenant: str) -> TenantIdentity | KeyReaderError | None:
        """None if the tenant has no identity, or this process may read none."""
        return self._sessions.attempt(tenant, lambda: self._find(tenant))

    def token(self, identity: TenantIdentity) -> Token | KeyReaderError:
        """A new one. It is used no longer than its end by this machine's clock, counted from before AWS's token was
        asked for: a clock that is wrong does not matter.

        Lambda freezes a process between two calls. If AWS's token ended meanwhile, another one is asked for, once.
        """
        began = self._sessions.clock()
        outcome = self._token(identity, began)
        thawed = self._sessions.clock()
        frozen = isinstance(outcome, KeyReaderError) and thawed - began >= TOKEN_SECONDS
        return self._token(identity, thawed) if frozen else outcome

    def _token(self, identity: TenantIdentity, began: float) -> Token | KeyReaderError:
        signed = self._sessions.attempt(identity.tenant, lambda: self._signed(identity.tenant))
        if isinstance(signed, KeyReaderError):
            return signed
        try:
            exchange = self._exchange()
            granted = exchange(identity, signed, self._asking(identity.tenant))
        except KeyReaderError as error:
            return error.again()
        if isinstance(granted, KeyReaderError):
            return granted
        return Token(
            tenant=identity.tenant,
            access_token=granted.access_token,
            project_id=identity.project_id,
            service_account_id=identity.service_account_id,
            organization_id=identity.organization_id,
            base_url=identity.base_url,
            models=identity.models,
            expires_at=datetime.fromtimestamp(began + min(granted.seconds, TOKEN_SECONDS), UTC),
            version_id=os.urandom(8).hex(),
        )

    def close(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            made.close()

    def _start_anew(self) -> None:
        self._making = threading.Lock()

    def _find(self, tenant: str) -> TenantIdentity | KeyReaderError | None:
        sessions = self._sessions
        asking, where = Asking(sessions.cell, tenant, ""), "its object"
        with quiet():
            try:
                asking = self._asking(tenant)
                names = CellNames(sessions.cell, sessions.account_of(asking.role), sessions.region or "")
                # All accounts share the names of buckets: one of this name that is another account's is not believed.
                asked = {
                    "Bucket": names.health_bucket,
                    "Key": names.tenant(tenant).identity,
                    "ExpectedBucketOwner": names.account_id,
                }
                where = f"s3://{asked['Bucket']}/{asked['Key']}"
                with sessions.client(tenant, "s3", asking.role, TOKEN_SECONDS) as client, quiet():
                    text = client.get_object(**asked)["Body"].read(LONGEST_IDENTITY)
                identity = TenantIdentity.from_json(text.decode("utf-8", "replace"))
            except IdentityError as error:
                return malformed(str(error), asking, where)
            except KeyReaderError as error:
                return error.again()
            except Exception as error:  # noqa: BLE001 - returned, as the reader's own
                return of_the_object(error, asking, where)
        if (identity.tenant, identity.cell) != (tenant, sessions.cell):
            return malformed(f"it is of tenant {identity.tenant!r} in cell {identity.cell!r}", asking, where)
        # AWS's token is sent there, and deployers write the identity: they may not choose who gets it.
        if not (is_safe_base(identity.base_url) and is_openais(identity.base_url)):
            return malformed("base_url must be https and OpenAI's, except on loopback", asking, where)
        return identity

    def _signed(self, tenant: str) -> SecretText | KeyReaderError:
        sessions = self._sessions
        asking = Asking(sessions.cell, tenant, "")
        asked: Any = request(audience(sessions.cell), TOKEN_SECONDS, ALGORITHM)
        with quiet():
            try:
                asking = self._asking(tenant)
                with sessions.client(tenant, "sts", asking.role, TOKEN_SECONDS) as client, quiet():
                    return SecretText(client.get_web_identity_token(**asked)["WebIdentityToken"])
            except KeyReaderError as error:
                return error.again()
            except Exception as error:  # noqa: BLE001 - returned, as the reader's own
                return of_awss_token(error, asking)

    def _asking(self, tenant: str) -> Asking:
        self._sessions.check(tenant)
        return Asking(self._sessions.cell, tenant, self._sessions.role_of(tenant))

    def _exchange(self) -> TokenExchange:
        from myflux_keys.token_exchange import TokenExchange

        with self._making:
            if self._made is None:
                self._made = TokenExchange()
            return self._made
