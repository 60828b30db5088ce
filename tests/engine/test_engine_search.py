"""Where the engine comes from, with stand-ins for `pulumi`, for `go` and for the download."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools import engine, engine_sources, engine_step
from tools.engine import VERSION, EngineError
from tools.engine_step import StepError

REPOSITORY = Path(__file__).resolve().parents[2]

FAKE_GO = f"""#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
env > "$(dirname "$0")/environment"
sleep 0.3
while [ "$1" != "-o" ]; do shift; done
printf '#!/bin/sh\\necho v{VERSION}\\n' > "$2"
chmod +x "$2"
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def pulumi(path: Path, answer: str = f"v{VERSION}") -> Path:
    return executable(path, f"#!/bin/sh\necho {answer}\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine without Pulumi whose network refuses. Folders: ``bin`` first on PATH, ``cache``."""
    monkeypatch.setattr(engine_sources, "_INSTALLER_URL", "http://127.0.0.1:1/install.sh")
    (tmp_path / "bin").mkdir()
    path = os.pathsep.join([str(tmp_path / "bin"), "/usr/bin", "/bin"])
    return {"PATH": path, "HOME": str(tmp_path), "MYFLUX_CACHE": str(tmp_path / "cache")}


@pytest.mark.parametrize(
    ("version", "good"),
    [
        (VERSION, True),
        ("3.251.0", True),
        ("4.0.0", True),
        ("3.251.0-alpha.1", True),
        ("3.249.9", False),
        ("3.99.0", False),
        (f"{VERSION}-alpha.1", False),
    ],
)
def test_versions_compare_as_numbers(version: str, good: bool) -> None:
    assert engine.new_enough(version) is good


def test_an_engine_on_path_is_taken(tmp_path: Path, machine: dict[str, str]) -> None:
    found = pulumi(tmp_path / "bin" / "pulumi", "v3.300.1")
    assert engine.ensure(machine) == engine.Engine(found, "3.300.1", "path")


def test_the_cache_serves_when_path_has_none(tmp_path: Path, machine: dict[str, str]) -> None:
    kept = pulumi(tmp_path / "cache" / "engine" / VERSION / "pulumi")
    assert engine.ensure(machine) == engine.Engine(kept, VERSION, "cache")
    assert engine.locate(machine) == engine.Engine(kept, VERSION, "cache")


def test_the_version_is_known_of_the_caches_engine_alone(tmp_path: Path, machine: dict[str, str]) -> None:
    kept = executable(tmp_path / "cache" / "engine" / VERSION / "pulumi", "#!/bin/sh\nexit 1\n")
    link = tmp_path / "bin" / "pulumi"
    link.symlink_to(kept)
    assert engine.version_if_cached(link, machine) == VERSION
    other = pulumi(tmp_path / "other" / "pulumi", "v3.300.1")
    assert engine.version_if_cached(other, machine) is None
    assert engine.version_if_cached(link, machine | {"MYFLUX_CACHE": str(tmp_path / "none")}) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("v3.100.0", "older than"), ("hello", "printed no version"), ("; exit 3", "printed no version")],
)
def test_an_engine_on_path_that_does_not_do_gives_way_to_the_cache(
    tmp_path: Path, machine: dict[str, str], answer: str, reason: str
) -> None:
    pulumi(tmp_path / "bin" / "pulumi", answer)
    pulumi(tmp_path / "cache" / "engine" / VERSION / "pulumi")
    with pytest.raises(StepError, match=reason):
        engine.on_path(machine["PATH"])
    assert engine.ensure(machine).source == "cache"


def test_the_cache_moves_with_the_variables_that_name_it() -> None:
    assert engine.cache({"HOME": "/h"}) == Path("/h/.cache/myflux-keys/engine")
    assert engine.cache({"HOME": "/h", "XDG_CACHE_HOME": "/x"}) == Path("/x/myflux-keys/engine")
    assert engine.cache({"HOME": "/h", "XDG_CACHE_HOME": "/x", "MYFLUX_CACHE": "/m"}) == Path("/m/engine")


def test_a_cache_that_cannot_be_written_is_told_with_the_variable(machine: dict[str, str]) -> None:
    with pytest.raises(engine.EngineError, match=r"/proc/nope.* set \$MYFLUX_CACHE to another folder"):
        engine.ensure(machine | {"MYFLUX_CACHE": "/proc/nope"})


def test_it_is_built_where_the_download_is_out_of_reach(tmp_path: Path, machine: dict[str, str]) -> None:
    executable(tmp_path / "bin" / "go", FAKE_GO)
    made = engine.ensure(machine | {"GOFLAGS": "-mod=vendor", "GOPROXY": "https://goproxy.example"})
    assert made == engine.Engine(tmp_path / "cache" / "engine" / VERSION / "pulumi", VERSION, "build")
    assert engine.ensure(machine).source == "cache", "a second run reuses it"
    environment = (tmp_path / "bin" / "environment").read_text(encoding="utf-8").splitlines()
    assert "GOPROXY=https://goproxy.example" in environment, "the caller's proxy is where modules come from"
    assert "GOWORK=off" in environment
    assert not [line for line in environment if line.startswith("GOFLAGS")], "the caller's flags would break the build"


def test_the_build_links_the_version_in_and_trusts_only_pinned_modules() -> None:
    command = engine_sources.build_command("/go", "3.250.0", Path("/out/pulumi"))
    assert command[:3] == ["/go", "build", "-mod=readonly"]
    flags = command[command.index("-ldflags") + 1]
    assert "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0" in flags
    assert command[-3:] == ["-o", "/out/pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"]


def test_two_at_once_build_once(tmp_path: Path, machine: dict[str, str]) -> None:
    executable(tmp_path / "bin" / "go", FAKE_GO)
    with ThreadPoolExecutor(2) as pool:
        sources = sorted(made.source for made in pool.map(engine.ensure, [machine, machine]))
    assert sources == ["build", "cache"]
    assert len((tmp_path / "bin" / "calls").read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("go", "words"),
    [
        ("#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done; : > $2; echo no space left; exit 1\n", "no space left"),
        ("#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done; printf '#!/bin/sh\\necho v9.9.9\\n' > $2; chmod +x $2\n",
         "installed version 9.9.9"),
        ("#!/bin/sh\nexit 0\n", "cannot be run"),
    ],
)  # fmt: skip
def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path, machine: dict[str, str], go: str, words: str) -> None:
    executable(tmp_path / "bin" / "go", go)
    with pytest.raises(EngineError, match=words):
        engine.ensure(machine)
    left = [path.name for path in (tmp_path / "cache" / "engine").iterdir()]
    assert left == [".lock"], "half an engine in the cache would be taken for one next time"
    assert engine.locate(machine) is None


def test_when_nothing_works_the_error_says_what_was_tried_and_three_ways_out(
    tmp_path: Path, machine: dict[str, str]
) -> None:
    pulumi(tmp_path / "bin" / "pulumi", "v3.100.0")
    bare = machine | {"PATH": str(tmp_path / "bin") + os.pathsep + "/nonexistent"}
    with pytest.raises(EngineError) as refusal:
        engine.ensure(bare)
    text = str(refusal.value)
    assert "is version 3.100.0, older than" in text
    assert "cannot be reached" in text
    assert "no `go` on PATH" in text
    for way in ("1. install Pulumi", "2. allow HTTPS", "3. put Go"):
        assert way in text


def test_a_step_that_takes_too_long_is_stopped_with_all_it_started(tmp_path: Path) -> None:
    marker = tmp_path / "still-alive"
    script = f"echo begun; (sleep 1.5; touch '{marker}') & sleep 30"
    with pytest.raises(StepError, match=r"(?s)stopped after 0 s.*begun"):
        engine_step.run(["/bin/sh", "-c", script], "waiting", 0.3, dict(os.environ))
    subprocess.run(["sleep", "1.6"], check=True)
    assert not marker.exists(), "a child of the stopped step went on"


def test_progress_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    engine_step.run(["/bin/sh", "-c", "exit 0"], "doing a thing", 5, dict(os.environ))
    out, err = capfd.readouterr()
    assert out == ""
    assert "doing a thing" in err


def test_the_command_prints_the_folder_or_json(tmp_path: Path, machine: dict[str, str]) -> None:
    found = pulumi(tmp_path / "bin" / "pulumi")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "tools.engine", *arguments]
        return subprocess.run(command, env=machine, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout

    assert run() == f"{found.parent}\n"
    report = json.loads(run("--json"))
    assert (report["pulumi"], report["version"], report["source"]) == (str(found), VERSION, "path")


def test_every_pin_of_the_engine_is_the_same_version() -> None:
    module = (engine_sources.MODULE / "go.mod").read_text(encoding="utf-8")
    pinned = set(re.findall(r"github\.com/pulumi/pulumi/(?:pkg|sdk)/v3 v(\S+)", module))
    assert pinned == {VERSION}, "tools/pulumi_build builds another version than tools/engine.py asks for"
    requirements = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    assert re.search(rf"^pulumi=={re.escape(VERSION)} ", requirements, re.MULTILINE), "engine and SDK go together"
