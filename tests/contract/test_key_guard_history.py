"""A key in a message, in what a merge brings or a push makes public, and in what a later commit removed."""

from __future__ import annotations

import pytest

from tests.contract.guarded import KEY, Repository, in_base64
from tools import key_guard


def test_a_key_in_a_commit_message_is_refused(repository: Repository) -> None:
    repository.write("a.txt", "fine")
    repository.git("add", "a.txt")
    for text in (KEY, in_base64(KEY)):
        refused = repository.try_git("commit", "-m", "a subject", "-m", f"tried with {text}")
        assert refused.returncode == 1
        assert "the commit message:3: shaped like a key" in refused.stderr
        assert text not in refused.stderr
    repository.git("commit", "-qm", "a subject")
    assert repository.try_git("commit", "--amend", "-m", KEY).returncode == 1


def test_a_message_whose_author_reads_the_removed_key_below_it_is_fine(repository: Repository) -> None:
    repository.commit("a.txt", f"{KEY}\n")
    repository.git("rm", "-q", "a.txt")
    repository.git("-c", "core.editor=true", "commit", "--quiet", "--verbose", "--edit", "-m", "take the key out")


@pytest.fixture
def apart(repository: Repository) -> Repository:
    """With the branch `theirs`, and a commit on `main` that it does not have."""
    repository.git("branch", "theirs")
    repository.commit("ours.txt", "ours")
    repository.git("switch", "-q", "theirs")
    return repository


def merge_refused(repository: Repository) -> str:
    before = repository.git("rev-parse", "main").stdout
    repository.git("switch", "-q", "main")
    refused = repository.try_git("merge", "-q", "--no-edit", "theirs")
    assert refused.returncode == 1
    assert repository.git("rev-parse", "main").stdout == before
    assert KEY not in refused.stdout + refused.stderr
    return refused.stderr


def test_a_key_in_a_file_that_a_merge_brings_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", f"one\n{KEY}\n")
    assert "theirs.txt:2: shaped like a key" in merge_refused(apart)


def test_a_key_that_the_merged_branch_took_out_again_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", f"one\n{KEY}\n")
    blob = apart.git("rev-parse", "HEAD:theirs.txt").stdout[:12]
    apart.take_out_again("theirs.txt")
    assert f"theirs.txt (blob {blob}):2: shaped like a key" in merge_refused(apart)


def test_a_key_in_a_message_that_a_merge_brings_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", "fine", f"with {KEY}")
    commit = apart.git("rev-parse", "HEAD").stdout[:12]
    assert f"commit {commit}:" in merge_refused(apart)


def test_a_key_in_a_merge_whose_conflict_was_solved_is_refused(apart: Repository) -> None:
    apart.commit("theirs.txt", KEY)
    apart.take_out_again("theirs.txt")
    apart.commit("ours.txt", "theirs")
    apart.git("switch", "-q", "main")
    assert apart.try_git("merge", "-q", "theirs").returncode == 1, "a conflict"
    apart.write("ours.txt", "both")
    apart.git("add", ".")
    refused = apart.try_git("commit", "--no-edit")
    assert refused.returncode == 1
    assert "theirs.txt (blob" in refused.stderr


def test_a_key_that_comes_by_fast_forward_is_told_with_the_way_back(repository: Repository) -> None:
    before = repository.git("rev-parse", "main").stdout
    repository.git("switch", "-qc", "theirs")
    repository.commit("theirs.txt", KEY)
    repository.git("switch", "-q", "main")
    told = repository.git("merge", "--ff-only", "theirs").stderr
    assert "theirs.txt (blob" in told
    assert "git reset --keep ORIG_HEAD" in told
    repository.git("reset", "--keep", "ORIG_HEAD")
    assert repository.git("rev-parse", "main").stdout == before


def test_a_merge_without_a_key_is_done(apart: Repository) -> None:
    apart.commit("theirs.txt", "fine")
    apart.git("switch", "-q", "main")
    assert apart.git("merge", "-q", "--no-edit", "theirs").stderr == ""


@pytest.fixture
def shared(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Pushed to a repository that others read, `origin`."""
    bare = tmp_path_factory.mktemp("shared") / "keys.git"
    repository.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    repository.git("remote", "add", "origin", str(bare))
    repository.git("push", "-qu", "origin", "main")
    return repository


def test_a_push_is_refused_that_would_publish_a_key_by_whatever_way_it_came(shared: Repository) -> None:
    shared.git("switch", "-qc", "theirs")
    shared.commit("theirs.txt", KEY, "theirs")
    shared.git("switch", "-q", "main")
    shared.git("cherry-pick", "theirs")
    shared.take_out_again("theirs.txt")
    refused = shared.try_git("push", "-q", "origin", "main")
    assert refused.returncode == 1
    assert "theirs.txt (blob" in refused.stderr
    assert "git rebase --interactive" in refused.stderr
    shared.git("reset", "-q", "--hard", "origin/main")
    shared.commit("fine.txt", "fine", "tried it out", "--author", f"a <{KEY}@example.com>")
    assert shared.try_git("push", "-q", "origin", "main").returncode == 1
    shared.git("commit", "-q", "--amend", "--reset-author", "--no-edit")
    shared.git("push", "-q", "origin", "main")
    shared.git("tag", "-am", f"with {KEY}", "v1")
    assert "tag " in shared.try_git("push", "-q", "origin", "v1").stderr
    shared.git("tag", "-d", "v1")
    shared.git("push", "-q", "origin", "main:other")
    shared.git("push", "-q", "origin", ":other")


def test_a_key_that_is_published_already_does_not_stop_every_later_push(shared: Repository) -> None:
    shared.commit("old.txt", KEY)
    shared.take_out_again("old.txt")
    shared.git("push", "-q", "--no-verify", "origin", "main")
    shared.commit("new.txt", "fine")
    shared.git("push", "-q", "origin", "main")


def test_make_check_finds_what_a_branch_took_out_again_and_what_its_messages_hold(
    shared: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    shared.git("switch", "-qc", "branch")
    shared.commit("gone.txt", KEY)
    shared.take_out_again("gone.txt")
    assert key_guard.main([], shared.root) == 1
    assert "gone.txt (blob" in capsys.readouterr().err
    shared.git("reset", "-q", "--hard", "main")
    shared.commit("fine.txt", "fine", in_base64(KEY))
    assert key_guard.main([], shared.root) == 1
    assert "commit " in capsys.readouterr().err


def test_make_check_on_the_main_branch_looks_at_what_the_last_merge_brought(shared: Repository) -> None:
    shared.git("switch", "-qc", "branch")
    shared.commit("gone.txt", KEY)
    shared.take_out_again("gone.txt")
    shared.git("switch", "-q", "main")
    shared.git("merge", "-q", "--no-ff", "--no-edit", "--no-verify", "branch")
    shared.git("push", "-q", "--no-verify", "origin", "main")
    assert key_guard.main([], shared.root) == 1
    shared.commit("fine.txt", "fine")
    shared.git("push", "-q", "origin", "main")
    assert key_guard.main([], shared.root) == 0, "nobody can take it out of a published branch"


def test_a_repository_without_a_commit_and_one_with_a_submodule_are_checked(
    repository: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Repository(tmp_path_factory.mktemp("other"))
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "part")
    repository.git("commit", "-qm", "a part")
    assert key_guard.main([], repository.root) == 0
    empty = tmp_path_factory.mktemp("empty")
    repository.git("init", "--quiet", str(empty))
    assert key_guard.main([], empty) == 0
    (empty / "sub").mkdir()
    (empty / "sub" / "key.txt").write_text(KEY, encoding="ascii")
    assert key_guard.main([], empty / "sub") == 1, "a folder of a bigger repository"
