"""The OpenAI side of the local cell: its API on loopback, with an admin API for keys, projects and money.

routes/      What each endpoint does, one file a kind of object; all of them together in `ALL`
access       Whose key a request has, and whether that key may make it
answering    A model's answer, and what it costs the project
audit        The audit log's entries
call         One request to the emulator, and its answer
catalogue    The models that the emulator offers: their prices and the organization's rate limits for them
control      A client for the emulator's control endpoints
control_app  The emulator's own endpoints under `/_emulator`
errors       OpenAI's refusals: status, body and wording, one constructor for each
faults       Injected faults: which call, how often, and before or after it was applied
fields       Reads requests as strictly as OpenAI does
gateway      The ASGI application: reads a request, injects faults, sends the answer, keeps the log of calls
keys         The form of keys and ids, and what is stored of a key
minting      Makes keys; only the answer and the ledger get the value
pacing       The organization's and projects' rate limits
paging       Lists by cursor: `after`, `before`, `limit`, `order`, and the page object that the SDK follows
policies     The organization's policies about keys: longest life, only service accounts, no new keys
server       Serves the OpenAI side of the local cell on loopback
settings     What a test or a person can set on the emulated organization
state        The state of the emulated organization
"""
