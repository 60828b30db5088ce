"""What a forked process does with AWS clients and credentials that the application gave: it goes on with them, alone.

What is made here is simply made again. A given client has options that only its owner knows, so it keeps them and gets
an empty set of connections. botocore has no public way to that; urllib3's `PoolManager.pools` is one.
"""

from __future__ import annotations

import threading
from typing import Any, cast

import boto3
from botocore.client import BaseClient
from botocore.credentials import RefreshableCredentials
from urllib3 import PoolManager


def renew_client(client: object) -> bool:
    """Whether this process can go on with `client`. What is not botocore's is the application's own business."""
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
    """A thread of the parent may have been renewing the session's credentials."""
    _free(getattr(cast("Any", session)._session, "_credentials", None))


def _free(credentials: object) -> None:
    if isinstance(credentials, RefreshableCredentials):
        cast("Any", credentials)._refresh_lock = threading.Lock()
