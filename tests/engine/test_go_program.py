"""Go programs for the examples: built once, kept by version, and a way out where there is no Go."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.language_host import sdk
from tools import go_program
from tools.engine_step import StepError

FAKE_GO = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
while [ "$1" != "-o" ]; do shift; done
printf '#!/bin/sh\\necho made\\n' > "$2"
chmod +x "$2"
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(FAKE_GO, encoding="utf-8")
    go.chmod(0o755)
    return {"PATH": os.pathsep.join([str(go.parent), "/usr/bin", "/bin"]), "MYFLUX_CACHE": str(tmp_path / "cache")}


@pytest.mark.parametrize("program", [go_program.PYTHON_SDK, go_program.YAML_HOST], ids=lambda program: program.name)
def test_a_program_is_built_from_its_pins_and_only_once(
    machine: dict[str, str], tmp_path: Path, program: go_program.GoProgram
) -> None:
    first = go_program.ensure(program, machine)
    assert go_program.ensure(program, machine) == first
    (call,) = (tmp_path / "bin" / "calls").read_text(encoding="utf-8").splitlines()
    assert "-mod=readonly" in call, "the build must not choose other versions than go.mod and go.sum pin"
    assert program.version in first.parent.name, "another version is another program"
    assert (program.module / "go.sum").is_file()


def test_without_go_the_way_out_is_named(machine: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bin" / "go").unlink()
    with pytest.raises(StepError, match="install Pulumi itself, or Go"):
        go_program.ensure(go_program.YAML_HOST, machine | {"PATH": str(tmp_path / "bin")})


def test_an_sdk_is_linked_once_and_what_stood_there_stays(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# ours\npulumi==3.250.0", encoding="utf-8")
    sdk.link(requirements, ["sdks/myflux"])
    sdk.link(requirements, ["sdks/myflux", "./sdks/myflux"])
    assert requirements.read_text(encoding="utf-8") == "# ours\npulumi==3.250.0\nsdks/myflux\n"
    sdk.link(tmp_path / "new.txt", ["sdks/myflux"])
    assert (tmp_path / "new.txt").read_text(encoding="utf-8") == "sdks/myflux\n"
