"""`python -m bench`: what the product costs, measured, beside Terraform and other libraries.

Figures
    add_tenant       one tenant more where 50 are
    growth           the 1,000th tenant beside the 10th
    many_stacks      tenants a minute, by workers
    function_costs   import time, zip size, calls
    reader           a warm read
    thundering_herd  1,000 threads and one expired key

Peers
    terraform        Terraform with every tenant in one state
    for_each         its figures beside ours

Shared
    stage            a local cell for measuring
    crowd            tenants that are there already
    measure          times and memory
    machine          what figures were taken on
    figures          a line of the table
    report           the table
"""
