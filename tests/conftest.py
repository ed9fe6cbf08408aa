"""The order of things."""


def pytest_collection_modifyitems(items):
    """The browser's tests come last, whatever was asked for.

    Playwright's synchronous interface keeps an event loop running in this thread for as long as the browser is
    open, and while it does, no other test can have its own (``asyncio.run``).
    """
    items.sort(key=lambda item: "browser" in item.path.parts)
