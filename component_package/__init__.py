"""`Platform` and `TenantKey` for other Pulumi programs, in any of Pulumi's languages.

Owns the component package `myflux`: plain arguments with the fields of the tenant and cell files, their refusals in
front of the components, and the process that the engine starts. Leaves out every resource (components/) and the
translation from models to components (program.py): this repository's stacks and others' programs make the same things.
The schema that SDKs are generated from is inferred from the types here; docs/schema/package.schema.json keeps it.
"""
