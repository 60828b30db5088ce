"""Why the engine failed: of all that it wrote, what a person needs."""

from __future__ import annotations

import pytest

from ops.stacks.failure import reason


def ended(code: int, out: str = "", err: str = "") -> str:
    """As the SDK's error is printed."""
    return f"\n code: {code}\n stdout: {out}\n stderr: {err}"


TRACE = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation]

goroutine 1 [running]:
main.main()
\t/home/runner/work/pulumi/pulumi/sdk/go/main.go:69 +0x6d"""


@pytest.mark.parametrize(
    ("output", "told", "why"),
    [
        (ended(-9, "Updating (acme.local):\n"), "", "the engine was killed (SIGKILL, as by a system that is out of"),
        (ended(-15), "", "the engine was killed (SIGTERM):"),
        (ended(-64), "", "the engine was killed (SIGRTMAX)"),
        (ended(2, err=TRACE), "", "the engine crashed: panic: runtime error: invalid memory address"),
        (
            ended(2, err="fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1"),
            "",
            "the engine crashed: fatal",
        ),
        (ended(255, err="error: no stack named 'acme.local' found"), "", "somebody has removed the stack meanwhile."),
        (
            ended(255, err="error: the passphrase is wrong\nwarning: a new version is there"),
            "",
            "the passphrase is wrong",
        ),
        (ended(1, err="warning: a new version is there"), "update failed: no", "update failed: no"),
        ("", "", "the engine ended without a word"),
    ],
)
def test_the_reason_is_what_happened_and_not_the_last_line(output: str, told: str, why: str) -> None:
    assert reason(output, told).startswith(why)


def test_what_the_engine_said_before_it_was_killed_is_told_too() -> None:
    assert reason(ended(-9), "AWS refuses this").endswith("\nAWS refuses this")
