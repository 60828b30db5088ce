"""What is set on an S3 bucket: versions, encryption, public access, policy, lifecycle.

The id of each is the bucket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from local.provider.aws import Aws
from local.provider.model import Change, Created, ListOf, ObjectOf, Property, Resource, Scalar, State
from local.provider.rules import between, one_of
from local.provider.services.s3_bucket import NO_BUCKET, unless

Put = Callable[[Any, State], None]
_ON_AND_OFF: Final = ("Enabled", "Disabled")
_PUBLIC: Final = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


def _setting(
    kind: str,
    inputs: dict[str, Property],
    put: Put,
    get: Callable[[Any, str], State],
    end: Callable[[Any, str], object],
    without: str,
    **more: Any,
) -> Resource:
    """`without` is S3's error code for a bucket that has no such setting."""
    gone = NO_BUCKET | {without}

    def create(aws: Aws, given: State) -> Created:
        put(aws.client("s3"), given)
        return Created(given["bucket"])

    def read(aws: Aws, id: str, _prior: State) -> State | None:
        try:
            return {"bucket": id} | get(aws.client("s3"), id)
        except ClientError as error:
            unless(error, gone)
            return None

    def update(aws: Aws, change: Change) -> State:
        put(aws.client("s3"), change.new)
        return {}

    def delete(aws: Aws, id: str, _state: State) -> None:
        try:
            end(aws.client("s3"), id)
        except ClientError as error:
            unless(error, gone)

    bucket = {"bucket": Property(Scalar.STRING, required=True, replaces=True)}
    token = f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}"
    more.setdefault("outputs", {})
    return Resource(type=token, inputs=bucket | inputs, create=create, read=read, update=update, delete=delete, **more)


def _put_versions(s3: Any, given: State) -> None:
    status = given["versioningConfiguration"]["status"]
    s3.put_bucket_versioning(Bucket=given["bucket"], VersioningConfiguration={"Status": status})


def _get_versions(s3: Any, id: str) -> State:
    return {"versioningConfiguration": {"status": s3.get_bucket_versioning(Bucket=id).get("Status", "Disabled")}}


def _end_versions(s3: Any, id: str) -> None:
    """Versioning can only be suspended: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html"""
    s3.put_bucket_versioning(Bucket=id, VersioningConfiguration={"Status": "Suspended"})


def _put_encryption(s3: Any, given: State) -> None:
    default = [one["applyServerSideEncryptionByDefault"]["sseAlgorithm"] for one in given["rules"]]
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": one}} for one in default]
    s3.put_bucket_encryption(Bucket=given["bucket"], ServerSideEncryptionConfiguration={"Rules": rules})


def _get_encryption(s3: Any, id: str) -> State:
    rules = s3.get_bucket_encryption(Bucket=id)["ServerSideEncryptionConfiguration"]["Rules"]
    default = [one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for one in rules]
    return {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": one}} for one in default]}


def _put_public_access(s3: Any, given: State) -> None:
    blocked = {theirs: bool(given.get(ours)) for ours, theirs in _PUBLIC.items()}
    s3.put_public_access_block(Bucket=given["bucket"], PublicAccessBlockConfiguration=blocked)


def _get_public_access(s3: Any, id: str) -> State:
    blocked = s3.get_public_access_block(Bucket=id)["PublicAccessBlockConfiguration"]
    return {ours: bool(blocked.get(theirs)) for ours, theirs in _PUBLIC.items()}


def _put_lifecycle(s3: Any, given: State) -> None:
    rules: list[dict[str, Any]] = []
    for rule in given["rules"]:
        made = {"ID": rule["id"], "Status": rule["status"]}
        made["Filter"] = {"Prefix": (rule.get("filter") or {}).get("prefix", "")}
        if old := rule.get("noncurrentVersionExpiration"):
            kept = {"NewerNoncurrentVersions": old["newerNoncurrentVersions"]}
            made["NoncurrentVersionExpiration"] = {"NoncurrentDays": old["noncurrentDays"]} | kept
        if end := rule.get("expiration"):
            made["Expiration"] = {"Days": end["days"]}
        rules.append(made)
    s3.put_bucket_lifecycle_configuration(Bucket=given["bucket"], LifecycleConfiguration={"Rules": rules})


def _get_lifecycle(s3: Any, id: str) -> State:
    rules: list[dict[str, Any]] = []
    for rule in s3.get_bucket_lifecycle_configuration(Bucket=id)["Rules"]:
        found = {"id": rule["ID"], "status": rule["Status"]}
        found["filter"] = {"prefix": rule.get("Filter", {}).get("Prefix", "")}
        if old := rule.get("NoncurrentVersionExpiration"):
            kept = {"newerNoncurrentVersions": old.get("NewerNoncurrentVersions")}
            found["noncurrentVersionExpiration"] = {"noncurrentDays": old["NoncurrentDays"]} | kept
        if end := rule.get("Expiration"):
            found["expiration"] = {"days": end["Days"]}
        rules.append(found)
    return {"rules": rules}


def _block(name: str, **fields: Property) -> ObjectOf:
    return ObjectOf(f"aws:s3/{name}:{name}", fields)


RESOURCES = (
    _setting(
        "BucketVersioning",
        {
            "versioningConfiguration": Property(
                _block(
                    "BucketVersioningVersioningConfiguration",
                    status=Property(Scalar.STRING, required=True, rule=one_of(("Enabled", "Suspended", "Disabled"))),
                ),
                required=True,
            )
        },
        _put_versions,
        _get_versions,
        _end_versions,
        "NoSuchBucket",
    ),
    _setting(
        "BucketServerSideEncryptionConfiguration",
        {
            "rules": Property(
                ListOf(
                    _block(
                        "BucketServerSideEncryptionConfigurationRule",
                        applyServerSideEncryptionByDefault=Property(
                            _block(
                                "BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefault",
                                sseAlgorithm=Property(Scalar.STRING, required=True, rule=one_of(("AES256",))),
                            ),
                            required=True,
                        ),
                    )
                ),
                required=True,
            )
        },
        _put_encryption,
        _get_encryption,
        lambda s3, id: s3.delete_bucket_encryption(Bucket=id),
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    _setting(
        "BucketPublicAccessBlock",
        {name: Property(Scalar.BOOLEAN, default=False) for name in _PUBLIC},
        _put_public_access,
        _get_public_access,
        lambda s3, id: s3.delete_public_access_block(Bucket=id),
        "NoSuchPublicAccessBlockConfiguration",
    ),
    _setting(
        "BucketPolicy",
        {"policy": Property(Scalar.POLICY, required=True)},
        lambda s3, given: s3.put_bucket_policy(Bucket=given["bucket"], Policy=given["policy"]),
        lambda s3, id: {"policy": s3.get_bucket_policy(Bucket=id)["Policy"]},
        lambda s3, id: s3.delete_bucket_policy(Bucket=id),
        "NoSuchBucketPolicy",
    ),
    _setting(
        "BucketLifecycleConfiguration",
        {
            "rules": Property(
                ListOf(
                    _block(
                        "BucketLifecycleConfigurationRule",
                        id=Property(Scalar.STRING, required=True),
                        status=Property(Scalar.STRING, required=True, rule=one_of(_ON_AND_OFF)),
                        filter=Property(
                            _block("BucketLifecycleConfigurationRuleFilter", prefix=Property(Scalar.STRING))
                        ),
                        noncurrentVersionExpiration=Property(
                            _block(
                                "BucketLifecycleConfigurationRuleNoncurrentVersionExpiration",
                                noncurrentDays=Property(Scalar.INTEGER, required=True, rule=between(1, 36500)),
                                newerNoncurrentVersions=Property(Scalar.INTEGER, required=True, rule=between(1, 100)),
                            ),
                        ),
                        expiration=Property(
                            _block(
                                "BucketLifecycleConfigurationRuleExpiration",
                                days=Property(Scalar.INTEGER, required=True, rule=between(1, 36500)),
                            ),
                        ),
                    )
                ),
                required=True,
            )
        },
        _put_lifecycle,
        _get_lifecycle,
        lambda s3, id: s3.delete_bucket_lifecycle(Bucket=id),
        "NoSuchLifecycleConfiguration",
        fixed={"expectedBucketOwner": "", "transitionDefaultMinimumObjectSize": "all_storage_classes_128K"},
    ),
)
