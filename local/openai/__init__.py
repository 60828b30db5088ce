"""OpenAI in the local cell: its API on loopback, with an admin API for keys, projects and spending. One address
serves the cell's own organization and those of customers.

federation/  Workload identity federation: a token of another issuer is exchanged for one of OpenAI's
routes/      What each endpoint does, one file per kind of object; `ALL` has all routes
access       Authenticates a request's key and checks its scopes
answering    A model's answer, and what it costs the project
audit        The audit log's entries
batching     Validates the input of batches, and works their requests off
call         One request to the emulator, and its response
catalogue    The models that the emulator offers: their prices and the organization's rate limits for them
control      A client for the emulator's control endpoints
control_app  The emulator's own endpoints under `/_emulator`
echo         Which settings of a request its answer tells again
errors       OpenAI's error responses: status, body and wording, one constructor for each
faults       Injected faults: which call, how often, and before or after it was applied
fields       Reads requests as strictly as OpenAI does
forms        Reads multipart forms, as file uploads are
gateway      The ASGI application: reads a request, injects faults, sends the response, records calls
keeping      What the OpenAI side keeps across a stop: organizations with their keys, usage, and the ledger
keys         The format of keys and ids, and what is stored of a key
minting      Makes keys; only the response and the ledger get the value
pacing       The organization's and projects' rate limits
paging       Lists by cursor: `after`, `before`, `limit`, `order`, and the page object that the SDK follows
policies     The organization's policies for keys: longest lifetime, only service accounts, no new keys
prompt_cache  Which part of a prompt is billed at the price of cached tokens
server       Serves the OpenAI emulator of the local cell on loopback
settings     The settings of the cell's organization that a test or a person can change
state        The state of an emulated organization
"""
