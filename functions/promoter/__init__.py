"""Makes a key that a customer handed in the tenant's key. Why like this: docs/adr/0041-connect.md.

handler   the entry point, by schedule and for one hand-in
settings  its own settings
services  the clients of an invocation
promote   one key's way, safe to repeat from anywhere
decide    what is to be done, by facts alone
intake    the bucket, the ciphertext, and the link's MAC
secret    the tenant's secret
"""
