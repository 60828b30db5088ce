"""Makes AWS clients and credentials from the application usable in a forked process.

Our own clients are made again. A given client has options that only its owner knows, so it stays and gets an empty set
of connections. botocore has no public interface for that; urllib3's `PoolManager.pools` is one.
"""

from __future__ import annotations

import threading
from typing import Any, cast

import boto3
from botocore.client import BaseClient
from botocore.credentials import RefreshableCredentials
from urllib3 import PoolManager


def renew_client(client: object) -> bool:
    """Whether this process can use `client`. A client that is not botocore's is the application's responsibility."""
    if not isinstance(client, BaseClient):
        return True
    given = cast("Any", client)
    try:
        session = given._endpoint.http_session
        managers = [session._manager, *session._proxy_managers.values()]
        _free(given._request_signer._credentials)
    except AttributeError:
        return False
    if not all(isinstance(manager, PoolManager) for manager in managers):
        return False
    for manager in managers:
        manager.pools = PoolManager().pools
    return True


def renew_session(session: boto3.Session) -> None:
    """Frees a lock that a thread of the parent may have held while it renewed the session's credentials."""
    _free(getattr(cast("Any", session)._session, "_credentials", None))


def _free(credentials: object) -> None:
    if isinstance(credentials, RefreshableCredentials):
        cast("Any", credentials)._refresh_lock = threading.Lock()
