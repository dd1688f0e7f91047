"""A page that `--html` wrote, opened as a file: no server, no network."""

import pytest

from jaxintro import lesson
from jaxintro._engine import catalog


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    assert lesson.main([str(catalog.template()), "--html", str(folder)]) == 0
    return folder / "my_lesson.html"


@pytest.fixture
def opened(browser, written):
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.wrong = []
    page.on("console", lambda m: m.type == "error" and page.wrong.append(m.text))
    page.on("request", lambda r: r.url.startswith("http") and page.wrong.append(r.url))
    page.goto(written.as_uri())
    yield page
    context.close()


def test_it_asks_shows_and_remembers(opened):
    said = opened.locator(".ji-asks .ji-said").first
    assert not said.is_visible()
    opened.get_by_label("What do you expect?").first.fill("30")
    opened.keyboard.press("Enter")
    assert said.is_visible()
    opened.reload()
    assert said.is_visible()
    assert opened.wrong == []


def test_nothing_but_code_is_wider_than_a_phone(opened):
    assert opened.evaluate("document.documentElement.scrollWidth") == 360


def test_axe_finds_nothing_serious(opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    opened.get_by_role("button", name="Show all values at once").click()
    found = axe.run(opened).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
