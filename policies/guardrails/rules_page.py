"""The page that lists the rules, written from the rules."""

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

`pulumi preview --stack STACK --policy-pack policies` judges a stack by these rules; no service and no account is asked.
At an update with `--policy-pack policies` they are asked again: a rule about one resource before it is made, a rule
about the stack at the end, when nothing is unknown any more. What cannot be judged before deployment is reported at the
rule's own level, so a mandatory rule refuses it; the shipped program leaves nothing unknown that a rule looks at.

A file of settings, named by `--policy-pack-config`, changes a rule's level or what it asks for:

```json
{
  "rotation-often-enough": {"maxRotationDays": 31},
  "production-is-protected": {"productionCells": ["prod-eu1"]},
  "functions-keep-their-logs": {"enforcementLevel": "advisory"}
}
```

Rules read names and tags: what is neither named nor tagged by MyFlux Keys is left alone, except an IAM policy, which is
looked at whoever has it, since it may reach our secrets.
"""


def rules_page() -> str:
    parts = [_INTRODUCTION, "\n| rule | severity | level | asks |\n|---|---|---|---|\n"]
    parts += [
        f"| [{rule.name}](#{rule.name}) | {rule.severity} | {rule.level} | {rule.description} |\n" for rule in RULES
    ]
    about = _explained()
    for rule in RULES:
        parts.append(
            f"\n## {rule.name}\n\n{rule.description}\n\n- An attacker: {rule.rationale}\n- Fix: {rule.fix}\n"
            f"- Source: <{rule.source}>\n"
        )
        parts += [f"- Setting `{camel(name)}`: {about[name]}\n" for name in rule.settings]
    return "".join(parts)


def camel(name: str) -> str:
    """As a pack's configuration spells a setting."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _explained() -> dict[str, str]:
    """Each setting's docstring and default. A field's docstring is in the source alone."""
    (body,) = (node.body for node in ast.parse(inspect.getsource(Config)).body if isinstance(node, ast.ClassDef))
    said = {
        field.target.id: text.value.value
        for field, text in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }
    return {field.name: f"{said[field.name]} {_default(field.default)}." for field in dataclasses.fields(Config)}


def _default(value: object) -> str:
    shown = ", ".join(value) if isinstance(value, tuple) else str(value)  # pyright: ignore
    return f"Default: {shown or 'none'}"
