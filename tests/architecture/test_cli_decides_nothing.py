"""A command parses arguments, asks, and prints: what it does with records, accounts, AWS and the engine is an action's.

Parsed, not run, so that an import inside a function counts too. What is imported for annotations alone runs nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.test_import_direction import imports, under_type_checking

REPOSITORY = Path(__file__).resolve().parents[2]
CLI = REPOSITORY / "ops" / "cli"

BY_WHICH_THINGS_ARE_DONE = {
    "ops.journal": "begins and goes on with records",
    "ops.account": "holds AWS's clients",
    "ops.stacks": "runs the engine over stacks",
    "ops.selection": "chooses tenants and cells",
    "ops.rotation_state": "reads AWS's answers",
    "boto3": "asks AWS",
    "botocore": "asks AWS",
    "types_boto3": "describes AWS's clients",
    "openai": "asks OpenAI",
    "pulumi": "runs the engine",
    "distributed": "runs the workers",
    "subprocess": "starts programs",
}

PRINTED = {
    "ops.stacks.choice.Choice",
    "ops.stacks.job.Done",
    "ops.stacks.job.Operation",
    "ops.stacks.run.Plan",
    "ops.stacks.run.Progress",
    "ops.stacks.run.Result",
    "ops.stacks.steps.Step",
}
"""Values that a report is made of: they do nothing."""


def refusal(name: str) -> str | None:
    """Why a file of ops/cli must not import `name`; None where it may."""
    for means, what in BY_WHICH_THINGS_ARE_DONE.items():
        if name == means or name.startswith((f"{means}.", f"{means}_")):
            return None if name in PRINTED else f"{means} {what}"
    return None


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("ops.journal", True),
        ("ops.journal.begin", True),
        ("ops.account.Account", True),
        ("ops.stacks.engine.Engine", True),
        ("ops.stacks.run.Run", True),
        ("boto3", True),
        ("botocore.exceptions.ClientError", True),
        ("pulumi.automation", True),
        ("pulumi_aws", True),
        ("ops.stacks.run.Result", False),
        ("ops.actions.leave_cell.leave", False),
        ("ops.errors.OperationError", False),
    ],
)
def test_the_rule_itself_knows_doing_from_printing(name: str, refused: bool) -> None:
    assert bool(refusal(name)) == refused, name


def test_commands_reach_records_accounts_and_the_engine_through_actions_alone() -> None:
    checked, through_actions = 0, 0
    wrong: list[str] = []
    for file in sorted(CLI.rglob("*.py")):
        typed = under_type_checking(file)
        for line, name in imports(file):
            checked += 1
            through_actions += name.startswith("ops.actions.")
            reason = refusal(name)
            if reason and name not in typed:
                wrong.append(f"ops/cli/{file.name}:{line} imports {name}: {reason}. Let an action do it.")
    assert checked > 100, "hardly an import was found in ops/cli: nothing was checked"
    assert through_actions > 10, "the commands call no action: the search is broken"
    assert not wrong, "\n".join(wrong)


def test_what_is_printed_is_imported() -> None:
    used = {name for file in CLI.rglob("*.py") for _, name in imports(file)}
    assert used >= PRINTED, f"no report is made of {sorted(PRINTED - used)}: take them off the list"
