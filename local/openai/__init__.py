"""The OpenAI side of the local cell: its API on loopback, with an admin API for keys, projects and money.

routes/      What each endpoint does, one file a kind of object; all of them together in `ALL`
access       Who a request's key belongs to, and whether that key may do this
answering    A model's answer, and what it costs the project
audit        The audit log's entries
call         One request on its way through the emulator, and the answer to it
catalogue    The models that the emulator offers: their prices and the organization's rate limits for them
control      A client for the emulator's control endpoints
control_app  The emulator's own endpoints under `/_emulator`
errors       OpenAI's refusals: status, body and wording, one constructor for each
faults       Things that go wrong on request: which call, how often, and before or after it was applied
fields       Reads requests as strictly as OpenAI does
gateway      The wire: reads a request, acts faults out, has it answered, sends the answer, keeps the log of calls
keys         What keys and ids look like, and what is kept of a key
minting      Makes keys: the one place where a value exists, on its way into the answer and the ledger
pacing       How fast the organization may call
paging       Lists by cursor: `after`, `before`, `limit`, `order`, and the page object that the SDK follows
policies     What the organization's owner has decided about keys: longest life, service accounts only, no new keys
server       Serves the OpenAI side of the local cell on loopback
settings     What a test or a person can set on the emulated organization
state        Everything the emulated organization remembers
"""
