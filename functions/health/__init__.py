"""The health function: finds what is wrong with tenants' keys, models and money, and tells whose it is.

Entry
    handler        one invocation
    settings       the environment variables
    services       the clients and the time
    pace           which calls of the schedule have work
    cycle          the order: read, decide, tell, remember
    look           one tenant now, at a person's request

Reading
    store          the platform's bucket: declarations, catalogue, state
    catalogue      the catalogue's JSON
    roster         whom a cycle watches
    organizations  costs, usage and limits by the Admin API
    usage          the grouped calls
    limits         a project's limits, and whose turn it is
    handovers      a tenant's hand-overs, and whose turn it is
    tenant_round   one tenant in one cycle
    asking         one tenant's own answers

Asked by a command
    usage_request  the event that asks for usage and costs, read strictly
    usage_answer   its answer: how many days, of which organizations
    usage_rows     the grouped rows of some days

Decisions (pure)
    facts          the records of facts
    trouble        the kinds of trouble, and the records of findings
    judge          everything that is decided about one tenant
    causes         why OpenAI refused a call
    calls          whether key and models answer
    retirement     models that OpenAI shuts down
    spend          spend against the budget
    forecast       the month's end
    drift          limits that differ from the declaration
    secret_life    the secret and key beside the declaration
    handover_facts  a consumer's hand-over, and what is remembered of it
    handover_judge  which of them is told, and how often
    probing        who gets a billed call
    lift           trouble of the organization's and of OpenAI's own

Over time
    history        what started, got worse and ended
    notices        which messages are sent
    state          what is remembered, and its JSON
    counting       the cell's metrics

Messages
    messages       their form
    english        their texts
    spanish        their texts
    remedies       their commands and pages
"""
