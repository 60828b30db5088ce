"""The descriptions of managed policies never change: AWS has no call for it, so another text replaces the policy.

The boundary cannot be deleted while roles have it, the runtime's policy is what readers read with, and a pipeline that
deploys everything would take its own rights away in the middle of its run.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = {
    "cell_boundary {name}-boundary": 'f"The most that a role of cell {names.cell} can ever do."',
    "deployer {name}-connect": '"What a pipeline reads back of connect."',
    "deployer {name}-looks": '"What a pipeline reads back, and the state of its stacks."',
    "deployer {name}-state": '"The state of the stacks that a pipeline deploys."',
    "people_access {name}-limit": 'f"The most that a person or a pipeline that deploys cell {names.cell} can ever do."',
    "runtime_access {name}-read": '"A session reads the secret whose tenant tag equals its own."',
}
"""As deployed cells have them, by file and name. A new policy is added; a text here is not changed."""


def descriptions() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((ROOT / "components").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Policy":
                given = next((one.value for one in node.keywords if one.arg == "description"), None)
                words = ast.get_source_segment(text, given) if given else ""
                name = ast.unparse(node.args[0]).removeprefix("f").strip("'\"")
                found[f"{file.stem} {name}"] = words or ""
    return found


def test_no_managed_policy_gets_another_description() -> None:
    assert descriptions() == DEPLOYED


def test_each_managed_policy_is_looked_at() -> None:
    """Two of one name, or one in a folder below, would be left out above."""
    calls = [
        node
        for file in (ROOT / "components").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Policy"
    ]
    assert len(calls) == len(descriptions())
