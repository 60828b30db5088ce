"""RemoveRegionsFromReplication: removes a primary secret's replicas, as DeleteSecret requires.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RemoveRegionsFromReplication.html
"""

from __future__ import annotations

from typing import Any

from ministack.services import secretsmanager as ministack

from local.aws.secrets.refusals import invalid_parameter
from local.aws.secrets.store import LOCK, find_writable, touch

Request = dict[str, Any]
Answer = dict[str, Any]


def remove_regions_from_replication(request: Request) -> Answer:
    with LOCK:
        secret = find_writable(request["SecretId"])
        going: set[str] = set(request["RemoveReplicaRegions"])
        have = {status["Region"] for status in secret["ReplicationStatus"]}
        if going - have:
            raise invalid_parameter(f"The secret has no replica in {', '.join(sorted(going - have))}.")
        kept = [status for status in secret["ReplicationStatus"] if status["Region"] not in going]
        secret["ReplicationStatus"] = [status for status in secret["ReplicationStatus"] if status["Region"] in going]
        ministack._delete_replicas(secret)
        secret["ReplicationStatus"] = kept
        touch(secret)
        return {"ARN": secret["ARN"], "ReplicationStatus": kept}
