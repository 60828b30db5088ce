"""The Lambda functions. They import only the standard library and boto3, since they can read the admin key.

rotation        mints a tenant's key and stores it in the tenant's secret
admin_rotation  replaces the cell's admin key
provisioner     creates and updates a tenant's OpenAI project and its limits
promoter        makes a key that a customer handed in the tenant's key
health          finds what is wrong with tenants' keys, models and money
sweep           finds keys that should not exist, revokes them, and reports what needs a person
shared          what they share: OpenAI over HTTP, Admin API, secret store, log, deadline
packer          builds each function's zip
"""
