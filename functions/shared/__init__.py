"""What the functions share.

environment      the function's environment variables
deadline         the invocation's time, and waiting within it
log              one JSON line a step, redacted
openai_http      one request to OpenAI's API
openai_admin     the Admin API: retries, pages, a project's keys
admin_key        reading the admin key
admin_keys       the organization's admin keys
secrets_client   the Secrets Manager client
secrets_manager  one secret, its versions and labels
"""
