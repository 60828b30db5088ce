"""Starting, finding, judging and ending a cell, with stand-ins for its two sides: this is about processes alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import cell as cell_module
from local import record
from local import servers as sides
from local.cell import CellError, LocalCell, preferred
from local.process import ServerProcess

PROBE = "tests.cell.probe_server"
BROKEN = "tests.cell.broken_server"


def give(monkeypatch: pytest.MonkeyPatch, *, aws: str, openai: str) -> None:
    monkeypatch.setitem(sides.SIDES, "aws", (aws, "/"))
    monkeypatch.setitem(sides.SIDES, "openai", (openai, "/"))


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, aws=PROBE, openai=PROBE)


def servers(home: Path) -> dict[str, ServerProcess]:
    return record.read(home.resolve())


def kill(server: ServerProcess) -> None:
    os.killpg(server.group, signal.SIGKILL)
    give_up = time.monotonic() + 60
    while server.alive():
        assert time.monotonic() < give_up, "a killed server kept its lock"
        time.sleep(0.01)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_second_start_returns_the_cell_that_runs(home: Path) -> None:
    first = LocalCell.start(home)
    second = LocalCell.start(home)
    assert (second.aws_url, second.openai_url) == (first.aws_url, first.openai_url)
    assert LocalCell.attach(home).aws_url == first.aws_url


def test_two_starts_at_once_make_one_cell(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        ports = {cell.aws_port for cell in pool.map(lambda _: LocalCell.start(home), range(4))}
    assert len(ports) == 1, "each start must wait for the others and then find their cell"


def test_the_cells_file_is_for_its_owner_only(home: Path) -> None:
    LocalCell.start(home)
    assert (home / "cell.json").stat().st_mode & 0o777 == 0o600


def test_servers_inherit_nothing_of_the_caller(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("HTTPS_PROXY", "http://canary:1")
    monkeypatch.setenv("PYTHONPATH", "/canary")
    cell = LocalCell.start(home)
    facts = json.loads((home / f"probe-{cell.aws_port}.json").read_text(encoding="utf-8"))
    assert "canary" not in json.dumps(facts["environment"]), "Lambda functions would see the caller's secrets"
    assert facts["environment"]["MYFLUX_LOCAL_CLOCK"] == str(cell.home / "clock"), "both sides share one clock"
    assert facts["core_limit"] == 0, "a core file would hold every key in memory"
    assert facts["session"] != os.getsid(0), "the cell must outlive the terminal that started it"
    assert facts["umask"] == 0o077, "what a server writes is its owner's"


def test_a_side_that_died_is_reported_and_not_replaced(home: Path) -> None:
    LocalCell.start(home)
    kill(servers(home)["openai"])
    status = LocalCell.status(home)
    assert status.state == "half-dead"
    assert "openai side has ended" in status.detail
    assert "myflux-keys local reset" in status.detail, "the reader needs the way out"
    for act in (LocalCell.start, LocalCell.attach):
        with pytest.raises(CellError, match="half-dead"):
            act(home)
    assert servers(home)["aws"].alive(), "reporting must not end what still lives"


def test_a_cell_whose_sides_are_both_gone_is_dead(home: Path) -> None:
    LocalCell.start(home)
    for server in servers(home).values():
        kill(server)
    assert LocalCell.status(home).state == "dead"
    assert LocalCell.clear(home), "there was something to clear"
    assert LocalCell.status(home).state == "none"
    LocalCell.start(home)


def test_a_side_that_hangs_is_not_called_healthy(home: Path) -> None:
    LocalCell.start(home)
    aws = servers(home)["aws"]
    os.killpg(aws.group, signal.SIGSTOP)
    try:
        status = LocalCell.status(home)
    finally:
        os.killpg(aws.group, signal.SIGCONT)
    assert status.state == "half-dead"
    assert "runs but does not answer" in status.detail


def test_stop_ends_both_sides_and_takes_what_they_held(home: Path) -> None:
    cell = LocalCell.start(home)
    held = servers(home)
    (home / "state").mkdir()
    (home / "state" / "stack.json").write_text("{}", encoding="utf-8")
    (home / "demo").mkdir()
    (home / "demo" / "report.json").write_text("{}", encoding="utf-8")
    cell.stop()
    assert not any(server.alive() for server in held.values())
    assert not listens(cell.aws_port)
    assert not listens(cell.openai_port)
    left = {path.name for path in home.iterdir()}
    assert not left & {"cell.json", "state", "tmp", "aws.log", "openai.log"}, "state about a gone cell means nothing"
    assert (home / "demo" / "report.json").exists(), "a report is its reader's, not the cell's"
    cell.stop()


def test_clear_never_signals_a_process_that_is_not_the_cells(home: Path) -> None:
    LocalCell.start(home)
    for server in servers(home).values():
        kill(server)
    document = json.loads((home / "cell.json").read_text(encoding="utf-8"))
    document["aws"]["group"] = os.getpgid(0)
    (home / "cell.json").write_text(json.dumps(document), encoding="utf-8")
    LocalCell.clear(home)
    assert LocalCell.status(home).state == "none", "this test would have been killed if a reused id were trusted"


def test_a_side_that_cannot_start_is_explained_in_its_own_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, aws=PROBE, openai=BROKEN)
    with pytest.raises(CellError, match="the probe refuses to start today"):
        LocalCell.start(home)
    assert LocalCell.status(home).state == "none", "a failed start leaves no half of a cell behind"


def test_a_start_that_was_killed_can_be_cleared(home: Path) -> None:
    LocalCell.start(home)
    document = json.loads((home / "cell.json").read_text(encoding="utf-8"))
    openai = servers(home)["openai"]
    del document["openai"]
    openai.stop()
    (home / "cell.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(CellError, match="did not complete"):
        LocalCell.start(home)
    assert LocalCell.clear(home)


def test_a_port_asked_for_and_taken_is_refused(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CellError, match=f"port {port} is taken"):
            LocalCell.start(home, aws_port=port)
        assert preferred(port) == 0, "a default that is taken gives way to any free port"


def test_a_drawn_port_that_another_cell_took_meanwhile_is_drawn_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = vars(cell_module)["_port"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        drawn = iter([taken.getsockname()[1]])
        monkeypatch.setattr(cell_module, "_port", lambda wanted: next(drawn, None) or draw(wanted))
        assert LocalCell.start(home).aws_port != taken.getsockname()[1]
    assert LocalCell.status(home).state == "running"


def test_there_is_no_cell_where_none_was_started(home: Path) -> None:
    assert LocalCell.status(home).state == "none"
    assert not LocalCell.clear(home)
    with pytest.raises(CellError, match="myflux-keys local up"):
        LocalCell.attach(home)
