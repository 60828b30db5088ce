"""IAM roles. IAM is global, so no role has a Region.

The official plugin also reads a role's inline and attached policies into outputs. Here other resources own them, and
every role would be reported as changed after those, so they are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.provider.aws import Aws
from local.provider.documents import document_text
from local.provider.model import AutoName, Change, Created, Property, Resource, Scalar, State
from local.provider.rules import between, is_arn, matches
from local.provider.services.tags import mapped, pairs

NAME = r"[\w+=,.@-]{1,%d}"


def _create(aws: Aws, inputs: State) -> Created:
    request: dict[str, Any] = {
        "RoleName": inputs["name"],
        "Path": inputs["path"],
        "AssumeRolePolicyDocument": inputs["assumeRolePolicy"],
        "MaxSessionDuration": inputs["maxSessionDuration"],
        "Tags": pairs(inputs.get("tags")),
    }
    request |= {"Description": inputs["description"]} if inputs.get("description") else {}
    request |= {"PermissionsBoundary": inputs["permissionsBoundary"]} if inputs.get("permissionsBoundary") else {}
    aws.client("iam").create_role(**request)
    return Created(inputs["name"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    role = aws.client("iam").get_role(RoleName=id)["Role"]
    return {
        "name": role["RoleName"],
        "arn": role["Arn"],
        "path": role["Path"],
        "uniqueId": role["RoleId"],
        "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "assumeRolePolicy": document_text(role["AssumeRolePolicyDocument"]),
        "description": role.get("Description", ""),
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        "tags": mapped(role.get("Tags")),
    }


def _update(aws: Aws, change: Change) -> State:
    iam, new = aws.client("iam"), change.new
    if "assumeRolePolicy" in change.changed:
        iam.update_assume_role_policy(RoleName=change.id, PolicyDocument=new["assumeRolePolicy"])
    if "description" in change.changed:
        iam.update_role_description(RoleName=change.id, Description=new.get("description", ""))
    if "maxSessionDuration" in change.changed:
        iam.update_role(RoleName=change.id, MaxSessionDuration=new["maxSessionDuration"])
    if "permissionsBoundary" in change.changed:
        if new.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=change.id, PermissionsBoundary=new["permissionsBoundary"])
        else:
            iam.delete_role_permissions_boundary(RoleName=change.id)
    return {}


def _delete(aws: Aws, id: str, state: State) -> None:
    """Without `forceDetachPolicies`, AWS refuses to delete a role that has policies, and the delete fails.

    As the official plugin, takes the role out of instance profiles first.
    """
    iam = aws.client("iam")
    for profile in iam.list_instance_profiles_for_role(RoleName=id)["InstanceProfiles"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=id)
    if state.get("forceDetachPolicies"):
        for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=id):
            for policy in page["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=id, PolicyArn=policy["PolicyArn"])
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=id):
            for name in page["PolicyNames"]:
                iam.delete_role_policy(RoleName=id, PolicyName=name)
    iam.delete_role(RoleName=id)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    iam = aws.client("iam")
    if remove:
        iam.untag_role(RoleName=id, TagKeys=list(remove))
    if add:
        iam.tag_role(RoleName=id, Tags=pairs(add))


RESOURCES = (
    Resource(
        type="aws:iam/role:Role",
        inputs={
            "name": Property(
                Scalar.STRING,
                replaces=True,
                rule=matches(NAME % 64, "a role's name: up to 64 of A-Z a-z 0-9 + = , . @ _ -"),
            ),
            "path": Property(Scalar.STRING, replaces=True, default="/"),
            "assumeRolePolicy": Property(Scalar.POLICY, required=True),
            "description": Property(Scalar.STRING),
            "maxSessionDuration": Property(Scalar.INTEGER, default=3600, rule=between(3600, 43200)),
            "permissionsBoundary": Property(Scalar.STRING, rule=is_arn),
            "forceDetachPolicies": Property(Scalar.BOOLEAN, default=False, read_back=False),
        },
        outputs={"arn": Scalar.STRING, "createDate": Scalar.STRING, "uniqueId": Scalar.STRING},
        fixed={"namePrefix": ""},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=64),
        regional=False,
    ),
)
