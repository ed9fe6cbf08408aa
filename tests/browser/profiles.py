"""Browser profiles, lent to one test after the other: emptied in between, but warm.

A new profile fetches and compiles all scripts anew, for seconds that no test is about. A page that goes on to another
address of its server keeps what is compiled, and the browser's cache, as a visitor who comes back does.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

PATIENCE = 120_000  # ms; a shared machine may be slow, and how fast it is is measured elsewhere
#: A page without scripts, and with an icon, so that none is asked for.
REST = "<!doctype html><title>Rest</title><link rel=icon href='data:,'>"


class Profiles:
    """Pages of one server, each in a profile of its own."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self._browser = browser
        self._idle: dict[bool, list[Page]] = {False: [], True: []}

    def lend(self, width: int, height: int, touch: bool) -> Page:
        """A page on which nothing has happened, not yet at any address of the server's."""
        if not self._idle[touch]:
            return self._new(width, height, touch)
        page = self._idle[touch].pop()
        page.set_viewport_size({"width": width, "height": height})
        return page

    def _new(self, width: int, height: int, touch: bool) -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            has_touch=touch,
            is_mobile=touch,
            accept_downloads=True,
        )
        context.add_init_script(path=Path(__file__).with_name("probes.js"))
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        return page

    def take_back(self, page: Page, touch: bool) -> None:
        """Empty a profile for the next who needs one."""
        for other in page.context.pages:
            if other is not page:
                other.close()
        page.mouse.move(-1, -1)
        page.emulate_media(media="null", color_scheme="light", reduced_motion="null")
        rest(page, self.address)
        page.context.clear_cookies()
        tools = page.context.new_cdp_session(page)
        tools.send("Storage.clearDataForOrigin", {"origin": self.address, "storageTypes": "all"})
        tools.detach()
        page.evaluate("sessionStorage.clear()")
        self._idle[touch].append(page)

    def close(self) -> None:
        for pages in self._idle.values():
            for page in pages:
                page.context.close()


def rest(page: Page, origin: str) -> None:
    """Leave Sonifold without leaving its server: what the page does by itself comes to an end."""
    address = f"{origin}/rest"
    page.route(address, lambda route: route.fulfill(body=REST, content_type="text/html"))
    page.goto(address)
    page.unroute(address)
