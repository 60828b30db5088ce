"""The health function: finds what is wrong with tenants' keys, models and money, and tells whose it is.

Decisions (pure)
    facts         the records of facts
    trouble       the kinds of trouble, and the records of findings
    judge         everything that is decided about one tenant
    causes        why OpenAI refused a call
    calls         whether key and models answer
    retirement    models that OpenAI shuts down
    spend         spend against the budget
    forecast      the month's end
    drift         limits that differ from the declaration
    secret_life   the secret and key beside the declaration
    probing       who gets a billed call
    lift          trouble of the organization's and of OpenAI's own

Over time
    history       what started, got worse and ended
    notices       which messages are sent

Messages
    messages      their form
    english       their texts
    spanish       their texts
"""
