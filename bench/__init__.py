"""`python -m bench`: measures what the product costs, compared with Terraform and other libraries.

Figures
    add_tenant       adds one tenant to 50
    growth           compares the 1,000th tenant with the 10th
    many_stacks      tenants a minute, by workers
    unchanged        `up` of 2,000 tenants of whom few changed
    worker_memory    a worker's memory over 100 stacks
    function_costs   import time, zip size, calls
    reader           a warm read
    reader_outage    the longest read over a rotation and an outage
    thundering_herd  1,000 threads and one expired key
    keyless          a client's call without a key, and 1,000 threads at a token's end
    page             building the page of a fleet, and opening it
    health           a cycle of the health function, by tenants and organizations
    connect          500 customers at the connect page at once

Peers
    terraform        finds Terraform and its provider, and runs them with every tenant in one state
    for_each         adds one tenant to that state, on the measured cell

Shared
    stage            a local cell for measuring
    crowd            the tenants that exist before the measurement
    measure          times and memory
    machine          the machine and packages of a measurement
    figures          a line of the table
    report           the table
"""
