"""Whether the pack catches a mutant.

Owns asking the rules no more than a mutant can change. Leaves out the mutants (`mutate`) and what survivors mean
(`harmless`). A rule counts that stops a deployment: one that only advises has caught nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.guardrails.config import Config
from policies.guardrails.judge import RULES, apply
from policies.guardrails.model import Resource, Rule
from tests.mutants.mutate import Mutant


def caught(mutant: Mutant, stack: Sequence[Resource], told: Config, rules: Sequence[Rule] = RULES) -> bool:
    """As the engine asks: rules about one resource see this one alone, the others all of `stack` with it. The first
    finding decides."""
    one, all_ = rules_by_scope(rules)
    if mutant.mutated is not None and any(apply(rule, [mutant.mutated], told) for rule in one):
        return True
    changed = [mutant.mutated if found is mutant.original else found for found in stack]
    left = [found for found in changed if found is not None]
    return any(apply(rule, left, told) for rule in all_)


def rules_by_scope(rules: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    binding = [rule for rule in rules if rule.level == "mandatory"]
    return [rule for rule in binding if rule.scope == "resource"], [rule for rule in binding if rule.scope == "stack"]
