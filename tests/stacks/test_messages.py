"""What of the engine's errors a person reads."""

from __future__ import annotations

from ops.stacks.messages import Messages


def _heard(*messages: str) -> str:
    heard = Messages()
    for message in messages:
        heard.hear(message)
    return str(heard)


def test_a_reason_is_told_once_though_the_engine_repeats_it() -> None:
    assert _heard("no such tenant\n", "an unhandled error occurred: no such tenant", "update failed") == (
        "no such tenant\nupdate failed"
    )


def test_an_exception_of_the_program_is_called_one() -> None:
    assert _heard("python inline source runtime error: division by zero\nTraceback ...") == (
        "the program stopped with an exception: division by zero\nTraceback ..."
    )


def test_calls_that_waited_for_an_ended_engine_say_nothing() -> None:
    assert _heard("AccessDenied", "python inline source runtime error: resource monitor shut down\nTraceback") == (
        "AccessDenied"
    )
