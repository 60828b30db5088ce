"""Why a mutant that the pack does not catch does no harm.

Owns the reasons, each with exactly the mutants that it speaks of. Leaves out who is caught (`hunt`). A reason that fits
no survivor is an error: it would only wait to swallow one that does harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.mutants.mutate import Kind, Mutant

# ruff: noqa: E501 - a table

ANY: tuple[Kind, ...] = ("dropped", "widened", "altered")


@dataclass(frozen=True)
class Harmless:
    """`types` and `shape` are regular expressions, matched in full against a type's last word and a mutant's shape."""

    types: str
    shape: str
    kinds: tuple[Kind, ...]
    because: str
    where: Callable[[Mutant], bool] = lambda _: True

    def fits(self, mutant: Mutant) -> bool:
        return (
            mutant.kind in self.kinds
            and re.fullmatch(self.types, mutant.original.type.rpartition(":")[2]) is not None
            and re.fullmatch(self.shape, mutant.shape) is not None
            and self.where(mutant)
        )


def reason(mutant: Mutant) -> Harmless | None:
    return next((one for one in HARMLESS if one.fits(mutant)), None)


def _effect(wanted: str) -> Callable[[Mutant], bool]:
    return lambda mutant: bool(mutant.statement) and (mutant.statement or {}).get("Effect") == wanted


def _same_operator(mutant: Mutant) -> bool:
    """These keys have one value in a request, for which the prefix changes nothing."""
    return str(mutant.after) == f"ForAnyValue:{mutant.before}"


def _after(*values: Any) -> Callable[[Mutant], bool]:
    return lambda mutant: mutant.after in values


def _if_exists(mutant: Mutant) -> bool:
    return str(mutant.after) == f"{mutant.before}IfExists"


def _no_action(mutant: Mutant) -> bool:
    return mutant.after == "" or str(mutant.after).endswith(":DeleteEverything")


def _conditions(mutant: Mutant) -> bool:
    """The tenant is demanded by `StringLike ?*` or `StringEquals` beside it."""
    return bool({"StringLike", "StringEquals"} & set((mutant.statement or {}).get("Condition", {})))


IDENTITY = r"Role|RolePolicy|Policy"
_OF_DOCUMENTS = r"(policy|assumeRolePolicy)\.Statement\[\]"

HARMLESS: tuple[Harmless, ...] = (
    # Whole resources
    Harmless(
        "aws|Platform|[A-Z][A-Za-z]+", r"", ("dropped",),
        "it holds nothing by itself: components and the provider only group and place what is judged",
        lambda m: m.original.type.startswith(("myflux:index:", "pulumi:")),
    ),
    Harmless(
        "Secret|Key|Invocation|Function|Role|Topic|Queue|Policy|RolePolicy|RolePolicyAttachment|Alias", r"", ("dropped",),
        "what needs it names it, and is refused by AWS or may do less: nobody reads what is not there",
    ),
    Harmless(
        r".*", r"\(dependencies\)", ("dropped",),
        "the order alone changes; that a rotation waits for the lock has its own rule",
        lambda m: "SecretRotation" not in m.original.type,
    ),
    # Names, words and tags
    Harmless(r".*", r"(description|alarmDescription)", ANY, "words for people"),
    Harmless(r".*", _OF_DOCUMENTS + r"\.Sid", ANY, "a statement's name decides nothing"),
    Harmless(
        r".*", r"(policy|assumeRolePolicy)\.Version", ANY,
        "without it `${…}` is plain text, which no tag equals: an Allow with it lets nobody in, and no Deny has one",
    ),
    Harmless("Alias|MetricAlarm|RolePolicy", r"name", ANY, "a name that nothing is decided by"),
    Harmless("EventTarget|Permission", r"(targetId|statementId)", ANY, "a name that nothing is decided by"),
    Harmless(
        "(?!Secret$|Role$).*", r"tags(\..*)?", ANY,
        "only secrets' and sessions' tags decide about access; on these they are for costs and for finding things",
    ),
    Harmless(
        "Role", r"tags(\.(tenant|cell|managed-by))?", ANY,
        "a role without the tag is no tenant's, whom every secret shuts out; that none says another tenant has its rule",
        lambda m: m.kind == "dropped" or m.path[-1] == "managed-by" or str(m.after).endswith("-other"),
    ),
    Harmless(
        "Secret", r"tags\.myflux:(consumers|project-id|service-account-id)", ANY,
        "the project and its account are the provisioner's answer, and the admin key of another organization mints "
        "nothing in them; consumers say whom to tell of a new key, and let a person read it only where the secret's "
        "policy does, which has its rule",
    ),
    # What the provider or the service refuses
    Harmless(
        "Role|Policy|RolePolicy|TopicPolicy|SecretPolicy|SecretRotation|RolePolicyAttachment|EventTarget|Alias|"
        "TopicSubscription",
        r"(assumeRolePolicy|policy|secretArn|secretId|policyArn|arn|topic|targetKeyId|protocol|endpoint)", ("dropped",),
        "the provider refuses a resource without it",
    ),
    Harmless(
        "Function", r"(architectures(\[\])?|memorySize|timeout)", ANY,
        "AWS refuses it, or the function is slower or ends early, which the alarms on errors and rotations tell",
    ),
    Harmless("LogGroup", r"retentionInDays", ("widened",), "AWS takes only certain numbers of days, and refuses this one"),
    Harmless(
        "Secret|Key", r"(recoveryWindowInDays|deletionWindowInDays)", ("dropped", "widened"),
        "AWS's own default is the longest, 30 days, and more is refused",
    ),
    Harmless("Role", r"maxSessionDuration", ("dropped", "altered"), "the default is the hour that is asked for, and 0 is refused"),
    Harmless(
        "Role", r"forceDetachPolicies", ANY,
        "AWS refuses to delete a role that has a policy, and its deletion takes that policy with it in any case",
    ),
    Harmless("Queue", r"messageRetentionSeconds", ANY, "AWS refuses 0 and more than 14 days, and keeps 4 days by itself"),
    Harmless("Queue", r"sqsManagedSseEnabled", ("dropped",), "SQS encrypts queues by itself unless told not to"),
    Harmless(
        "SecretRotation", r"(rotateImmediately|rotationRules\.duration)", ANY,
        "rotating at once is AWS's default and brings the first change forward; the duration only says how late on its "
        "day a rotation may begin, and the slot is judged",
    ),
    Harmless("Alias", r"targetKeyId", ANY, "secrets name their key by its ARN; the alias is for people"),
    Harmless("RolePolicyAttachment", r"policyArn", ("widened",), "IAM knows no such policy and refuses it"),
    Harmless("aws", r"skip(Credentials|Region)Validation", ANY, "only whether AWS is asked before the first call: whose "
        "the credentials are, it asks anyhow, and compares it with the account that is allowed"),
    Harmless("Secret", r"replicas(\[\])?", ("dropped",), "a copy less: nobody reads what is not there"),
    Harmless(
        "Role", r"assumeRolePolicy\.Statement\[\]\.(Principal\.AWS\[\]|Action|Condition\.StringNotEquals)", ("widened",),
        "a Deny that reaches further keeps more out", _effect("Deny"),
    ),
    Harmless(
        "RolePolicy", r"policy\.Statement\[\]\.Condition\.StringLike\.secretsmanager:ResourceTag/myflux:consumers\[\]", ("dropped",),
        "a form of the tag less: it reads fewer secrets",
    ),
    # The functions and what they are told
    Harmless(
        "Function", r"environment(\.variables(\.(MYFLUX_ADMIN_SECRET|MYFLUX_CELL|MYFLUX_ORGANIZATION_ID|OPENAI_BASE_URL))?)?", ("dropped",),
        "the function fails, which its alarm tells",
    ),
    Harmless(
        "Function", r"environment\.variables\.MYFLUX_ORGANIZATION_ID", ("altered",),
        "another organization's id: the cell's admin key is not of it, so every call fails, which the alarms tell",
        lambda m: str(m.after).endswith("-other"),
    ),
    Harmless("Permission", r"sourceArn", ("altered",), "it calls for fewer secrets, and Secrets Manager refuses a rotation that it can't call",
        lambda m: "elsewhere" in str(m.after)),
    Harmless(
        "Invocation", r"input\.(schema|service_account)", ANY,
        "the provisioner refuses a schema that it does not know, and an account of another name is in the same project",
    ),
    Harmless("EventRule", r"eventPattern\.detail-type", ("dropped",), "the rule hears of more events, not of fewer"),
    Harmless(
        "Secret", r"tags\.myflux:overlap-hours", ("altered",), "an old key dies sooner",
        lambda m: str(m.after).isdigit() and int(m.after) < int(m.before),
    ),
    Harmless("EventTarget", r"input\.(dry_run|tenants)", ("dropped",), "the sweep's defaults are the same"),
    # Alarms
    Harmless("MetricAlarm", r"okActions(\[\])?", ANY, "the all-clear is not told; the alarm is"),
    Harmless(
        "MetricAlarm", r"treatMissingData", ANY,
        "these metrics are there whenever there is something to tell; the one whose silence counts has its check",
        lambda m: not m.original.name.endswith(("SweepUnfinished", "HealthCycles")),
    ),
    Harmless(
        "MetricAlarm", r"(datapointsToAlarm|threshold)", ANY, "it rings as early, or earlier",
        lambda m: m.kind == "dropped" or m.after == 0 or m.original.name.endswith("AdminKeyDaysLeft"),
    ),
    Harmless(
        "MetricAlarm", r"(comparisonOperator|datapointsToAlarm|dimensions(\.Cell)?|evaluationPeriods|metricName|namespace|period|statistic|threshold)?", ANY,
        "an alarm that sends nothing: health's own message does",
        lambda m: not m.original.properties.get("alarmActions"),
    ),
    Harmless(
        "MetricAlarm", r"threshold", ("widened",), "it rings always, which is heard",
        lambda m: m.original.name.endswith("HealthCycles"),
    ),
    # What the health function reads
    Harmless("Dashboard", r"(\(ignoreChanges\)|dashboardBody|dashboardName)?", ANY, "a picture of metrics, which notifies nobody"),
    Harmless(
        "BucketObjectv2", r"(bucket|content|contentType|key)?", ANY,
        "health says that the tenant is not declared, and without its catalogue that countries and replacements are unknown",
        lambda m: not m.original.name.endswith("-identity"),
    ),
    Harmless(
        "Bucket", r"(\(ignoreChanges\)|bucket|forceDestroy)?", ANY, "the function fails without its bucket, and its heartbeat's alarm rings",
        lambda m: m.original.name.endswith("health-store-bucket"),
    ),
    Harmless(
        "BucketServerSideEncryptionConfiguration", r"rules.*", ANY,
        "S3 encrypts each object by itself: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html",
    ),
    Harmless(
        "Function", r"environment\.variables\.MYFLUX_(ALARM_TOPIC|HEALTH_BUCKET|LANGUAGE)", ("dropped",),
        "the function fails at its start, and its heartbeat's alarm rings",
    ),
    # The connect page
    Harmless("FunctionUrl", r"", ("dropped",), "nobody reaches the page"),
    Harmless("FunctionUrl", r"\(ignoreChanges\)", ANY, "it is asked for as wide as a URL can be: what stays instead is narrower"),
    Harmless(
        "FunctionUrl", r"functionName", ANY,
        "Lambda refuses a URL for a function that is not there; for another one of ours it has its rule",
    ),
    Harmless(
        "EventTarget", r"input", ("dropped",), "the promoter takes its event as a hint, and looks at all that lies there",
        lambda m: m.original.name.endswith("connect-promoting-target"),
    ),
    Harmless(
        "Bucket", r"(\(ignoreChanges\)|bucket|forceDestroy)?", ANY,
        "page and promoter know one bucket by its name, and fail without it; the promoter's alarm rings",
        lambda m: m.original.name.endswith("intake-bucket"),
    ),
    Harmless(
        "BucketLifecycleConfiguration", r"(\(ignoreChanges\)|bucket|rules.*)?", ANY,
        "objects stay longer: the promoter itself ends a key that nobody confirms; that they go earlier has its check",
    ),
    Harmless(
        "Function", r"environment\.variables\.MYFLUX_(INTAKE_BUCKET|INTAKE_KEY|LINK_KEY)", ("dropped",),
        "the page tells everybody that it is busy, and logs why; the promoter fails, and its alarm rings",
    ),
    Harmless(
        "Key", r"(customerMasterKeySpec|enableKeyRotation)", ANY,
        "KMS makes no key that signs of another kind, and rotates none: it refuses",
        lambda m: m.original.name.endswith("link-key-key"),
    ),
    Harmless(
        "RolePolicy", r"role", ANY, "the bucket and both keys know the page's role by its ARN, and refuse any other",
        lambda m: m.original.name.endswith("connect-permissions"),
    ),
    Harmless(
        "RolePolicy|Policy", r"policy\.Statement\[\]\.Condition\.ForAnyValue:StringEquals\.kms:ResourceAliases\[\]", ("dropped",),
        "without an alias it holds of no key", _effect("Allow"),
    ),
    # Documents that deny
    Harmless(
        "BucketPolicy", r"policy\.Statement\[\].*", ANY, "the policy allows nobody, so a stranger needs another one",
        lambda m: (m.statement or {}).get("Sid") == "OnlyThisAccount",
    ),
    Harmless(
        "BucketPolicy", r"policy\.Statement\[\].*", ANY,
        "the sweep's own role, which is judged, may read hand-overs in this bucket and nothing else",
        lambda m: (m.statement or {}).get("Sid") in ("OthersReadHandoversOnly", "AndWriteNothing"),
    ),
    Harmless(
        "BucketPolicy", r"policy\.Statement\[\]\.(Action(\[\])?|Condition\.StringNotEquals|Resource(\[\])?)", ("widened",),
        "a denial of more", _effect("Deny"),
    ),
    Harmless(
        "BucketPolicy", r"policy\.Statement\[\]\.Condition\.StringNotEquals\.aws:PrincipalArn\[\]", ("dropped",),
        "a denial of one more", _effect("Deny"),
    ),
    Harmless(
        "SecretPolicy|RolePolicy", r"policy\.Statement\[\]\.Action\[\]", ("widened",), "a denial of more actions",
        _effect("Deny"),
    ),
    Harmless(
        "SecretPolicy", r"policy\.Statement\[\]\.Condition\.StringNotEquals\.aws:PrincipalArn\[\]", ("dropped",),
        "a denial that leaves fewer out", _effect("Deny"),
    ),
    Harmless(
        "SecretPolicy", r"policy\.Statement\[\]\.Condition\.StringEquals(\.aws:PrincipalArn)?", ("dropped", "widened"),
        "a denial with one condition less holds of more", _effect("Deny"),
    ),
    Harmless(
        "SecretPolicy|RolePolicy", r"policy\.Statement\[\]\.Condition\.(StringNotEquals|StringEquals)", ("widened", "altered"),
        "the same of keys that are always there, and a negated operator holds of an absent key anyhow",
        lambda m: _if_exists(m) or _same_operator(m),
    ),
    # Tenants without a key
    Harmless(
        "BucketObjectv2", r"(\(ignoreChanges\)|bucket|contentType|key)?", ANY,
        "the runtime finds no identity, and says so; whose it is and where it sends tokens is judged",
        lambda m: m.original.name.endswith("-identity"),
    ),
    Harmless(
        "Invocation", r"input\.federation", ("dropped",),
        "the tenant has no federation rule, so nobody calls for it, and the stack fails without its answer",
    ),
    Harmless(
        "aws", r"region", ANY, "nothing of a tenant without a key names its Region, and elsewhere its provisioner is not",
        lambda m: "harbor.local" in m.original.urn,
    ),
    Harmless("OutboundWebIdentityFederation", r"", ("dropped",), "AWS signs no token, and the runtime says so"),
    Harmless(
        "BucketPolicy", r"policy\.Statement\[\].*", ANY,
        "the runtime's own role, which is judged, reads its session's identity in this bucket and nothing else",
        lambda m: (m.statement or {}).get("Sid") == "RuntimeReadsIdentitiesOnly",
    ),
    Harmless(
        "Policy", r"policy\.Statement\[\]\.Condition\.(ForAllValues:StringEquals|Null|NumericLessThanEquals)", ("widened", "altered"),
        "the same: the audience is demanded beside it, and a set operator changes nothing for one value or for Null",
        lambda m: str(m.after).endswith("StringEqualsIfExists") or _same_operator(m),
    ),
    Harmless(
        "Policy", r"policy\.Statement\[\]\.Condition\.NumericLessThanEquals\.sts:DurationSeconds", ("altered",),
        "AWS gives no token of a second", _after("1"),
    ),
    Harmless(
        "SecretPolicy", r"policy\.Statement\[\].*", ANY,
        "the tenant's own runtime still reads its key, and a switch waits until it no longer does",
        lambda m: (m.statement or {}).get("Sid") == "TenantDisabled",
    ),
    # Documents that allow
    Harmless(
        f"{IDENTITY}|Key|TopicPolicy", _OF_DOCUMENTS, ("dropped",),
        "a document without the statement allows less, and what a function can no longer do fails and is told",
        _effect("Allow"),
    ),
    Harmless(
        f"{IDENTITY}|Key", _OF_DOCUMENTS + r"\.Effect", ("altered",), "what was allowed is denied", _after("Deny")
    ),
    Harmless(
        f"{IDENTITY}|Key|TopicPolicy",
        _OF_DOCUMENTS + r"\.(Action|Resource|Principal\.AWS|Condition\.String(EqualsIfExists|Equals|Like)\."
        r"(aws:PrincipalArn|kms:EncryptionContext:SecretARN|kms:ViaService|secretsmanager:RotationLambdaARN))\[\]",
        ("dropped",),
        "one of several that an Allow names is gone: it allows less",
        _effect("Allow"),
    ),
    Harmless(f"{IDENTITY}", _OF_DOCUMENTS + r"\.Resource", ("dropped",), "IAM refuses a statement without it", _effect("Allow")),
    Harmless("Key", r"policy\.Statement\[\]\.Action(\[\])?", ("altered",), "KMS knows no such action: it allows less", _no_action),
    Harmless(
        "Key|TopicPolicy", r"policy\.Statement\[\]\.Resource", ANY,
        "in the policy of a key or topic it can only mean this one; anything else takes the statement away",
    ),
    Harmless(
        "RolePolicy|Policy", r"policy\.Statement\[\](\.Resource(\[\])?|\.Condition\.StringLike\.kms:EncryptionContext:"
        r"SecretARN\[\])", ("altered", "widened"),
        "it stays within what policies/guardrails/own_grants.py lets the role have, and names less or nothing there",
        _effect("Allow"),
    ),
    Harmless(
        "Key", r"policy\.Statement\[\]\.Condition\.StringLike\.kms:EncryptionContext:SecretARN\[\]", ("altered", "widened"),
        "it stays within the cell's own secrets, for the same principals and through Secrets Manager",
        _effect("Allow"),
    ),
    Harmless(
        f"{IDENTITY}|Key|TopicPolicy", _OF_DOCUMENTS + r"\.Condition\.(StringEquals|StringLike)", ("altered",),
        "the same of a key that has one value", _same_operator,
    ),
    Harmless(
        "RolePolicy|Policy",
        r"policy\.Statement\[\]\.Condition(\.StringEquals(\.secretsmanager:ResourceTag/cell)?)?", ANY,
        "the cell stands in the resource's ARN too, and a secret's name and tags agree by their own rule",
        lambda m: "secretsmanager:ResourceTag/cell" in str((m.statement or {}).get("Condition"))
        and (m.path[-1] == "secretsmanager:ResourceTag/cell"
             or set((m.statement or {})["Condition"].get("StringEquals", {})) == {"secretsmanager:ResourceTag/cell"}),
    ),
    Harmless(
        "RolePolicy", r"policy\.Statement\[\]\.Condition\.StringEqualsIfExists", ("altered",),
        "it asks for a function by name each time, which CancelRotateSecret never gives: it allows less",
        _after("StringEquals"),
    ),
    Harmless(
        "RolePolicy", r"policy\.Statement\[\]\.Condition\.Null", ("altered",), "the same of a key that has one value",
        _same_operator,
    ),
    Harmless(
        "Role", r"assumeRolePolicy\.Statement\[\]\.Condition\.Null(\.aws:RequestTag/tenant)?", ANY,
        "another condition of the statement fails without the tag as well", _conditions,
    ),
    Harmless(
        "Role", r"assumeRolePolicy\.Statement\[\]\.Condition\.(ForAllValues:StringEquals|StringNotLike)", ("widened",),
        "the tag is demanded beside it, so the list of tags is never absent",
        lambda m: _if_exists(m) or str(m.after).startswith("ForAllValues:"),
    ),
)  # fmt: skip
