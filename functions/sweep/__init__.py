"""The sweep function: finds keys that should not exist, revokes them, and reports what needs a person.

Entry
    handler         one request in, a result of ids and messages out
    request         the event's fields
    services        the clients and the time

Sweep of tenants
    sweep           the order: choose tenants, gather, decide, act
    due             which tenants are due, and which rotations are late
    pace            the pause between tenants
    gather_facts    the facts about one tenant's keys
    facts           the records of facts and findings
    decide_keys     a finding for each key
    decide_keyless  the same for a tenant that gets tokens
    old_key         how long an old key lives that a person must replace
    act             carries a finding out
    trust           whether the roles that read keys trust principals that exist
    governance      whether OpenAI would still let a rotation mint a key
    metrics         the numbers for CloudWatch

Secrets compared with projects
    gather_cell     lists both
    rules           federation rules that no tenant has, or that were changed by hand
    declared        which tenants are declared, and which get tokens
    orphans         what one side has and the other has not
    tenants         the cell's secrets as Secrets Manager lists them

One tenant's keys
    locate_tenant   its project, account and secret
    held_keys       the keys that the secret's versions hold
    valid_keys      the keys that are valid
    revoke          revokes all of them
    inspect         what the live secret holds, before an adoption
"""
