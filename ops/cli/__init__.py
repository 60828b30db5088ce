"""The `myflux-keys` command: parses arguments and prints results. Decides nothing.

Root     main, commands (the table of commands), __main__
Shared   options, output, ask, table, progress
Stacks   stacks (up, preview, refresh, destroy), stacks_run, stacks_report
Tenants  new, adopt, move, rename, offboard, access (disable, enable)
Keys     rotate, revoke, admin_key, key
Reports  validate, check, status, sweep, history, capacity
Cell     local; `demo` is in the folder demo/
"""
