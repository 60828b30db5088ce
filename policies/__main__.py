"""The CrossGuard pack: `pulumi preview --policy-pack policies`. Needs no service and no account."""

from guardrails.engine import policies
from guardrails.judge import RULES
from pulumi_policy import PolicyPack

PolicyPack("myflux-guardrails", policies=policies(RULES))
