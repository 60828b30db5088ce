"""AWS's rules of Secrets Manager that MiniStack lacks.

Owns the installation: which functions of MiniStack are replaced. The other modules hold the rules; `api` lists the
operations. If a function of MiniStack has other parameters than expected, the installation fails.

    api              The operations of Secrets Manager and the functions that answer them
    constraints      The lengths, ranges, patterns and enumerations of Secrets Manager's API
    cron             Cron expressions as Secrets Manager reads them
    deletion         DeleteSecret, RestoreSecret, and the end of a recovery window
    description      DescribeSecret and ListSecrets
    rotation_driver  Drives a rotation: four calls of the function
    encryption       KMS behind a secret's value
    events           Service events of Secrets Manager
    invocation       How Secrets Manager calls a rotation function
    labels           Versions of a secret and the staging labels on them
    paging           Pages of a list, by MaxResults and NextToken
    plan             When a secret is rotated next, as kept on its record
    policy_document  Whether a text is a resource policy that Secrets Manager accepts
    public_access    Whether a resource policy makes a secret public
    refusals         Refusals of Secrets Manager: AWS's error codes and texts
    replicas         RemoveRegionsFromReplication
    resource_policy  PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy, ValidateResourcePolicy
    resource_tags    A secret's tags and resource policy, for MiniStack's policy evaluation
    rotate_calls     RotateSecret and CancelRotateSecret
    schedule         When a secret is due: RotationRules to rotation windows
    scheduler        Rotates secrets when their schedule says so
    settings         Settings of Secrets Manager's behaviour, by environment variable
    staging          UpdateSecretVersionStage and ListSecretVersionIds
    store            Where a secret is kept, and how it is found
    tagging          TagResource and UntagResource
    values           CreateSecret, PutSecretValue, UpdateSecret, GetSecretValue
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def install() -> None:
    """Puts the rules into MiniStack's Secrets Manager and starts the rotation schedule.

    Call it once, after MiniStack's import and `local.aws.iam.install`. Raises UnexpectedShape.
    """
    # Imported here, because MiniStack reads its environment when it is imported.
    from botocore import xform_name
    from ministack.services import secretsmanager

    from local.aws.iam.patching import replace, require_shape, require_version
    from local.aws.secrets import api, encryption, events, invocation, resource_tags, scheduler, store

    require_version()
    module = secretsmanager.__name__
    used = {f"{module}.{name}": parameters for name, parameters in _USED.items()}
    for qualified, parameters in (used | encryption.USED | events.USED | invocation.USED).items():
        owner, _, function = qualified.rpartition(".")
        require_shape(owner, function, parameters)

    def of(operation: str) -> Callable[[Any], Any]:
        return lambda _original: lambda data: api.answer(operation, data)

    for operation in api.OPERATIONS:
        name = f"_{xform_name(operation)}"
        if hasattr(secretsmanager, name):
            replace(module, name, "data", of(operation))
    replace(module, "_resolve", "secret_id, use_arn_scope", lambda _original: store.resolve)
    replace(module, "secret_policy_for_arn", "resource_arn", lambda _original: resource_tags.policy_for_arn)
    replace("ministack.services.tagging", "resource_tags", "arn", resource_tags.for_arn)
    replace(module, "handle_request", "method, path, headers, body, query_params", api.handler)
    scheduler.start()


_USED = {
    "_delete_replicas": "secret",
    "_emit_secret_label_updated": "secret, label, version_id",
    "_filter_secret_names": "names, filters",
    "_is_replica": "secret",
    "_purge_secret": "key, secret",
    "_replicate_secret_to_regions": "data",
    "_sync_replica_resource_policy": "secret, policy",
    "_delete_replica_resource_policies": "secret",
    "_sync_replicas": "secret",
}
"""Functions of MiniStack's Secrets Manager that the modules call, with their parameters."""
