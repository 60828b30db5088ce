"""The fleet as one HTML file: a fleet's view in, text out.

facts  what the page shows, as JSON values
page   the file: the facts, the style and the script, under a policy that allows nothing else
file   writes it

`look.css` is its style. Its script is `fleet.js` and the files that it uses, joined in the order of `page.SCRIPTS`.
"""
