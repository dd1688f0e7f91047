"""The built site in a real browser. What is missing is said, and its tests are skipped.

`JAXINTRO_SITE=site python -m pytest tests/site` looks at the site that Sphinx built.
"""

import functools
import os
import shutil
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(
    0, str(Path(__file__).parents[2] / "docs" / "site")
)  # what it is made by

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    folder = os.environ.get("JAXINTRO_SITE")
    if not folder:
        pytest.skip("JAXINTRO_SITE does not say where the built site is")
    assert Path(folder, "index.html").is_file(), f"no site was built in '{folder}'"
    return Path(folder).resolve()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address(site):
    """The site, served on this machine."""
    handler = functools.partial(Quiet, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, or whatever Chrome there is."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is missing"
    )
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser, address):
    """Opens a page of the site; what went wrong in it is in `page.wrong`."""
    contexts = []

    def open_it(path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.wrong = []
        page.on("console", lambda m: m.type == "error" and page.wrong.append(m.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on(
            "request",
            lambda r: (
                r.url.startswith((address, "data:", "blob:"))
                or page.wrong.append(f"asks {r.url}")
            ),
        )
        page.goto(f"{address}/{path}")
        return page

    yield open_it
    for context in contexts:
        context.close()
