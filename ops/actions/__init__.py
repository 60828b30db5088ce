"""What an operator does to a running cell: decisions and calls. `ops/cli` only parses arguments and prints.

Keys        rotate (with pace), revoke, end_keys, admin_key, customer_key, customer_key_check
Tenants     new_tenant, tenant_file, access (disable, enable), adopt, move, offboard, leave_cell (of the last two)
Reports     status, history (with trail), sweep, orphans, capacity, projection
Run         run_rotate, run_revoke, run_adopt, run_move, run_offboard, run_sweep, run_stacks, store_keys, switch_access:
            what a command calls, which loads files, takes locks and opens records and accounts
Read        read_reports (for the reports, cell by cell), stack_states (which stacks have a state)
AWS Lambda  functions_client: calls to the cell's functions
"""
