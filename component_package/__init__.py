"""`Platform` and `TenantKey` for other Pulumi programs, in any of Pulumi's languages.

Owns the component package `myflux`: arguments with the fields of the tenant and cell files, their checks before the
components, and the process that the engine starts. Leaves out resources (components/) and the translation from models
to components (program.py), so this repository's stacks and other programs create the same resources. SDKs are generated
from docs/schema/package.schema.json, which is inferred from the types here.

arguments             the fields, in types of every language
surroundings          a valid cell and its AWS provider
platform_component    `Platform`
tenant_key_component  `TenantKey`
plugin                schema, and errors as messages
"""
