"""The provisioner function: sets a tenant's OpenAI project, service account and limits to those of the tenant's
file.

handler     Pulumi's calls
request     the input, checked
project     project and service account
limits      models, rates, spending
federation  the rule by which a tenant without a key gets tokens
"""
