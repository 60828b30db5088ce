"""IAM policies: managed, inline in a role, and the attachment of a managed one to a role.

A managed policy has at most five versions; before a sixth, the oldest is deleted, as in the official plugin.
`attachmentCount` is left out: other resources change it, so it would be reported as drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.provider.aws import Aws, Refused
from local.provider.documents import document_text
from local.provider.model import AutoName, Change, Created, Property, Resource, Scalar, State
from local.provider.rules import is_arn, matches
from local.provider.services.iam_role import NAME
from local.provider.services.tags import mapped, pairs

VERSIONS = 5


def _create(aws: Aws, inputs: State) -> Created:
    description = inputs.get("description")
    made = aws.client("iam").create_policy(
        PolicyName=inputs["name"],
        Path=inputs["path"],
        PolicyDocument=inputs["policy"],
        Tags=pairs(inputs.get("tags")),
        **({"Description": description} if description else {}),
    )
    return Created(made["Policy"]["Arn"])


def _read(aws: Aws, id: str, _prior: State) -> State | None:
    iam = aws.client("iam")
    policy = iam.get_policy(PolicyArn=id)["Policy"]
    version = iam.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        "arn": policy["Arn"],
        "name": policy["PolicyName"],
        "path": policy["Path"],
        "policyId": policy["PolicyId"],
        "attachmentCount": policy.get("AttachmentCount", 0),
        "description": policy.get("Description", ""),
        "policy": document_text(version["Document"]),
        "tags": mapped(policy.get("Tags")),
    }


def _update(aws: Aws, change: Change) -> State:
    iam = aws.client("iam")
    versions = iam.list_policy_versions(PolicyArn=change.id)["Versions"]
    spare = sorted((each for each in versions if not each["IsDefaultVersion"]), key=lambda each: each["CreateDate"])
    if len(versions) >= VERSIONS:
        iam.delete_policy_version(PolicyArn=change.id, VersionId=spare[0]["VersionId"])
    iam.create_policy_version(PolicyArn=change.id, PolicyDocument=change.new["policy"], SetAsDefault=True)
    return {}


def _delete(aws: Aws, id: str, _state: State) -> None:
    iam = aws.client("iam")
    for version in iam.list_policy_versions(PolicyArn=id)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=id, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=id)


def _retag(aws: Aws, id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    iam = aws.client("iam")
    if remove:
        iam.untag_policy(PolicyArn=id, TagKeys=list(remove))
    if add:
        iam.tag_policy(PolicyArn=id, Tags=pairs(add))


def _put_inline(aws: Aws, inputs: State) -> None:
    aws.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
    )


def _inline_parts(id: str) -> tuple[str, str]:
    role, found, name = id.partition(":")
    if not (role and found and name):
        raise Refused(f"{id!r} is not the id of an inline policy: role-name:policy-name")
    return role, name


def _create_inline(aws: Aws, inputs: State) -> Created:
    _put_inline(aws, inputs)
    return Created(f"{inputs['role']}:{inputs['name']}")


def _read_inline(aws: Aws, id: str, _prior: State) -> State | None:
    role, name = _inline_parts(id)
    held = aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)
    return {"role": role, "name": name, "policy": document_text(held["PolicyDocument"])}


def _update_inline(aws: Aws, change: Change) -> State:
    _put_inline(aws, change.new)
    return {}


def _delete_inline(aws: Aws, id: str, _state: State) -> None:
    role, name = _inline_parts(id)
    aws.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


def _attach(aws: Aws, inputs: State) -> Created:
    aws.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
    return Created(f"{inputs['role']}/{inputs['policyArn']}")


def _attachment_parts(id: str) -> tuple[str, str]:
    role, _, arn = id.partition("/")
    if not role or not arn.startswith("arn:"):
        raise Refused(f"{id!r} is not the id of a policy attachment: role-name/policy-arn")
    return role, arn


def _read_attachment(aws: Aws, id: str, _prior: State) -> State | None:
    role, arn = _attachment_parts(id)
    pages = aws.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
    attached = any(policy["PolicyArn"] == arn for page in pages for policy in page["AttachedPolicies"])
    return {"role": role, "policyArn": arn} if attached else None


def _detach(aws: Aws, id: str, _state: State) -> None:
    role, arn = _attachment_parts(id)
    aws.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)


_name = Property(
    Scalar.STRING, replaces=True, rule=matches(NAME % 128, "a policy's name: up to 128 of A-Z a-z 0-9 + = , . @ _ -")
)

RESOURCES = (
    Resource(
        type="aws:iam/policy:Policy",
        inputs={
            "name": _name,
            "path": Property(Scalar.STRING, replaces=True, default="/"),
            "description": Property(Scalar.STRING, replaces=True),
            "policy": Property(Scalar.POLICY, required=True),
        },
        outputs={"arn": Scalar.STRING, "policyId": Scalar.STRING, "attachmentCount": Scalar.INTEGER},
        fixed={"namePrefix": ""},
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=_retag,
        autoname=AutoName(longest=128),
        regional=False,
    ),
    Resource(
        type="aws:iam/rolePolicy:RolePolicy",
        inputs={
            "name": _name,
            "role": Property(Scalar.STRING, required=True, replaces=True),
            "policy": Property(Scalar.POLICY, required=True),
        },
        outputs={},
        fixed={"namePrefix": ""},
        create=_create_inline,
        read=_read_inline,
        update=_update_inline,
        delete=_delete_inline,
        autoname=AutoName(longest=128),
        regional=False,
    ),
    Resource(
        type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        inputs={
            "role": Property(Scalar.STRING, required=True, replaces=True),
            "policyArn": Property(Scalar.STRING, required=True, replaces=True, rule=is_arn),
        },
        outputs={},
        create=_attach,
        read=_read_attachment,
        delete=_detach,
        delete_before_replace=True,
        regional=False,
    ),
)
