"""`check` finds the rules where they are: a folder that moves must not make a change of the rules go unnoticed."""

from ops.review.stacks import JUDGES
from ops.review.tree_rehearsal import can_be_asked
from tenancy.loading import ROOT


def test_every_folder_with_rules_exists() -> None:
    assert [folder for folder in JUDGES if not (ROOT / folder).is_dir()] == []


def test_this_trees_own_program_can_be_run_by_a_review() -> None:
    assert can_be_asked(ROOT), (
        "otherwise a base is read by the branch's code, and a change of the components is not seen"
    )
