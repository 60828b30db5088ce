"""Which stacks a change is about, and how little is read to find out."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.errors import OperationError
from ops.stacks import changed
from ops.stacks.changed import code_may_differ, left_out, pins_changed, reasons, touched
from ops.stacks.git import Difference
from ops.stacks.sources import Code, code
from tenancy import source
from tests.tenancy.files import Files

CODE = Code(
    tenant=frozenset({"program.py", "components/tenant_key.py"}),
    platform=frozenset({"program.py", "components/platform.py"}),
    functions=frozenset({"functions/rotation/handler.py"}),
)
CELLS = {"acme": "prod-eu1", "fjord": "prod-eu1", "globex": "local"}


def stacks(*differences: Difference, pins: tuple[str, ...] = (), place: str = ".") -> dict[str, tuple[str, ...]]:
    return reasons(touched(differences, place, CODE, pins), CELLS, {"prod-eu1", "local"})


def test_a_tenants_file_concerns_its_stack_alone() -> None:
    assert stacks(Difference("M", "tenants/acme.yaml")) == {"acme.prod-eu1": ("tenants/acme.yaml is changed",)}
    assert stacks(Difference("A", "tenants/acme.yaml")) == {"acme.prod-eu1": ("tenants/acme.yaml is new",)}


def test_a_cells_file_concerns_its_platform_and_its_tenants() -> None:
    assert set(stacks(Difference("M", "cells/prod-eu1.yaml"))) == {"prod-eu1", "acme.prod-eu1", "fjord.prod-eu1"}


def test_a_functions_code_concerns_platforms_and_a_components_code_what_it_is_a_part_of() -> None:
    assert set(stacks(Difference("M", "functions/rotation/handler.py"))) == {"prod-eu1", "local"}
    assert set(stacks(Difference("M", "components/platform.py"))) == {"prod-eu1", "local"}
    assert set(stacks(Difference("M", "components/tenant_key.py"))) == {
        "acme.prod-eu1",
        "fjord.prod-eu1",
        "globex.local",
    }
    assert len(stacks(Difference("M", "program.py"))) == 5, "the program is behind every stack"


def test_only_files_of_tenants_and_cells_leave_the_code_as_it_was() -> None:
    """Where it may differ, a review runs the base's own."""

    def may(*paths: str, place: str = ".", product: str = "") -> bool:
        return code_may_differ([Difference("M", path) for path in paths], place, product)

    assert not may("tenants/acme.yaml", "tenants/archive/old.yaml", "cells/local.yaml")
    assert may("tenants/acme.yaml", "tenancy/data/models.json")
    assert may("tenants/acme.py"), "the program may import it"
    assert may("tenants_of.yaml")
    assert may("examples/tenants/acme.yaml"), "another folder of that name may be code"
    assert not may("fleet/tenants/acme.yaml", "README.md", place="fleet", product="keys/"), "outside the product"
    assert may("keys/program.py", place="fleet", product="keys/")


def test_what_no_stack_is_made_from_concerns_none() -> None:
    others = (
        "docs/cli.md",
        "ops/cli/main.py",
        "tests/stacks/test_changed.py",
        "tenants/archive/old.yaml",
        "tenants/x.txt",
    )
    assert stacks(*(Difference("M", path) for path in others)) == {}


def test_files_kept_in_a_folder_of_the_repository_are_those_of_that_folder() -> None:
    assert set(stacks(Difference("M", "fleet/tenants/acme.yaml"), place="fleet")) == {"acme.prod-eu1"}
    assert stacks(Difference("M", "tenants/acme.yaml"), place="fleet") == {}, "another folder's tenants are others"


def test_every_reason_of_a_stack_is_told() -> None:
    found = stacks(Difference("M", "tenants/acme.yaml"), Difference("M", "cells/prod-eu1.yaml"), pins=("x 1 became 2",))
    assert found["acme.prod-eu1"] == ("tenants/acme.yaml is changed", "cells/prod-eu1.yaml is changed", "x 1 became 2")
    assert found["local"] == ("x 1 became 2",), "a dependency is behind every stack"


def test_pinned_versions_are_compared_and_hashes_are_not() -> None:
    before = "a==1.0 \\\n    --hash=sha256:00\nb==2.0\ngone==1\n"
    now = "a==1.0 \\\n    --hash=sha256:11\nb==2.1\nnew==3\n"
    assert pins_changed(before, now) == [
        "b changed from 2.0 to 2.1",
        "gone changed from 1 to none",
        "new changed from none to 3",
    ]


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (
            "a==1 ; python_version < '3.12'\na==2\n",
            "a==1.1 ; python_version < '3.12' \\\n    --hash=sha256:00\na==2\n",
            "a changed from 1 ; python_version < '3.12' and 2 to 1.1 ; python_version < '3.12' and 2",
        ),
        ("a[b]==1\n", "a[b]==2\n", "a changed from [b]==1 to [b]==2"),
        ("a == 1\n", "a == 2\n", "a changed from 1 to 2"),
        ("  a==1\n", "  a==2\n", "a changed from 1 to 2"),
        ("a @ https://u:secret@x.example/1\n", "a==2\n", "a changed from a URL to 2"),
        ("--index-url https://u:secret@x.example\n", "--index-url https://y.example\n", "--index-url changed"),
    ],
)
def test_a_pin_is_read_in_every_form_that_pip_reads(before: str, now: str, told: str) -> None:
    assert pins_changed(before, now) == [told]
    assert pins_changed(now, "# why\n" + now.replace("a==", "A==") + "    # via b\n") == []


def test_a_file_that_is_gone_is_told_and_not_destroyed() -> None:
    found = touched([Difference("D", "tenants/acme.yaml"), Difference("D", "cells/local.yaml")], ".", CODE, ())
    assert reasons(found, CELLS, {"prod-eu1"}) == {}
    told = left_out(found, CELLS, lambda _slug: "prod-eu1")
    assert "offboard acme" in told["acme.prod-eu1"]
    assert "destroy --cell local" in told["local"]


def test_an_archived_tenant_is_offboarded_already() -> None:
    archived = [Difference("D", "tenants/acme.yaml"), Difference("A", "tenants/archive/acme.yaml")]
    assert touched(archived, ".", CODE, ()).gone == []
    in_a_folder = [Difference(one.status, f"fleet/{one.path}") for one in archived]
    assert touched(in_a_folder, "fleet", CODE, ()).gone == []
    for other in (Difference("D", "tenants/archive/acme.yaml"), Difference("A", "tenants/archive/acme.txt")):
        assert touched([archived[0], other], ".", CODE, ()).gone == ["acme"], "its keys are still valid"


def test_another_cell_in_a_tenants_file_is_told_and_not_deployed_beside_the_old_one() -> None:
    found = touched([Difference("M", "tenants/acme.yaml"), Difference("M", "tenants/fjord.yaml")], ".", CODE, ())
    told = left_out(found, CELLS, lambda slug: "local" if slug == "acme" else "prod-eu1")
    assert list(told) == ["acme.prod-eu1"]
    assert "move acme --to prod-eu1" in told["acme.prod-eu1"]


def test_the_programs_own_files_are_known() -> None:
    held = code()
    assert "components/tenant_key.py" in held.tenant - held.platform
    assert "components/platform.py" in held.platform - held.tenant
    assert "functions/rotation/handler.py" in held.functions
    assert "program.py" in held.tenant & held.platform
    assert "tenancy/data/openai_models.json" in held.tenant, "a model's price is an input too"
    assert not {file for file in held.tenant if file.startswith("functions/")}, "functions are the platform's"
    assert "myflux_keys/reader.py" not in held.tenant | held.platform, "the reader deploys nothing"


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, Callable[..., str]]:
    """Ten thousand tenants' files, committed."""
    files = Files(tmp_path)
    first = files.tenant("t-00000", tenant="t-00000").read_text(encoding="utf-8")
    for number in range(1, 10_000):
        files.write(f"tenants/t-{number:05d}.yaml", first.replace("t-00000", f"t-{number:05d}"))

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "all of them")
    return tmp_path, git


def test_one_change_in_ten_thousand_files_opens_one_tenants_file(
    repository: tuple[Path, Callable[..., str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, git = repository
    opened: list[str] = []
    read = source.read
    monkeypatch.setattr(source, "read", lambda path, *more: (opened.append(path.name), read(path, *more))[1])
    assert changed.since("HEAD", root).stacks == []
    (root / "tenants" / "t-00500.yaml").write_text(
        (root / "tenants" / "t-00500.yaml").read_text(encoding="utf-8") + "# touched\n", encoding="utf-8"
    )
    opened.clear()
    found = changed.since("HEAD", root)
    assert found.stacks == ["t-00500.local"]
    assert found.why["t-00500.local"] == ("tenants/t-00500.yaml is changed",)
    assert sorted(opened) == ["local.yaml", "t-00500.yaml", "t-00500.yaml"], "now and before; no other file is read"

    git("commit", "-qam", "one")
    (root / "tenants" / "t-00600.yaml").unlink()
    new = (root / "tenants" / "t-00500.yaml").read_text(encoding="utf-8").replace("t-00500", "added")
    (root / "tenants" / "added.yaml").write_text(new, encoding="utf-8")
    later = changed.since("HEAD~1", root)
    assert sorted(later.stacks) == ["added.local", "t-00500.local"], "committed, or not even added"
    assert list(later.left_out) == ["t-00600.local"]
    with pytest.raises(OperationError, match="has no commit `no-such-ref`"):
        changed.since("no-such-ref", root)
