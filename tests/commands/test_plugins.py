"""A plugin or a program that the server forks is the same as one that Python starts, for the engine and for itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import commands
from local.process import REPOSITORY
from tests.commands import plugins
from tests.commands.test_commands import FACTS
from tests.program.rig import wait_until

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MYFLUX_"))}

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def stubs(tmp_path: Path) -> tuple[str, ...]:
    """What precedes the target in a forked command: read from the command that a cell gets."""
    commands.stub(tmp_path / "host", plugins.HOST)
    words = (tmp_path / "host").read_text(encoding="utf-8").split()
    return tuple(words[words.index("exec") + 1 : words.index(plugins.HOST)])


@pytest.fixture
def start(stubs: tuple[str, ...], tmp_path: Path) -> Iterator[Start]:
    """Starts `script` by a fork, or by Python where `forked` is False; ended with the test."""
    running: list[subprocess.Popen[str]] = []

    def started(script: str, *arguments: str, forked: bool = True, **more: str) -> subprocess.Popen[str]:
        (tmp_path / "script.py").write_text(script, encoding="utf-8")
        plain = [sys.executable, str(tmp_path / "script.py"), *arguments]
        process = subprocess.Popen(
            [*stubs, plain[1], *plain] if forked else plain,
            cwd=tmp_path,
            env=ENVIRONMENT | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.communicate()


def test_it_finds_itself_the_same(start: Start) -> None:
    """Folder, environment, input, signals, descriptors, and all that a program can ask about itself."""
    (served, errors), (started, _) = (
        start(FACTS, forked=forked, ONLY_HERE="ü").communicate("typed") for forked in (True, False)
    )
    assert errors == ""
    forked, plain = json.loads(served), json.loads(started)
    # The engine's arguments come after what is started: a script's own name is among them here.
    assert forked.pop("arguments")[1:] == plain.pop("arguments")
    assert forked == plain
    assert plain["input"] == "typed"


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONWARNINGS", "LC_ALL", "TZ"])
def test_with_another_value_of_what_python_reads_at_its_start_python_is_started(name: str, start: Start) -> None:
    asks = "import sys; print(sys.orig_argv[-1])"
    assert start(asks, **{name: "default"}).communicate()[0].endswith("script.py\n")
    assert "script.py" not in start(asks).communicate()[0], "else it was a fork"


def test_without_a_server_python_is_started(stubs: tuple[str, ...], tmp_path: Path) -> None:
    """A cell may outlive the tests, e.g. one that is looked into after a failure."""
    asking = [*stubs[:-1], str(tmp_path / "nobody"), "json.tool", sys.executable, "-c", "print('anew')"]
    assert subprocess.run(asking, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout == "anew\n"


WAITS = """
import os, signal, sys, time
from pathlib import Path

def leave(number, frame):
    sys.exit(40 + number)

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, leave)
parent = os.getppid()
Path("begun.draft").write_text(str(os.getpid()))
Path("begun.draft").rename("begun")
while os.getppid() == parent:
    time.sleep(0.02)
Path("orphan").touch()
"""


def pid_of(folder: Path) -> int:
    wait_until((folder / "begun").exists, "its start")
    return int((folder / "begun").read_text(encoding="utf-8"))


def has_ended(pid: int) -> bool:
    """Or nobody has waited for it yet, where nothing waits for orphans."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_it_and_its_exit_code_the_engine(number: signal.Signals, start: Start, tmp_path: Path) -> None:
    process = start(WAITS)
    assert pid_of(tmp_path) != process.pid
    process.send_signal(number)
    assert process.wait(60) == 40 + number


def test_one_that_a_signal_ends_has_ended_by_it(start: Start, tmp_path: Path) -> None:
    process = start(WAITS)
    os.kill(pid_of(tmp_path), signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="this system does not list its processes there")
def test_what_the_engine_kills_is_killed(start: Start, tmp_path: Path) -> None:
    process = start(WAITS)
    pid = pid_of(tmp_path)
    process.kill()
    wait_until(lambda: has_ended(pid), "its end")
    assert not (tmp_path / "orphan").exists()


def test_it_sees_that_the_engine_was_killed(stubs: tuple[str, ...], tmp_path: Path) -> None:
    """As a process does whose parent ends: by its parent's number. The plugins then end themselves."""
    (tmp_path / "script.py").write_text(WAITS, encoding="utf-8")
    asking = [*stubs, str(tmp_path / "script.py"), sys.executable, str(tmp_path / "script.py")]
    engine = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.run({asking!r})"], cwd=tmp_path, env=ENVIRONMENT
    )
    pid_of(tmp_path)
    engine.kill()
    engine.wait()
    wait_until((tmp_path / "orphan").exists, "its look at its parent")


def test_nothing_of_one_reaches_the_next(start: Start) -> None:
    leaves = "import os, sys, pulumi\nos.environ['LEFT'] = 'x'\npulumi.left = sys.left = True\nos.chdir('/')"
    asks = "import os, sys, pulumi\nprint('LEFT' in os.environ, hasattr(pulumi, 'left'), hasattr(sys, 'left'))"
    assert start(leaves).wait(60) == 0
    assert start(asks).communicate()[0] == "False False False\n"


def test_a_host_forks_the_repositorys_program_and_starts_that_of_another_folder(tmp_path: Path) -> None:
    """Another folder's program may have modules of the same names, e.g. those of a branch that is reviewed."""
    asks = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.commands.plugins import fork_programs
fork_programs("an address")
from local.language_host import host, processes
processes.subprocess.Popen = lambda command, **_: sys.exit(" ".join(command))
host.Processes().run([sys.executable, {plugins.RUNNER!r}], sys.argv[1], {{}}, b"")
"""

    def command(folder: Path) -> str:
        asked = [sys.executable, "-c", asks, str(folder)]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stderr

    assert command(REPOSITORY).endswith(f"stub.py an address {plugins.RUNNER} {sys.executable} {plugins.RUNNER}\n")
    assert command(tmp_path) == f"{sys.executable} {plugins.RUNNER}\n"


def test_a_command_typed_in_bash_is_the_same() -> None:
    script = "echo '{}' | ./myflux-keys admin-key set --cell nowhere || echo $?; ./myflux-keys models --json | tail -1"

    def told(lines: str) -> tuple[int, str, str]:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            cwd=REPOSITORY,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    assert "stub.py" in plugins.typed()
    assert told(plugins.typed() + script) == told(script)
