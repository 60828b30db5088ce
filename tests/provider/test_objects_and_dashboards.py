"""Objects in a bucket and dashboards: written, changed, read back and deleted as the official plugin does it."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from botocore.exceptions import ClientError

from local.provider.registry import find
from tests.provider.harness import ACCOUNT, AwsServer, Provider

BUCKET, OBJECT = "aws:s3/bucket:Bucket", "aws:s3/bucketObjectv2:BucketObjectv2"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
TEXT = {"type": "text", "x": 0, "y": 0, "width": 6, "height": 2, "properties": {"markdown": "hello"}}


def test_an_object_has_its_text_and_goes_with_its_bucket_only_if_that_is_forced(
    aws: AwsServer, provider: Provider
) -> None:
    s3 = aws.client("s3")
    id, bucket = provider.create(BUCKET, "kept", bucket="a-bucket-with-objects", forceDestroy=True)
    key, made = provider.create(
        OBJECT, "one", bucket=id, key="d/one.json", content="{}", contentType="application/json"
    )
    assert (key, made["contentType"], made["arn"]) == (
        "d/one.json",
        "application/json",
        "arn:aws:s3:::a-bucket-with-objects/d/one.json",
    )
    given: dict[str, Any] = {"bucket": id, "key": key, "contentType": "application/json"}
    changed = provider.update(OBJECT, "one", key, made, **given, content='{"a":1}')
    assert s3.get_object(Bucket=id, Key=key)["Body"].read() == b'{"a":1}'
    assert changed["etag"] != made["etag"]
    assert provider.read(OBJECT, "one", key, **changed).id == key
    s3.delete_object(Bucket=id, Key=key)
    assert provider.read(OBJECT, "one", key, **changed).id == "", "gone, and made again by the next update"

    _, made = provider.create(OBJECT, "one", **given, content="{}")
    with pytest.raises(grpc.RpcError, match="BucketNotEmpty"):
        provider.delete(BUCKET, "kept", id, bucket | {"forceDestroy": False})
    provider.delete(BUCKET, "kept", id, bucket)
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=id)
    provider.delete(OBJECT, "one", key, made)


def test_a_dashboard_is_replaced_as_a_whole(aws: AwsServer, provider: Provider) -> None:
    body = {"widgets": [TEXT]}
    id, made = provider.create(DASHBOARD, "shown", dashboardName="shown", dashboardBody=json.dumps(body))
    assert made["dashboardArn"] == f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/shown"
    provider.update(DASHBOARD, "shown", id, made, dashboardName="shown", dashboardBody=json.dumps({"widgets": []}))
    client = aws.client("cloudwatch")
    assert json.loads(client.get_dashboard(DashboardName="shown")["DashboardBody"]) == {"widgets": []}
    provider.delete(DASHBOARD, "shown", id, made)
    assert provider.read(DASHBOARD, "shown", id, **made).id == ""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "an object with `widgets`"),
        ({"widgets": [TEXT | {"type": "picture"}]}, "none of alarm"),
        ({"widgets": [TEXT | {"x": 24}]}, "outside"),
        ({"widgets": [TEXT | {"type": "metric", "properties": {"metrics": [["a", "b"]]}}]}, "properties.region"),
        ({"widgets": [TEXT | {"properties": {}}]}, "properties.markdown"),
    ],
)
def test_a_body_that_cloudwatch_refuses_is_refused(body: Any, reason: str) -> None:
    rule = find(DASHBOARD).inputs["dashboardBody"].rule
    assert rule is not None
    assert reason in (rule(json.dumps(body)) or "")
