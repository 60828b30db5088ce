"""The list of rules, in the order of their reports, and applying them to a stack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .account import ACCOUNT_RULES
from .alarms import ALARM_RULES
from .calls import CALL_RULES
from .config import Config
from .connect_bucket import CONNECT_BUCKET_RULES
from .credentials import CREDENTIAL_RULES
from .dedicated import DEDICATED_RULES
from .deletion import DELETION_RULES
from .encrypted_calls import ENCRYPTED_CALL_RULES
from .federation import FEDERATION_RULES
from .function_code import CODE_RULES
from .function_environment import ENVIRONMENT_RULES
from .functions import FUNCTION_RULES
from .handover import HANDOVER_RULES
from .health_bucket import HEALTH_BUCKET_RULES
from .identity import IDENTITY_RULES
from .ignored import IGNORED_RULES
from .kms import KMS_RULES
from .logs import LOG_RULES
from .model import Finding, Resource, Rule
from .outside import OUTSIDE_RULES
from .own_roles import OWN_ROLE_RULES
from .own_stack import OWN_STACK_RULES
from .plaintext import PLAINTEXT_RULES
from .readable import READABLE_RULES
from .rotation import ROTATION_RULES
from .secret_policies import SECRET_POLICY_RULES
from .secrets import SECRET_RULES
from .tenant_file import PROMISE_RULES
from .topic import TOPIC_RULES
from .trust import TRUST_RULES

RULES: tuple[Rule, ...] = (
    *PLAINTEXT_RULES,
    *CREDENTIAL_RULES,
    *READABLE_RULES,
    *SECRET_RULES,
    *SECRET_POLICY_RULES,
    *ROTATION_RULES,
    *IDENTITY_RULES,
    *OWN_ROLE_RULES,
    *TRUST_RULES,
    *HANDOVER_RULES,
    *FEDERATION_RULES,
    *KMS_RULES,
    *FUNCTION_RULES,
    *ENVIRONMENT_RULES,
    *LOG_RULES,
    *CODE_RULES,
    *CALL_RULES,
    *ALARM_RULES,
    *TOPIC_RULES,
    *ENCRYPTED_CALL_RULES,
    *HEALTH_BUCKET_RULES,
    *CONNECT_BUCKET_RULES,
    *PROMISE_RULES,
    *DELETION_RULES,
    *ACCOUNT_RULES,
    *OWN_STACK_RULES,
    *DEDICATED_RULES,
    *OUTSIDE_RULES,
    *IGNORED_RULES,
)


def judge(resources: Sequence[Resource], config: Config | None = None, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """The findings of all rules. Never raises: a rule that fails with an error is a finding itself."""
    return [finding for rule in rules if rule.level != "disabled" for finding in apply(rule, resources, config)]


def apply(rule: Rule, resources: Sequence[Resource], config: Config | None = None) -> list[Finding]:
    found: list[Finding] = []
    try:
        found += (replace(finding, rule=rule.name) for finding in rule.check(resources, config or Config()))
    except Exception as error:  # noqa: BLE001 - a resource that a failed rule did not check has not passed
        urn = resources[0].urn if len(resources) == 1 else ""
        # Only the error's type: its text may hold the value that broke the rule.
        message = f"could not be judged: the rule {rule.name} failed with {type(error).__name__}"
        found.append(Finding(rule.name, urn, "", message))
    return found
