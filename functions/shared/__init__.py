"""What the functions share.

environment      the function's environment variables
customer_key     a customer's own key: whose it is, whether it works
deadline         the invocation's time, and waiting within it
handover         who confirmed that a person's consumer has the tenant's key, and what follows from it
objects          a bucket's objects, by version
handover_store   reads those records
old_keys         which of a tenant's keys are old, and since when
intake           what lies in the bucket of connect's intake
link             what a customer's link to the connect page says
link_mac         whether a person signed that link, by KMS
log              one JSON line a step, redacted
federated_token  a federated tenant's token, in the place of a key
identity_providers  a cell's identity providers at OpenAI, and their rules
openai_http      one request to OpenAI's API
openai_admin     the Admin API: retries, pages, a project's keys
admin_key        reading the admin key
admin_keys       the organization's admin keys
openai_projects  lists projects
redacted_value   how OpenAI shows a key
scopes           what a key or a token may do, by the tenant's `permission`
vendors          other providers' keys
new_key          a key just minted
rotation_frame   one step of a rotation
rotation_guard   whether a rotation may go on
cloudwatch       metrics
secrets_client   the Secrets Manager client
secrets_manager  one secret, its versions and labels
"""
