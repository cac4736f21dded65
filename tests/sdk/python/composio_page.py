"""The hosted connect page, as a browser without JavaScript uses it: it reads the form, fills it in and sends it."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

# How the form's inputs are named, before the name of the field.
FIELD = "field."


class Form(HTMLParser):
    """The first form of a page, with its inputs and their values."""

    def __init__(self, page):
        super().__init__()
        self.action, self.method, self.values, self.kinds = None, None, {}, {}
        self._area = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        if tag == "form" and self.method is None:
            self.action, self.method = said.get("action") or "", (said.get("method") or "get").lower()
        elif tag in ("input", "textarea") and "name" in said:
            self.values[said["name"]] = said.get("value") or ""
            self.kinds[said["name"]] = "textarea" if tag == "textarea" else said.get("type", "text")
            self._area = said["name"] if tag == "textarea" else None

    def handle_data(self, data):
        if self._area is not None:
            self.values[self._area] += data

    def handle_endtag(self, tag):
        self._area = None


def opened(browser, url):
    page = browser.get(url)
    assert page.status_code == 200, (page.status_code, page.text)
    assert page.headers["content-type"].startswith("text/html"), page.headers
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy, policy
    assert "<script" not in page.text.lower(), "it works without JavaScript"
    return page, Form(page.text)


def fields(url, expected):
    """The page's text; its visible inputs are the expected ones, and an input of a secret is masked and empty."""
    with httpx.Client() as browser:
        page, form = opened(browser, url)
    visible = {name for name, kind in form.kinds.items() if kind not in ("hidden", "submit")}
    assert visible == {FIELD + name for name in expected}, visible
    for name in expected & {"password", "generic_api_key", "token"}:
        assert (form.kinds[FIELD + name], form.values[FIELD + name]) == ("password", ""), form.kinds
    return page.text


def complete(url, typed, fails=False, gone=False, unseen=None):
    """Where the browser is sent once the form was filled in and sent. `fails`: the page comes again and says why;
    `gone`: there is no such page any more, or it takes nothing. What is `unseen` is nowhere on any page."""
    typed = {FIELD + name: value for name, value in typed.items()}
    with httpx.Client() as browser:
        if gone:
            page = browser.get(url)
            sent = browser.post(url, data=typed, headers={"origin": origin(url)})
            assert page.status_code in (404, 410) and sent.status_code in (403, 404, 410), (page, sent)
            assert unseen not in page.text + sent.text
            return None
        _, form = opened(browser, url)
        assert form.method == "post" and set(typed) <= set(form.values), (form.method, set(form.values))
        to = urljoin(url, form.action)
        sent = browser.post(to, data={**form.values, **typed}, headers={"origin": origin(url), "referer": url})
        assert unseen is None or unseen not in sent.text
        if fails:
            assert 400 <= sent.status_code < 500 or sent.status_code == 200, sent
            assert Form(sent.text).method == "post", "the form comes again"
            return None
        assert sent.status_code in (200, 303), (sent.status_code, sent.text)
        return sent.headers.get("location")


def origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
