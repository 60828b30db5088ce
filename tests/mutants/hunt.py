"""Whether the pack catches a mutant.

Owns asking the rules no more than a mutant can change. Leaves out the mutants (`mutate`) and what survivors mean
(`harmless`). A rule counts that stops a deployment: one that only advises has caught nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import program
import tenancy
from policies.guardrails.config import Config
from policies.guardrails.judge import RULES, judge
from policies.guardrails.model import Resource, Rule
from tests.mutants.mutate import Mutant, mutants
from tests.policies.rehearsed import STACKS, stack

HUNTED: Final = (*STACKS, "copied", "harbor.copied")
COPIED: Final = Path(__file__).parent / "fleet"
"""The files of a cell whose tenants' secrets have copies."""
_COPYS_REGION: Final = "us-west-2"


def stack_of(name: str) -> tuple[Resource, ...]:
    return stack(name, root=_root(name))


def mutants_of(name: str) -> Iterator[Mutant]:
    """Of the cell with copies only what names one is changed: the rest is as in the shipped cell."""
    found = stack_of(name)
    return all_mutants([one for one in found if name in STACKS or _COPYS_REGION in str(one.properties)])


def _root(name: str) -> Path:
    return program.ROOT if name in STACKS else COPIED


@cache
def config(name: str) -> Config:
    """The pack as somebody configures it who knows the cell: without being told, it takes any named user for a
    deployer."""
    known = tenancy.load(_root(name)).cells[name.rpartition(".")[2]]
    return Config(deployers=known.deployer_principals, runtime_principals=known.runtime_principals)


def caught(mutant: Mutant, stack: Sequence[Resource], told: Config, rules: Sequence[Rule] = RULES) -> bool:
    """As the engine asks: rules about one resource see this one alone, the others all of `stack` with it."""
    one, all_ = rules_by_scope(rules)
    if mutant.mutated is not None and judge([mutant.mutated], told, one):
        return True
    changed = [mutant.mutated if found is mutant.original else found for found in stack]
    return bool(judge([found for found in changed if found is not None], told, all_))


def rules_by_scope(rules: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    binding = [rule for rule in rules if rule.level == "mandatory"]
    return [rule for rule in binding if rule.scope == "resource"], [rule for rule in binding if rule.scope == "stack"]


def all_mutants(stack: Sequence[Resource]) -> Iterator[Mutant]:
    for resource in stack:
        yield from mutants(resource)
