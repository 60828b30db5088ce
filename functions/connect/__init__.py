"""The connect page: a customer pastes their key, sees it checked, and hands it in. The function cannot read it back.

Entry
    handler   one request of the function URL
    settings  the environment variables
    request   the event, and whether its form may be answered
    session   whose link it brings, by KMS
    visit     what each POST does
    answer    the strict headers

Decisions (pure)
    paste     what was pasted: cleaned, and named if it is no project key
    seen      what is remembered of a link

Outside
    checks    what OpenAI's answers say about the key
    store     the intake: S3 and KMS

Page
    prices    what a model costs
    render    one HTML text from the folder page/: template, style, script, a file for each language
"""
