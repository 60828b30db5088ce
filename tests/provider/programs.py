"""Pulumi programs that the engine tests run, and the function that some of them deploy. Text: the engine runs them."""

from __future__ import annotations

import zipfile

from tests.provider.harness import Stack

HANDLER = """
import time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    if event.get("boom"):
        raise ValueError("the reason for a person")
    return {"saw": event}
"""

EVERYTHING = """
import os
n = int(os.environ.get("N", "1"))
def doc(*statements): return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
p = aws.Provider("p", region="us-east-1", allowed_account_ids=["000000000000"], default_tags={"tags": {"cell": "t"}})
class Parent(pulumi.ComponentResource):
    def __init__(self): super().__init__("my:index:Parent", "parent", None, pulumi.ResourceOptions(providers=[p]))
parent = Parent()
def under(*after): return pulumi.ResourceOptions(parent=parent, depends_on=list(after))
who = aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=p))
pulumi.export("account", who.account_id)
pulumi.export("partition", aws.get_partition(opts=pulumi.InvokeOptions(provider=p)).partition)
pulumi.export("region", aws.get_region(opts=pulumi.InvokeOptions(provider=p)).region)
key = aws.kms.Key("key", description="k", deletion_window_in_days=7, enable_key_rotation=True, opts=under())
aws.kms.Alias("alias", name="alias/e2e/key", target_key_id=key.arn, opts=under())
secret = aws.secretsmanager.Secret("secret", name="e2e/secret", kms_key_id=key.arn, recovery_window_in_days=0,
    description=f"description {n}", tags={"own": "1"}, opts=under())
trust = doc({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
role = aws.iam.Role("role", name="e2e-role", assume_role_policy=trust, opts=under())
allowed = doc({"Effect": "Allow", "Action": ["sqs:*"], "Resource": "*"})
inline = aws.iam.RolePolicy("inline", role=role.name, policy=allowed, opts=under())
managed = aws.iam.Policy("managed", policy=allowed, opts=under())
aws.iam.RolePolicyAttachment("attachment", role=role.name, policy_arn=managed.arn, opts=under())
group = aws.cloudwatch.LogGroup("group", name="/aws/lambda/e2e", retention_in_days=30, opts=under())
queue = aws.sqs.Queue("queue", message_retention_seconds=1209600, sqs_managed_sse_enabled=True, opts=under())
aws.sqs.QueuePolicy("queue-policy", queue_url=queue.url, opts=under(), policy=queue.arn.apply(lambda arn: doc(
    {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn})))
topic = aws.sns.Topic("topic", display_name="alarms", opts=under())
aws.sns.TopicPolicy("topic-policy", arn=topic.arn, opts=under(), policy=topic.arn.apply(lambda arn: doc(
    {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": arn})))
aws.sns.TopicSubscription("mail", topic=topic.arn, protocol="email", endpoint="a@b.example", opts=under())
aws.sns.TopicSubscription("subscription", topic=topic.arn, protocol="sqs", endpoint=queue.arn, opts=under())
function = aws.lambda_.Function("function", name="e2e", role=role.arn, runtime="python3.12", handler="h.handler",
    code=pulumi.FileArchive("f.zip"), timeout=20, memory_size=256, architectures=["arm64"],
    environment={"variables": {"A": "b"}}, dead_letter_config={"target_arn": queue.arn},
    logging_config={"log_format": "JSON", "log_group": group.name}, opts=under(inline))
permission = aws.lambda_.Permission("permission", action="lambda:InvokeFunction", function=function.name,
    principal="secretsmanager.amazonaws.com", source_account=who.account_id, source_arn=secret.arn, opts=under())
aws.lambda_.FunctionEventInvokeConfig("asynchronous", function_name=function.name, maximum_retry_attempts=0,
    destination_config={"on_failure": {"destination": queue.arn}}, opts=under())
call = aws.lambda_.Invocation("call", function_name=function.name, input=json.dumps({"n": n}),
    lifecycle_scope="CRUD", opts=under())
pulumi.export("result", call.result)
aws.cloudwatch.MetricAlarm("alarm", comparison_operator="GreaterThanThreshold", evaluation_periods=1,
    metric_name="Errors", namespace="AWS/Lambda", period=60, statistic="Sum", threshold=0,
    dimensions={"FunctionName": function.name}, alarm_actions=[topic.arn],
    treat_missing_data="notBreaching", opts=under())
rule = aws.cloudwatch.EventRule("rule", event_pattern=json.dumps({"source": ["aws.secretsmanager"]}), opts=under())
aws.cloudwatch.EventTarget("target", rule=rule.name, arn=topic.arn, opts=under())
policy = aws.secretsmanager.SecretPolicy("secret-policy", secret_arn=secret.arn, block_public_policy=True, opts=under(),
    policy=doc({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/x": "y"}}}))
aws.secretsmanager.SecretRotation("rotation", secret_id=secret.id, rotation_lambda_arn=function.arn,
    rotate_immediately=False, rotation_rules={"automatically_after_days": 30}, opts=under(permission))
"""


def write_function(stack: Stack, text: str = HANDLER) -> None:
    with zipfile.ZipFile(stack.folder / "f.zip", "w") as archive:
        archive.writestr("h.py", text)
