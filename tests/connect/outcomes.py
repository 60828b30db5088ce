"""What a promoter's run left behind: a key that is live, or a refusal and no key."""

from __future__ import annotations

from functions.shared.intake import Place
from tests.connect.world import MODEL, OTHER_MODEL, World


def refused(world: World, place: Place, reason: str) -> None:
    """The outcome names the reason, and no key is left anywhere."""
    outcome = world.outcome(place)
    assert outcome is not None
    assert (outcome.state, outcome.reason, outcome.last_four) == ("refused", reason, "")
    assert not world.lies_in_intake(place)
    assert place.id not in world.versions()


def promoted(world: World, place: Place, key: str) -> None:
    """The link's version is the live one, under the link's id, and the intake's copy is gone."""
    assert "AWSCURRENT" in world.versions()[place.id]
    live = world.live()
    assert live is not None
    assert (live.reveal(), live.tenant, live.models) == (key, world.tenant, (MODEL, OTHER_MODEL))
    outcome = world.outcome(place)
    assert outcome is not None
    assert (outcome.state, outcome.organization, outcome.last_four) == ("promoted", world.organization, key[-4:])
    assert not world.lies_in_intake(place)
