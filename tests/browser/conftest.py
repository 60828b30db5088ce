from tests.browser.fixtures import chromium as chromium
from tests.browser.fixtures import new_page as new_page
