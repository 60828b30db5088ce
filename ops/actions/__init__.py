"""What an operator does to a running cell: decisions and calls. `ops/cli` only parses arguments and prints.

Keys        rotate (with pace), revoke, end_keys, admin_key, customer_key, customer_key_check
Tenants     new_tenant, tenant_file, access (disable, enable), adopt, move, offboard
Reports     status, history (with trail), sweep, orphans, capacity, projection
AWS Lambda  functions_client: calls to the cell's functions
"""
