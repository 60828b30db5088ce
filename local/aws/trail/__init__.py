"""CloudTrail in the local cell: the event history and LookupEvents.

delivery    Events of calls reach EventBridge's rules
errors      The error of a response, as CloudTrail records it
history     CloudTrail's event history: who called what, also denied calls, and never a secret
identity    CloudTrail's userIdentity of the request's caller
lookup      LookupEvents with pages: MiniStack returns only the newest events, without a next page
parameters  The parts of a request and its response that CloudTrail records
"""
