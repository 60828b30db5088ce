"""Reads a tenant's secret with credentials that can read no other tenant's.

Owns the call GetSecretValue. Leaves out the credentials (`tenant_sessions`) and caching of keys (`cached_key`). Errors
are returned, not raised, so that no traceback has a frame with a secret's text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from myflux_keys.aws_errors import Reading, translate
from myflux_keys.errors import KeyReaderError
from myflux_keys.key import Key, no_text, parse_key
from myflux_keys.names import secret_name
from myflux_keys.quiet import quiet
from myflux_keys.version_labels import CURRENT

if TYPE_CHECKING:
    from myflux_keys.tenant_sessions import TenantSessions


class SecretSource:
    """One cell's tenant secrets. Thread-safe."""

    def __init__(self, sessions: TenantSessions) -> None:
        self._sessions = sessions

    def read(self, tenant: str) -> Key | KeyReaderError:
        """The AWSCURRENT version."""
        return self._sessions.attempt(tenant, lambda: self._attempt(tenant))

    def _attempt(self, tenant: str) -> Key | KeyReaderError:
        sessions = self._sessions
        secret, role = secret_name(sessions.cell, tenant), ""
        with quiet():
            try:
                sessions.check(tenant)
                role = sessions.role_of(tenant)
                with sessions.client(tenant, "secretsmanager", role) as client, quiet():
                    # AWS evaluates a policy's VersionStage condition only if the request names the stage.
                    answer = client.get_secret_value(SecretId=secret, VersionStage=CURRENT)
            except KeyReaderError as error:
                return error.again()
            except Exception as error:  # noqa: BLE001 - returned, as the reader's own
                return translate(error, Reading(sessions.cell, tenant, secret, role))
        if "SecretString" not in answer:
            return no_text(tenant)
        return parse_key(answer["SecretString"], tenant, answer["VersionId"])
