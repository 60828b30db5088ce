"""`make demo`: runs the whole product on this machine, one named check after another.

Around the checks
    command       `myflux-keys demo`
    play          their order
    scene         cell, files and engine
    report        what is printed and saved

Checks
    provisioning  from an empty machine to keys
    access        who reads what
    proving       isolation
    rotating      while calls run
    sweeping      a key that nobody should hold
    watching      three troubles, told and over
    spending      usage, costs and estimates
    connecting    a customer's key by the connect page
    handing_over  a rotated key's way into CINNOX
    keyless       a tenant without a key, and its switch to one and back
    calling       calls that go on meanwhile
    settling      nothing changes, nothing stays
    proposing     a pull request
    traces        places that are searched for keys
    leaks         the search
"""
