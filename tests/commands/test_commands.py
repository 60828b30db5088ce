"""A command that the server starts is the same as one that Python starts."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.commands import client
from tests.program.rig import wait_until

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MYFLUX_"))}

SAME = {
    "a report on stdout": ["models", "--json"],
    "a refusal on stderr, and 1": ["status", "nobody"],
    "a wrong use, and 2": ["rotate", "--no-such-option"],
    "help": ["up", "--help"],
    "an input that ends at once": ["admin-key", "set", "--cell", "local"],
}


@pytest.mark.parametrize("arguments", SAME.values(), ids=SAME.keys())
def test_exit_code_and_both_outputs_are_the_same(arguments: list[str], tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"MYFLUX_STATE": str(tmp_path), "COLUMNS": "70"}
    served, started = client.run(arguments, environment), client.anew(arguments, environment)
    assert (served.returncode, served.stdout, served.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )
    assert served.stdout or served.stderr


FACTS = """
import json, os, resource, signal, sys, threading
facts = {
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "path": sys.path[0],
    "environment": dict(os.environ),
    "input": sys.stdin.read(),
    "terminals": [os.isatty(number) for number in range(3)],
    "encodings": [stream.encoding for stream in (sys.stdin, sys.stdout, sys.stderr)],
    "open": sorted(os.listdir("/proc/self/fd"))[:-1] if os.path.exists("/proc/self/fd") else [],
    "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
    "umask": os.umask(0o22),
    "name": __name__,
    "threads": threading.active_count(),
    "warnings": sys.warnoptions,
}
print(json.dumps(facts))
"""


@pytest.mark.parametrize("more", [{}, {"PYTHONWARNINGS": "error"}], ids=["as they are", "warnings are errors"])
def test_a_process_finds_itself_the_same(more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments, folder, environment, input, signals, descriptors and all that a program can ask about itself."""
    module = "facts_of_a_process"
    monkeypatch.setattr(client, "ROOT", tmp_path)
    (tmp_path / "facts_of_a_process.py").write_text(FACTS, encoding="utf-8")
    environment = ENVIRONMENT | more | {"ONLY_HERE": "ü"}
    served = client.run(["one", "--two=3"], environment, module=module, stdin="typed")
    started = client.anew(["one", "--two=3"], environment, module=module, stdin="typed")
    assert served.stdout == started.stdout
    assert '"typed"' in served.stdout, served.stderr


def test_a_session_of_its_own_is_interrupted_as_a_terminal_does_and_ends_after_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "waits"
    monkeypatch.setattr(client, "ROOT", tmp_path)
    (tmp_path / "waits.py").write_text(
        "import os, sys, time\n"
        "open('begun', 'w').write(f'{os.getpid()} {os.getpgrp()} {os.getsid(0)}')\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    sys.exit(7)\n",
        encoding="utf-8",
    )
    with ThreadPoolExecutor(max_workers=1) as beside:
        running = beside.submit(client.run, [], ENVIRONMENT, module=module, group=True)
        begun = tmp_path / "begun"
        wait_until(lambda: running.done() or (begun.exists() and begun.stat().st_size > 0), "its start")
        pid, group, session = map(int, begun.read_text(encoding="utf-8").split())
        assert pid == group == session
        os.killpg(group, signal.SIGINT)
        assert running.result().returncode == 7
    with pytest.raises(subprocess.TimeoutExpired):
        client.run([], ENVIRONMENT, module=module, group=True, timeout=0.01)


def test_one_that_is_killed_tells_its_signal_and_an_error_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "ends"
    monkeypatch.setattr(client, "ROOT", tmp_path)
    file = tmp_path / "ends.py"
    file.write_text("import os\nos.kill(os.getpid(), 9)\n", encoding="utf-8")
    assert client.run([], ENVIRONMENT, module=module).returncode == -signal.SIGKILL
    file.write_text("import atexit\natexit.register(print, 'last')\nraise LookupError('a slip')\n", encoding="utf-8")
    served = client.run([], ENVIRONMENT, module=module)
    assert (served.returncode, served.stdout) == (1, "last\n")
    assert served.stderr.startswith("Traceback")
    assert served.stderr.endswith("LookupError: a slip\n")


@pytest.mark.parametrize("leaving", ["", "sys.exit()", "sys.exit(3)", "sys.exit(259)", "sys.exit('why')"])
def test_the_end_waits_for_threads_and_does_what_was_registered_for_it(
    leaving: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules are not taken down, but all that one can see of the end is there."""
    module = "leaves"
    monkeypatch.setattr(client, "ROOT", tmp_path)
    (tmp_path / "leaves.py").write_text(
        "import atexit, sys, threading\n"
        "ending = threading.Event()\n"
        "def last():\n    ending.wait()\n    print('thread')\n"
        "threading.Thread(target=last).start()\n"
        "atexit.register(lambda: sys.stderr.write('registered'))\n"
        f"print('no line break', end='')\nending.set()\n{leaving}\n",
        encoding="utf-8",
    )
    served, started = (run([], ENVIRONMENT, module=module) for run in (client.run, client.anew))
    assert served.stdout == "no line breakthread\n"
    assert "registered" in served.stderr
    assert (served.returncode, served.stdout, served.stderr) == (started.returncode, started.stdout, started.stderr)


@pytest.mark.parametrize("name", ["PYTHONPATH", "LC_ALL", "TZ"])
def test_what_is_read_when_a_process_starts_is_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another value than the server's: the command is started without it."""
    module = "asked"
    monkeypatch.setattr(client, "ROOT", tmp_path)
    (tmp_path / "asked.py").write_text("import sys\nprint(sys.orig_argv[1:3])\n", encoding="utf-8")
    assert client.run([], ENVIRONMENT | {name: "C"}, module=module).stdout == "['-m', 'asked']\n"
    assert "server.py" in client.run([], ENVIRONMENT, module=module).stdout


def test_many_run_at_once_and_none_hears_anothers_words() -> None:
    names = [f"command-{number}" for number in range(6)]
    with ThreadPoolExecutor(max_workers=6) as six:
        told = list(six.map(lambda name: client.run([name], ENVIRONMENT), names))
    assert [name for name, one in zip(names, told, strict=True) if name in one.stderr] == names
