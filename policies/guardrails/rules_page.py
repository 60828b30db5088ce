"""docs/policies.md, generated from the rules."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re

from .config import Config
from .judge import RULES

_INTRODUCTION = """\
# Policies

`pulumi preview --stack STACK --policy-pack policies` checks a stack with these rules, without calls to a service or an
account. An update with `--policy-pack policies` checks again: a rule about one resource before it is created, a rule
about the stack at the end, when all values are known. A value that is unknown before deployment is reported at the
rule's level, so a mandatory rule refuses it; in the shipped program no rule needs an unknown value. What a function
answers, a component says of itself or a stack exports is checked as far as it is known, and at the end of the update.

A settings file, given with `--policy-pack-config`, changes a rule's level or its settings:

```json
{
  "rotation-often-enough": {"maxRotationDays": 31},
  "production-is-protected": {"productionCells": ["prod-eu1"]},
  "functions-keep-their-logs": {"enforcementLevel": "advisory"}
}
```

A setting that the rule does not have is refused. The engine ignores a rule's name that the pack does not have, so copy
it from the table. On the local cell programs are in Python, and its AWS provider has only the types that MyFlux Keys
uses.

"Our" resources have the tag `managed-by: myflux-keys`, or a name that MyFlux Keys gives, such as
`myflux/<cell>/<tenant>/openai` and `myflux-<cell>-runtime`. Rules ignore all others, such as a role `myflux-dashboard`,
except those that can reach ours: any identity's policy, the types that rules cannot read, credentials of IAM users, AWS
providers, what holds something shaped like a key, what sends logs or runs code, and what changes a resource of ours.
A resource of another system needs a name that MyFlux Keys does not give.
"""


def rules_page() -> str:
    parts = [_INTRODUCTION, "\n| rule | severity | level | requires |\n|---|---|---|---|\n"]
    parts += [
        f"| [{rule.name}](#{rule.name}) | {rule.severity} | {rule.level} | {rule.description} |\n" for rule in RULES
    ]
    descriptions = _setting_descriptions()
    for rule in RULES:
        parts.append(
            f"\n## {rule.name}\n\n{rule.description}\n\n- Risk: {rule.rationale}\n- Fix: {rule.fix}\n"
            f"- Source: <{rule.source}>\n"
        )
        parts += [f"- Setting `{camel(name)}`: {descriptions[name]}\n" for name in rule.settings]
    return "".join(parts)


def camel(name: str) -> str:
    """A setting's name in the pack's configuration."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _setting_descriptions() -> dict[str, str]:
    """Each setting's docstring and default. A field's docstring is only in the source text."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(Config)).body if isinstance(node, ast.ClassDef))
    docstrings = {
        field.target.id: text.value.value
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }
    return {field.name: f"{docstrings[field.name]} {_default(field.default)}." for field in dataclasses.fields(Config)}


def _default(value: object) -> str:
    shown = ", ".join(value) if isinstance(value, tuple) else str(value)  # pyright: ignore
    return f"Default: {shown or 'none'}"
