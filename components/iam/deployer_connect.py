"""What a pipeline that deploys tenants reads back of connect, where the cell has it.

Owns one document, which the other managed policies have no room for. Leaves out what refresh reads in every cell
(`deployer_calls`). The pipeline reads settings alone: of what customers handed in it opens nothing.
"""

from __future__ import annotations

from components.iam.deployer_buckets import READ_BUCKET
from components.iam.deployer_calls import READ_FUNCTION, READ_POLICY, READ_ROLE, READ_RULE
from components.iam.deployer_permissions import merged
from components.iam.grants import Grant
from components.iam.statements import Document, document
from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import CONNECT, CONNECT_FUNCTIONS, PROMOTER


def look_at_connect(names: CellNames) -> list[Grant]:
    """The KMS keys and the alarms are among those that `deployer_calls.look` has."""
    functions = [names.function_arn(one) for one in CONNECT_FUNCTIONS]
    return [
        Grant("iam", READ_ROLE, [names.function_role_arn(one) for one in CONNECT_FUNCTIONS]),
        Grant("iam", READ_POLICY, [names.policy_arn(names.deployer_connect_policy)]),
        Grant("lambda", READ_FUNCTION, functions),
        Grant("lambda", "GetFunctionUrlConfig", [names.function_arn(CONNECT)]),
        Grant("logs", "ListTagsForResource", [names.log_group_arn(names.function(one)) for one in CONNECT_FUNCTIONS]),
        Grant("events", READ_RULE, [names.rule_arn(names.rule(PROMOTER))]),
        Grant("s3", READ_BUCKET, [names.connect_bucket_arn]),
    ]


def deployer_connect(names: CellNames) -> Document:
    """Fits a managed policy, which holds 6,144 characters."""
    return document(*merged(look_at_connect(names)))
