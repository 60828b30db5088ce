"""`check` finds the rules where they are: a folder that moves must not make a change of the rules go unnoticed."""

from __future__ import annotations

from ops.review import stacks
from ops.review.stacks import JUDGES
from ops.review.tree_rehearsal import ask, can_be_asked
from ops.stacks.git import Difference
from ops.stacks.sources import Code
from tenancy.loading import ROOT


def test_every_folder_with_rules_exists() -> None:
    assert [folder for folder in JUDGES if not (ROOT / folder).is_dir()] == []


def test_this_trees_own_program_can_be_run_by_a_review() -> None:
    assert can_be_asked(ROOT), (
        "otherwise a base is read by the branch's code, and a change of the components is not seen"
    )


def test_a_changed_rule_is_seen_in_a_folder_of_a_bigger_repository() -> None:
    files = stacks.read(ROOT)
    code = Code(frozenset({"keys/components/tenant_key.py"}), frozenset(), frozenset())
    rule, component = (
        Difference("M", "keys/policies/guardrails/tags.py"),
        Difference("M", "keys/components/tenant_key.py"),
    )
    about = stacks.scope(files, [rule], "keys", code, (), ROOT, "keys/")
    assert (about.judges, set(about.judged)) == ((rule.path,), set(files.stacks)), "all stacks are checked again"
    about = stacks.scope(files, [component], "keys", code, (), ROOT, "keys/")
    assert about.reasons["acme.local"] == ("keys/components/tenant_key.py is changed",)


def test_lines_of_code_are_named_from_the_repository() -> None:
    """Code scanning shows a remark only at a path that its repository has."""
    [asked] = ask(ROOT, "tools/keys/", (ROOT, ["acme.local"]))
    places = {one.place.file for one in asked["acme.local"].resources if one.place}
    assert places
    assert not [file for file in places if not file.startswith("tools/keys/")]


def test_the_count_of_stacks_at_work_adds_up_for_who_waits() -> None:
    files = stacks.read(ROOT)
    tenant = Difference("M", "tenants/acme.yaml")
    about = stacks.scope(files, [tenant], "", None, (), ROOT)
    beside = len(about.needed) - 1
    assert beside > 0, "a tenant is compared with its platform and neighbours"
    assert stacks.progress(about, len(files.stacks)).endswith(
        f"1 of {len(files.stacks)} stacks may change; evaluating 1, and {beside} of the same cells to compare with …"
    )
