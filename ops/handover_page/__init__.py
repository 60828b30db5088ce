"""The page from which a person copies a tenant's key into a consumer's dashboard, served on this machine alone.

Knows neither AWS nor OpenAI: gets the key, and what is done when the person says that it is saved.

held       the key in this process's memory
clipboard  the system's clipboard, where a program for it exists
visit      what the page may ask, in which order, and when the visit ends
asked      which requests are refused before they are read
page       the HTML, and the headers of every answer
opening    the person's browser
server     HTTP on the loopback address, from the first request to the end of the visit

`page.html`, `page.js` and `page.css` are the page; its design is the connect page's.
"""
