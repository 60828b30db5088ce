"""`tenants/*.yaml` and `cells/*.yaml` to validated, immutable models.

Owns what a tenant and a cell may say, and the refusals. Leaves out Pulumi: `program.py` turns models into components.
Start at `load`; every refusal of every file comes at once, in one `TenancyError`.
"""

from tenancy.cell import Cell
from tenancy.fleet import Fleet
from tenancy.loading import load
from tenancy.problems import Problem, TenancyError
from tenancy.tenant import Tenant

__all__ = ["Cell", "Fleet", "Problem", "TenancyError", "Tenant", "load"]
