"""The provider under the real engine: a stack's whole life, drift, replacement, imports, the account guard."""

from __future__ import annotations

import pytest

from tests.provider.harness import ACCOUNT, AwsServer, Stack
from tests.provider.programs import EVERYTHING, HANDLER, write_function

pytestmark = pytest.mark.engine

QUEUE = """
import os
aws.sqs.Queue("queue", name="drifting", visibility_timeout_seconds=60, tags={"owner": "us"})
"""


def output(stack: Stack, name: str) -> str:
    return stack.run("stack", "output", name).strip()


def test_every_type_lives_its_whole_life(aws: AwsServer, stack: Stack) -> None:
    write_function(stack)
    stack.program(EVERYTHING)
    assert "26 to create" in stack.run("preview")
    assert "26 created" in stack.up()
    assert (output(stack, "account"), output(stack, "partition"), output(stack, "region")) == (
        ACCOUNT,
        "aws",
        "us-east-1",
    )
    assert '"action": "create", "prev_input": null' in output(stack, "result")

    tags = stack.state()["secret"]["outputs"]["tagsAll"]
    assert tags == {"cell": "t", "own": "1"}, "the provider's default tags belong to every taggable resource"
    assert aws.client("secretsmanager").describe_secret(SecretId="e2e/secret")["RotationEnabled"]

    stack.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    stack.run("refresh", "--yes", "--expect-no-changes")
    stack.run("up", "--yes", "--skip-preview", "--expect-no-changes")

    assert "2 to update" in stack.run("preview", N="2")
    assert "2 updated" in stack.up(N="2")
    assert '"action": "update", "prev_input": {"n": 1}' in output(stack, "result")

    write_function(stack, HANDLER + "# a change of code alone\n")
    assert "1 updated" in stack.up(N="2")
    stack.run("refresh", "--yes", "--expect-no-changes", N="2")

    assert "26 deleted" in stack.run("destroy", "--yes")
    assert stack.state() == {}
    assert aws.client("sqs").list_queues(QueueNamePrefix="queue-").get("QueueUrls", []) == []


def test_what_is_changed_by_hand_is_seen_and_put_back(aws: AwsServer, stack: Stack) -> None:
    stack.program(QUEUE)
    stack.up()
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="drifting")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "99"})
    sqs.tag_queue(QueueUrl=url, Tags={"owner": "them", "rogue": "1"})

    shown = stack.run("refresh", "--preview-only", "--diff")
    assert "visibilityTimeoutSeconds" in shown
    assert "60 => 99" in shown
    assert "rogue" in shown
    stack.run("refresh", "--yes", "--expect-no-changes", fails=True)
    assert "1 updated" in stack.up()
    held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert held == {"VisibilityTimeout": "60"}
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"owner": "us"}

    sqs.delete_queue(QueueUrl=url)
    assert "1 deleted" in stack.run("refresh", "--yes"), "what is gone leaves the state"
    assert "1 created" in stack.up()
    stack.run("destroy", "--yes")


def test_a_fixed_name_is_replaced_by_deleting_first_and_an_automatic_one_by_a_new_name(
    aws: AwsServer, stack: Stack
) -> None:
    program = """
import os
trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
path = os.environ.get("IAM_PATH", "/")
aws.iam.Role("role", name="replaced", path=path, assume_role_policy=trust)
aws.iam.Role("automatic", path=path, assume_role_policy=trust)
"""
    stack.program(program)
    stack.up()
    before = stack.state()["automatic"]["id"]
    assert "2 replaced" in stack.up(IAM_PATH="/moved/")
    assert stack.state()["automatic"]["id"] != before
    assert aws.client("iam").get_role(RoleName="replaced")["Role"]["Path"] == "/moved/"
    stack.run("destroy", "--yes")


def test_an_import_gives_the_inputs_that_a_program_needs(aws: AwsServer, stack: Stack) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="adopted", Attributes={"VisibilityTimeout": "77"}, tags={"own": "1"})["QueueUrl"]
    code = stack.run("import", "--yes", "--protect=false", "aws:sqs/queue:Queue", "adopted", url)
    assert "visibilityTimeoutSeconds = 77" in code
    assert stack.state()["adopted"]["inputs"] == {
        "__defaults": [],
        "name": "adopted",
        "tags": {"own": "1"},
        "visibilityTimeoutSeconds": 77,
    }, "neither defaults nor what AWS fills in belongs into a program"

    stack.program('aws.sqs.Queue("adopted", name="adopted", visibility_timeout_seconds=77, tags={"own": "1"})\n')
    stack.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    missing = stack.run("import", "--yes", "aws:sqs/queue:Queue", "missing", url + "-no", fails=True)
    assert "does not exist" in missing
    malformed = stack.run("import", "--yes", "aws:iam/rolePolicy:RolePolicy", "inline", "role", fails=True)
    assert "role-name:policy-name" in malformed
    stack.run("destroy", "--yes")


def test_another_account_is_refused_before_anything_changes_at_every_command(stack: Stack) -> None:
    program = """
import os
p = aws.Provider("p", region="us-east-1", allowed_account_ids=[os.environ.get("ACCOUNT", "000000000000")])
aws.sqs.Queue("queue", name="guarded", opts=pulumi.ResourceOptions(provider=p))
"""
    stack.program(program)
    refused = stack.up(fails=True, ACCOUNT="111111111111")
    assert "AWS account ID not allowed: 000000000000" in refused
    assert "111111111111" in refused
    assert "queue" not in stack.state()

    stack.up()
    exported = stack.folder / "state.json"
    stack.run("stack", "export", "--file", str(exported))
    exported.write_text(exported.read_text().replace('[\\"000000000000\\"]', '[\\"111111111111\\"]'))
    stack.run("stack", "import", "--file", str(exported))
    for command in ("refresh", "destroy"):
        assert "AWS account ID not allowed" in stack.run(command, "--yes", fails=True), command
    exported.write_text(exported.read_text().replace("111111111111", "000000000000"))
    stack.run("stack", "import", "--file", str(exported))
    stack.run("destroy", "--yes")
