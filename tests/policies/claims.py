"""What the rules' descriptions say, claim by claim, and what breaks each claim.

A rule whose description makes one claim has its case in test_each_rule.py. The others are here: the words of the
description, the stack, what breaks just that, and the settings if they matter.
"""

from __future__ import annotations

import base64
import json

from policies.guardrails.config import Config
from policies.guardrails.model import UNKNOWN
from tests.policies import intakes
from tests.policies.breaking import (
    COPIES,
    PIPELINE,
    Claim,
    attached,
    event,
    first,
    of,
    unprotected,
    variables,
    without_action,
    without_event_name,
)
from tests.policies.federated import FEDERATED, KEYLESS, asks, boundarys, condition, runtimes, trusts
from tests.policies.rehearsed import resource
from tests.policies.test_each_rule import (
    ACME,
    ALARM,
    INLINE,
    KEY,
    LOGS_SENT,
    PLATFORM,
    VERSION,
    drops,
    edits,
    extra,
    no_condition,
    sets,
    statement,
    user_policy,
)

# ruff: noqa: E501 - a table

GLOBEX = "globex.local"
ARN = "arn:aws:{}:us-east-1:000000000000:{}"
THERE = "arn:aws:logs:us-east-1:999999999999:destination:x"
SECRET, OTHERS, SWEEP = "acme-key-secret", "acme-key-policy", "local-sweep-function"
MAY = "local-sweep-permissions"
STORED = "local-health-store-policy"


PRODUCTION, DEPLOYERS = (
    Config(production_cells=("local",)),
    Config(deployers=("arn:aws:iam::000000000000:user/intern",)),
)
EMAILS = Config(alarm_emails=("oncall@myflux.example", "second@myflux.example"))
PASSES = user_policy("iam:PassRole", "arn:aws:iam::000000000000:role/myflux-local-sweep")

CLAIMS: dict[str, list[Claim]] = {
    "no-secret-version": [
        Claim("a tenant's secret", ACME, extra(resource(VERSION, secretId="myflux/local/acme/openai", secretString="x"))),
        Claim("an admin secret", PLATFORM, extra(resource(VERSION, secretId="myflux-admin/local/openai", secretString="x"))),
    ],
    "no-key-in-properties": [
        Claim("No property of any resource holds anything shaped like a key, in plain", PLATFORM, sets(SWEEP, description=KEY)),
        Claim("encoded text", PLATFORM, sets(SWEEP, description=base64.b64encode(KEY.encode()).decode())),
    ],
    "no-credential-in-state": [
        Claim("no access key", ACME, extra(resource("aws:iam/accessKey:AccessKey", user="x"))),
        Claim("password", ACME, extra(resource("aws:iam/userLoginProfile:UserLoginProfile", user="x"))),
        Claim("second factor of an IAM user in plain text", ACME, extra(resource("aws:iam/virtualMfaDevice:VirtualMfaDevice"))),
        Claim("the AWS provider has no credentials as properties", ACME, sets("local-aws", secretKey="x")),
    ],
    "resources-in-sight": [
        Claim("only resources that these rules can read: those of the AWS provider", ACME, extra(resource("aws-native:iam:Role"))),
        Claim("without types such as CloudFormation stacks that make other resources out of sight", ACME, extra(resource("aws:cloudformation/stack:Stack"))),
        Claim("and components", ACME, extra(resource("acme:index:App"))),
    ],
    "secret-has-its-own-kms-key": [
        Claim("Our secrets", ACME, sets(SECRET, kmsKeyId=None)),
        Claim("their replicas are encrypted with customer managed KMS keys", COPIES, sets("harbor-key-secret", replicas=[{"region": "us-west-2"}])),
        Claim("given by ARN", ACME, sets(SECRET, kmsKeyId="alias/myflux/local")),
    ],
    "secret-name-and-tags-agree": [
        Claim("the tags tenant", ACME, sets(SECRET, tags={"cell": "local", "managed-by": "myflux-keys"})),
        Claim("cell", ACME, sets(SECRET, tags={"tenant": "acme", "managed-by": "myflux-keys"})),
        Claim("managed-by", ACME, sets(SECRET, tags={"tenant": "acme", "cell": "local"})),
        Claim("they match its name", ACME, sets(SECRET, name="myflux/local/fjord/openai")),
    ],
    "role-tags-agree": [
        Claim("those of the platform", PLATFORM, sets("local-sweep-role", tags={"tenant": "acme"})),
        Claim("A role's tags are", PLATFORM, sets("local-runtime-role", tags={"Tenant": "acme"})),
        Claim("of its one tenant", GLOBEX, sets("globex-dedicated-role", tags={"tenant": "acme"})),
    ],
    "secret-has-its-policy": [
        Claim("Each of our secrets has a resource policy", ACME, drops(OTHERS)),
        Claim("blocks public policies", ACME, sets(OTHERS, blockPublicPolicy=False)),
    ],
    "secret-shuts-out-all-but-named": [
        Claim("denies reading", ACME, edits(OTHERS, "policy", without_action("secretsmanager:GetSecretValue"))),
        Claim("writing", ACME, edits(OTHERS, "policy", without_action("secretsmanager:PutSecretValue"))),
        Claim("governing", ACME, edits(OTHERS, "policy", without_action("secretsmanager:TagResource"))),
        Claim("to everybody except the principals that need it", ACME, edits(OTHERS, "policy", first(0, ("Condition", "StringNotEquals", "aws:PrincipalArn"), ["arn:aws:iam::000000000000:role/admin"]))),
    ],
    "secret-denies-other-tenants": [
        Claim("for another tenant", ACME, edits(OTHERS, "policy", first(1, ("Condition", "StringNotEquals"), {"aws:PrincipalTag/tenant": "fjord"}))),
        Claim("for none", ACME, edits(OTHERS, "policy", lambda d: d["Statement"][1]["Condition"].update({"ForAnyValue:StringNotEquals": d["Statement"][1]["Condition"].pop("StringNotEquals")}))),
    ],
    "secret-rotates": [
        Claim("Every managed tenant's secret", ACME, drops("acme-rotation")),
        Claim("the admin key's", PLATFORM, drops("local-admin-rotation")),
    ],
    "rotation-often-enough": [
        Claim("as often as its secret's tag says", ACME, sets("acme-rotation", rotationRules={"scheduleExpression": "cron(0 19 13 1 ? *)"})),
        Claim("a schedule of its own", ACME, sets("acme-rotation", rotationRules={})),
        Claim("rates", ACME, sets("acme-rotation", rotationRules={"scheduleExpression": "rate(10 days)"})),
        Claim("counts of days start at midnight", ACME, sets("acme-rotation", rotationRules={"automaticallyAfterDays": 10})),
    ],
    "tenant-secrets-read-by-ours-alone": [
        Claim("may read tenants' secrets", ACME, extra(user_policy("secretsmanager:GetSecretValue"))),
        Claim("Only the runtime, a tenant's own role, the hand-over role, the rotation, the sweep and the health function", PLATFORM, edits("local-provisioner-permissions", "policy", first(0, ("Resource",), "*"))),
    ],
    "secrets-changed-by-ours-alone": [
        Claim("Only the rotation functions write our secrets", ACME, extra(user_policy("secretsmanager:PutSecretValue"))),
        Claim("only deployers tag", ACME, extra(user_policy("secretsmanager:UntagResource"))),
        Claim("share", ACME, extra(user_policy("secretsmanager:PutResourcePolicy"))),
        Claim("delete them", ACME, extra(user_policy("secretsmanager:DeleteSecret"))),
    ],
    "roles-and-functions-not-taken-over": [
        Claim("our roles", ACME, extra(user_policy("iam:UpdateAssumeRolePolicy"))),
        Claim("policies", ACME, extra(user_policy("iam:SetDefaultPolicyVersion"))),
        Claim("functions", ACME, extra(user_policy("lambda:UpdateFunctionConfiguration"))),
        Claim("call our functions", ACME, extra(user_policy("lambda:InvokeFunction"))),
        Claim("set when", ACME, extra(user_policy("events:PutRule"))),
        Claim("with what our rules call them", ACME, extra(user_policy("events:PutTargets"))),
        Claim("govern every KMS key", ACME, extra(user_policy("kms:PutKeyPolicy"))),
    ],
    "roles-passed-to-lambda-alone": [
        Claim("Only deployers may pass our roles to a service", ACME, extra(PASSES)),
        Claim("only to Lambda", ACME, extra(PASSES), DEPLOYERS),
    ],
    "own-documents-readable": [
        Claim("known before deployment", PLATFORM, sets("local-boundary", policy=UNKNOWN)),
        Claim("well-formed", PLATFORM, sets("local-boundary", policy="{")),
    ],
    "other-documents-readable": [
        Claim("well-formed", ACME, extra(resource(INLINE, user="intern", policy="{"))),
    ],
    "own-roles-narrow": [
        Claim("only what they need", PLATFORM, edits(MAY, "policy", statement(0, Action="s3:GetObject"))),
        Claim("on their own cell's resources", PLATFORM, edits(MAY, "policy", of("LookAtTenants", ("Resource",), ARN.format("secretsmanager", "secret:myflux/prod-eu1/*/openai-??????")))),
        Claim("without wildcards in actions", PLATFORM, edits(MAY, "policy", statement(0, Action="secretsmanager:*"))),
    ],
    "runtime-reads-by-tag": [
        Claim("its name", PLATFORM, edits("local-runtime-read", "policy", statement(0, Resource=ARN.format("secretsmanager", "secret:myflux/local/*/openai-??????")))),
        Claim("its tag have the session's tenant", PLATFORM, edits("local-runtime-read", "policy", no_condition(0, "StringEquals"))),
    ],
    "own-roles-bounded": [
        Claim("sessions of at most an hour", PLATFORM, sets("local-runtime-role", maxSessionDuration=7200)),
        Claim("the cell's permissions boundary", PLATFORM, sets("local-sweep-role", permissionsBoundary="arn:aws:iam::000000000000:policy/myflux-prod-eu1-boundary")),
    ],
    "policies-attached-where-they-belong": [
        Claim("No managed policy that allows access to all secrets is attached", PLATFORM, attached("aws:policy/SecretsManagerReadWrite", "x")),
        Claim("ours are attached to their role only", PLATFORM, attached("000000000000:policy/myflux-local-read", "x")),
    ],
    "trust-names-its-principals": [
        Claim("only named principals: IAM users and roles for the runtime", PLATFORM, edits("local-runtime-role", "assumeRolePolicy", statement(0, Principal={"AWS": "000000000000"}))),
        Claim("a tenant's own role", GLOBEX, edits("globex-dedicated-role", "assumeRolePolicy", statement(0, Principal={"AWS": "*"}))),
        Claim("the hand-over role", PLATFORM, edits("local-handover-role", "assumeRolePolicy", statement(0, Principal={"AWS": "*"}))),
        Claim("Lambda for a function", PLATFORM, edits("local-sweep-role", "assumeRolePolicy", statement(0, Principal={"Service": "ec2.amazonaws.com"}))),
        Claim("Of our own roles only the health function's may become the runtime", FEDERATED, trusts("arn:aws:iam::000000000000:role/myflux-local-sweep")),
        Claim("one job for a pipeline", PIPELINE, edits("local-deployer-role", "assumeRolePolicy", lambda d: d["Statement"][0].pop("Condition"))),
    ],
    "trust-demands-the-tenant": [
        Claim("A session of the runtime", PLATFORM, edits("local-runtime-role", "assumeRolePolicy", lambda d: d["Statement"][0].pop("Condition"))),
        Claim("the hand-over role has the tag of exactly one tenant", PLATFORM, edits("local-handover-role", "assumeRolePolicy", no_condition(0, "StringNotLike"))),
        Claim("a tenant's own", GLOBEX, edits("globex-dedicated-role", "assumeRolePolicy", first(0, ("Condition", "StringEquals", "aws:RequestTag/tenant"), ["globex", "acme"]))),
        Claim("no other tags", PLATFORM, edits("local-runtime-role", "assumeRolePolicy", first(0, ("Condition", "ForAllValues:StringEquals", "aws:TagKeys"), ["tenant", "team"]))),
    ],
    "handover-reads-current-pasted-keys": [
        Claim("The hand-over role reads the current key alone", PLATFORM, edits("local-handover-read", "policy", first(0, ("Condition", "StringEquals", "secretsmanager:VersionStage"), "AWSPREVIOUS"))),
        Claim("of tenants with a consumer for whom a person pastes it", PLATFORM, edits("local-handover-read", "policy", no_condition(0, "StringLike"))),
    ],
    "tokens-for-ones-own-tenant": [
        Claim("is for the cell's audience", FEDERATED, runtimes(condition("ForAllValues:StringEquals", "sts:IdentityTokenAudience", "https://api.openai.com/v1"))),
        Claim("audience", FEDERATED, runtimes(condition("Null", "sts:IdentityTokenAudience", None))),
        Claim("A token in place of a key", PLATFORM, boundarys(condition("ForAllValues:StringEquals", "sts:IdentityTokenAudience", "*"))),
        Claim("of at most 15 minutes", FEDERATED, runtimes(condition("NumericLessThanEquals", "sts:DurationSeconds", "901"))),
        Claim("signed by ES384", FEDERATED, runtimes(condition("StringEquals", "sts:SigningAlgorithm", "RS256"))),
        Claim("only for a session that is tagged with a tenant", FEDERATED, runtimes(condition("Null", "aws:PrincipalTag/tenant", None))),
        Claim("which reads its own identity alone", FEDERATED, runtimes(lambda one: one.update(Resource=one["Resource"][0].replace("${aws:PrincipalTag/tenant}", "*")), "ReadOwnIdentity")),
    ],
    "rules-match-the-runtime-alone": [
        Claim("accepts tokens of the cell's runtime role", KEYLESS, asks(subject="arn:aws:iam::000000000000:role/myflux-local-sweep")),
        Claim("runtime role", KEYLESS, asks(subject="arn:aws:iam::000000000000:role/myflux-local-*")),
        Claim("for the cell's audience", KEYLESS, asks(audience="myflux-prod-eu1")),
        Claim("from an AWS account's issuer", KEYLESS, asks(issuer="https://tokens.sts.global.api.aws.evil.example")),
    ],
    "no-condition-that-passes-on-nothing": [
        Claim("No condition of our Allow statements holds if its key is missing from the request", PLATFORM, edits(MAY, "policy", of("DecryptThroughSecretsManager", ("Condition", "StringEqualsIfExists"), {"aws:SourceVpc": "x"}))),
        Claim("except a pipeline's for the function that rotates", PIPELINE, edits("local-deployer-permissions", "policy", first(1, ("Condition",), {"StringEqualsIfExists": {"aws:SourceVpc": "x"}}))),
    ],
    "kms-key-used-through-secrets-manager": [
        Claim("only by named roles", PLATFORM, edits("local-key-key", "policy", lambda d: d["Statement"][1]["Condition"]["StringEquals"].pop("aws:PrincipalArn"))),
        Claim("through Secrets Manager", PLATFORM, edits("local-key-key", "policy", lambda d: d["Statement"][1]["Condition"]["StringEquals"].pop("kms:ViaService"))),
        Claim("for named secrets", PLATFORM, edits("local-key-key", "policy", no_condition(1, "StringLike"))),
        Claim("only the account and deployers govern them", PLATFORM, edits("local-key-key", "policy", first(0, ("Principal", "AWS"), "arn:aws:iam::000000000000:role/intern")), DEPLOYERS),
    ],
    "kms-key-kept": [
        Claim("KMS rotates our keys", PLATFORM, sets("local-key-key", enableKeyRotation=False)),
        Claim("yearly", PLATFORM, sets("local-key-key", rotationPeriodInDays=2560)),
        Claim("their deletion can be cancelled for long enough", PLATFORM, sets("local-key-key", deletionWindowInDays=7)),
    ],
    "functions-called-by-ours-alone": [
        Claim("Only Secrets Manager", PLATFORM, sets("local-rotation-permission", principal="s3.amazonaws.com")),
        Claim("for our secrets", PLATFORM, sets("local-rotation-permission", sourceArn=ARN.format("secretsmanager", "secret:*"))),
        Claim("our EventBridge rules may call a function", PLATFORM, sets("local-sweeping-permission", sourceArn=ARN.format("events", "rule/other"))),
        Claim("None but the connect page has a URL", PLATFORM, extra(resource("aws:lambda/functionUrl:FunctionUrl", functionName="myflux-local-sweep"))),
    ],
    "functions-are-bridled": [
        Claim("A function's concurrency is limited", PLATFORM, sets(SWEEP, reservedConcurrentExecutions=-1)),
        Claim("its failed events go to our queue only", PLATFORM, sets(SWEEP, deadLetterConfig={"targetArn": ARN.format("sqs", "calls")})),
    ],
    "projects-made-by-the-provisioner": [
        Claim("Of our functions, Pulumi calls only the cell's provisioner", ACME, sets("acme-openai-invocation", functionName="myflux-local-sweep")),
        Claim("the cell's", ACME, sets("acme-openai-invocation", functionName="myflux-prod-eu1-provisioner")),
        Claim("to create, update and archive", ACME, sets("acme-openai-invocation", lifecycleScope="CREATE_ONLY")),
        Claim("the tenant's project", ACME, event("acme-openai-invocation", project="myflux-local-fjord")),
    ],
    "functions-environment-is-plain": [
        Claim("only the variables that the program sets", PLATFORM, variables(PYTHONPATH="/tmp")),
        Claim("its own cell", PLATFORM, variables(MYFLUX_CELL="prod-eu1")),
        Claim("that cell's admin secret", PLATFORM, variables(MYFLUX_ADMIN_SECRET="myflux-admin/prod-eu1/openai")),
        Claim("an OpenAI organization", PLATFORM, variables(MYFLUX_ORGANIZATION_ID="proj_x")),
        Claim("bucket", PLATFORM, variables(MYFLUX_HEALTH_BUCKET="myflux-health-prod-eu1-000000000000")),
        Claim("topic", PLATFORM, variables(MYFLUX_ALARM_TOPIC=ARN.format("sns", "myflux-prod-eu1-alarms"))),
        Claim("a language", PLATFORM, variables(MYFLUX_LANGUAGE="fr")),
        Claim("an OPENAI_BASE_URL of OpenAI's", PLATFORM, variables(OPENAI_BASE_URL="https://evil.example")),
    ],
    "functions-keep-their-logs": [
        Claim("has a log group in the stack", PLATFORM, drops("local-sweep-logs")),
        Claim("logs there", PLATFORM, sets(SWEEP, loggingConfig={"logGroup": "/elsewhere"})),
        Claim("all that it says", PLATFORM, sets(SWEEP, loggingConfig={"logFormat": "JSON", "applicationLogLevel": "FATAL"})),
        Claim("a long enough retention", PLATFORM, sets("local-sweep-logs", retentionInDays=1)),
        Claim("not unlimited", PLATFORM, sets("local-sweep-logs", retentionInDays=0)),
    ],
    "logs-stay-in-the-account": [
        Claim("No subscription", PLATFORM, extra(resource(LOGS_SENT, logGroup="/aws/lambda/myflux-local-sweep", destinationArn=THERE))),
        Claim("account policy", PLATFORM, extra(resource("aws:cloudwatch/logAccountPolicy:LogAccountPolicy", policyType="SUBSCRIPTION_FILTER_POLICY", policyDocument=json.dumps({"DestinationArn": THERE})))),
        Claim("monitoring link sends the functions' logs to another account", PLATFORM, extra(resource("aws:oam/link:Link", resourceTypes=["AWS::Logs::LogGroup"]))),
    ],
    "functions-run-our-code": [
        Claim("runs the archive that is built for it", PLATFORM, sets(SWEEP, handler="x.y")),
        Claim("as its own role", PLATFORM, sets(SWEEP, role="arn:aws:iam::000000000000:role/myflux-local-rotation")),
        Claim("without layers", PLATFORM, sets(SWEEP, layers=["x"])),
        Claim("an image", PLATFORM, sets(SWEEP, imageUri="x")),
    ],
    "functions-called-when-they-must": [
        Claim("Secrets Manager may call the rotation functions", PLATFORM, drops("local-admin-permission")),
        Claim("Schedules call the sweep", PLATFORM, drops("local-sweeping-permission")),
        Claim("the health function", PLATFORM, event("local-health-target", every_minutes=1440)),
        Claim("the admin key's rotation", PLATFORM, drops("local-admin-tidy-permission")),
        Claim("at least daily", PLATFORM, sets("local-sweeping-rule", scheduleExpression="rate(2 days)")),
        Claim("with the right event", PLATFORM, event("local-sweeping-target", dry_run=True)),
    ],
    "functions-leave-a-trace": [
        Claim("may write its log", PLATFORM, edits(MAY, "policy", without_action("logs:PutLogEvents"))),
        Claim("send its dead letters", PLATFORM, edits(MAY, "policy", without_action("sqs:SendMessage"))),
    ],
    "alarms-ring": [
        Claim("an alarm for functions' errors", PLATFORM, drops(ALARM)),
        Claim("for dead letters", PLATFORM, drops("local-alarms-dead-letters-alarm")),
        Claim("for each metric of the sweep", PLATFORM, drops("local-sweeping-ForeignKeys")),
        Claim("for a health function that does not work", PLATFORM, drops("local-health-HealthCycles")),
    ],
    "failed-rotations-told": [
        Claim("notifies the alarms' topic", PLATFORM, sets("local-alarms-rotation-failed-target", arn=ARN.format("sns", "x"))),
        Claim("every failed", PLATFORM, without_event_name("RotationFailed")),
        Claim("abandoned rotation", PLATFORM, without_event_name("RotationAbandoned")),
    ],
    "functions-look-by-the-clock": [
        Claim("An enabled", PLATFORM, sets("local-sweeping-rule", state="DISABLED")),
        Claim("scheduled rule calls the sweep", PLATFORM, drops("local-sweeping-target")),
        Claim("the health function", PLATFORM, drops("local-health-target")),
        Claim("the admin key's rotation", PLATFORM, drops("local-admin-tidy-target")),
    ],
    "alarms-topic-closed": [
        Claim("Only services", PLATFORM, edits("local-alarms-topic-policy", "policy", statement(0, Principal={"AWS": "*"}))),
        Claim("of the same account may publish to our topics", PLATFORM, edits("local-alarms-topic-policy", "policy", lambda d: d["Statement"][0].pop("Condition"))),
        Claim("queues", PLATFORM, sets("local-alarms-dead-letters", policy=json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}))),
        Claim("No queue or function of another account is subscribed", PLATFORM, extra(resource("aws:sns/topicSubscription:TopicSubscription", topic=ARN.format("sns", "myflux-local-alarms"), protocol="sqs", endpoint="arn:aws:sqs:us-east-1:999999999999:x"))),
        Claim("The cell's `alarm_emails` are subscribed to the topic", PLATFORM, lambda s: s, EMAILS),
        Claim("in production at least one address is", PLATFORM, drops("local-alarms-oncall@myflux.example"), PRODUCTION),
    ],
    "declarations-closed": [
        Claim("blocks public access", PLATFORM, sets("local-health-store-public-access", blockPublicPolicy=False)),
        Claim("encrypts its objects", PLATFORM, drops("local-health-store-encryption")),
        Claim("only the health function", PLATFORM, edits(STORED, "policy", of("OnlyWatchersAndDeployers", ("Condition", "StringNotEquals", "aws:PrincipalArn"), ["arn:aws:iam::000000000000:role/myflux-local-provisioner"]))),
        Claim("deployers may use them", PLATFORM, edits(STORED, "policy", of("OnlyWatchersAndDeployers", ("Condition", "StringNotEquals", "aws:PrincipalArn"), ["arn:aws:iam::000000000000:user/intern*"]))),
    ],
    "intake-closed": [
        Claim("blocks public access", PLATFORM, intakes.in_public()),
        Claim("encrypts its objects", PLATFORM, intakes.unencrypted()),
        Claim("Each object has one writer", PLATFORM, intakes.open_to("OnlyDeployersIssue", "arn:aws:iam::000000000000:role/myflux-local-connect")),
        Claim("only the promoter reads what was handed in", PLATFORM, intakes.open_to("OnlyThePromoterTakes", "arn:aws:iam::000000000000:user/deployer")),
    ],
    "calls-are-encrypted": [
        Claim("AWS's own hosts", PLATFORM, sets("local-aws", endpoints=[{"iam": "https://evil.example"}])),
        Claim("over https", PLATFORM, sets("local-aws", endpoints=[{"iam": "http://iam.amazonaws.com"}])),
        Claim("with their certificate verified, or a loopback address", PLATFORM, sets("local-aws", insecure=True)),
        Claim("no topic of ours sends alarms over plain HTTP", PLATFORM, sets("local-alarms-oncall@myflux.example", protocol="http")),
    ],
    "production-is-protected": [
        Claim("In production cells, secrets", ACME, unprotected(SECRET), PRODUCTION),
        Claim("KMS keys", PLATFORM, unprotected("local-key-key"), PRODUCTION),
        Claim("OpenAI projects are protected from deletion", ACME, unprotected("acme-openai-invocation"), PRODUCTION),
    ],
    "one-account-one-region": [
        Claim("All ARNs of ours, and in our resources, are of one account", PLATFORM, sets("local-sweep-role", permissionsBoundary="arn:aws:iam::999999999999:policy/myflux-local-boundary")),
        Claim("one Region", PLATFORM, sets("local-alarms-rotation-failed-target", arn="arn:aws:sns:eu-west-1:000000000000:myflux-local-alarms")),
        Claim("without wildcards there", PLATFORM, edits(MAY, "policy", of("LookAtTenants", ("Resource",), "arn:aws:secretsmanager:*:000000000000:secret:myflux/local/*/openai-??????"))),
        Claim("An AWS provider is bound to the same account and Region", PLATFORM, sets("local-aws", allowedAccountIds=["999999999999"])),
    ],
}  # fmt: skip
