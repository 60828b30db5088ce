"""What `doctor` prints for a person, where AWS cannot be reached: nothing of AWS runs here."""

from __future__ import annotations

from tests.cli.conftest import Command

NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "AKIA" + "X" * 16,
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_CONFIG_FILE": "/dev/null",
}


def test_one_line_for_each_check_with_its_state_and_what_to_do(myflux: Command) -> None:
    said = myflux("doctor", "local", environment=NOWHERE)
    assert said.code == 1
    heading, *lines = said.out.splitlines()
    assert heading.split() == ["WHERE", "CHECK", "STATE", "SEEN"]
    checks = [line.removeprefix("this machine").removeprefix("local").strip().split("  ")[0] for line in lines]
    assert checks[:4] == ["Python", "Pulumi engine", "clock", "account and Region"]
    assert len(set(checks)) == len(checks) > 10
    (account,) = [line for line in lines if "account and Region" in line]
    assert " wrong " in account
    assert "./myflux-keys local status`. To do: mend that first" in account
    assert all(" not checked " in line for line in lines[lines.index(account) + 1 :]), "nothing unseen is called ok"


def test_an_unknown_cell_is_told_with_those_that_there_are(myflux: Command) -> None:
    said = myflux("doctor", "nope", environment=NOWHERE)
    assert (said.code, said.out) == (1, "")
    assert "there is no cell `nope`: cells/ has local" in said.err
