"""CloudTrail in the local cell: the event history, and looking events up.

errors      The error of an answer, as CloudTrail records it
history     CloudTrail's event history: who called what, denied calls included, and never a secret
identity    CloudTrail's userIdentity of the request's caller
lookup      LookupEvents page by page: MiniStack answers with the newest events only and has no next page
parameters  What CloudTrail keeps of a request and its answer
"""
