"""The connect page: a customer pastes their key, sees it checked, and hands it in. The function cannot read it back.

paste     what was pasted: cleaned, and named if it is no project key
checks    what OpenAI's answers say about the key
"""
