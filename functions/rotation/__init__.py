"""The rotation function: mints a tenant's key, proves it, stores it, makes it current, and expires the old one."""
