"""The provisioner function: a tenant's OpenAI project, service account and limits, kept as the tenant's file says."""
