"""Every state of the page that a person can be in: its name, the fleet, and the address's fragment."""

from __future__ import annotations

from dataclasses import dataclass

from ops.actions.fleet_view import FleetView
from tests.page import fleets


@dataclass(frozen=True)
class State:
    name: str
    fleet: FleetView
    fragment: str = ""


STATES = (
    State("fleet", fleets.one_of_each()),
    State("fleet-all-well", fleets.in_order()),
    State("fleet-empty", fleets.empty()),
    State("fleet-without-credit", fleets.a_cell_without_credit()),
    State("broken", fleets.one_of_each(), "#/prod-eu1/solmar"),
    State("attention", fleets.one_of_each(), "#/prod-eu1/acme"),
    State("unknown", fleets.one_of_each(), "#/prod-eu1/nordlys"),
    State("off", fleets.one_of_each(), "#/prod-eu1/old-shop"),
    State("ok", fleets.one_of_each(), "#/prod-eu1/lumen"),
    State("keyless", fleets.without_a_key(), "#/prod-eu1/harbor"),
    State("through-its-organization", fleets.a_cell_without_credit(), "#/prod-eu1/shop-1"),
)
