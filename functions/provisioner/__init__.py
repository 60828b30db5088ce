"""The provisioner function: sets a tenant's OpenAI project, service account and limits to those of the tenant's
file."""
