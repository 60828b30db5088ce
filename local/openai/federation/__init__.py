"""Workload identity federation: a token of another issuer is exchanged for one of OpenAI's, of an hour at most.

cel             The part of CEL that attribute transformations may use here
cel_values      What the parts of a CEL expression are worth
key_sources     The keys of an issuer: by discovery, kept for 600 s, or uploaded
matching        Which rule a verified token matches
records         Identity providers and federation rules
subject_tokens  What OpenAI checks of the token that it is given

https://developers.openai.com/api/reference/workload-identity-federation
https://developers.openai.com/api/docs/guides/workload-identity-federation
"""
