import re
import subprocess
import sys

import pytest

from jaxintro._engine import catalog, page

LESSONS = [f"lessons/{lesson.name}.html" for lesson in catalog.course()]
LOOKED_AT = ["index.html", "record.html", "names.html", "glossary.html", "lens.html"]
LOOKED_AT += ["sources.html", "teachers.html", "benchmarks.html", "search.html?q=key"]
PHONE = {"viewport": {"width": 360, "height": 740}}

SIDEWAYS = """() => [...document.querySelectorAll("*")].filter((e) => {
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
    const code = e.matches("pre, .ji-code, .highlight, .highlight *");
    return scrolls && !code && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0;
}).map((e) => e.tagName + "." + e.className)"""


def asking():
    """A demo that asks something: the path of its page, and its name."""
    for lesson in catalog.course():
        for section in page.read(lesson).sections:
            if section.prose.predict:
                return f"lessons/{lesson.name}.html", f"{lesson.name}.{section.name}"
    raise AssertionError("no demo asks anything")


def rare_word():
    """A word of a demo's prose that no other lesson says, and its lesson."""
    pages = [page.read(lesson) for lesson in catalog.course()]
    whole = {p.lesson.name: p.lesson.path.read_text("utf-8").lower() for p in pages}
    for found in pages:
        others = "".join(
            text for name, text in whole.items() if name != found.lesson.name
        )
        for section in found.sections[2:]:
            for word in re.findall(r"[a-z]{9,}", " ".join(section.prose.paragraphs)):
                if word[:6] not in others:
                    return word, found.lesson.name
    raise AssertionError("no word is rare")


def everything(site):
    return sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))


def test_every_page_opens_without_an_error_or_a_request_to_another_host(
    open_page, site
):
    opened = open_page("index.html")
    base = opened.url.removesuffix("/index.html")
    for path in everything(site):
        opened.goto(f"{base}/{path}")
    assert opened.wrong == []


def test_on_a_phone_only_code_scrolls_sideways(open_page, site):
    opened = open_page("index.html", **PHONE)
    base = opened.url.removesuffix("/index.html")
    wide = {}
    for path in everything(site):
        opened.goto(f"{base}/{path}")
        opened.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        found = opened.evaluate(SIDEWAYS)
        if found or opened.evaluate("document.documentElement.scrollWidth") > 360:
            wide[path] = found
    assert wide == {}


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_question_shows_its_values_when_it_is_answered(open_page, by):
    path, name = asking()
    opened = open_page(path)
    demo = opened.locator(f'[data-demo="{name}"]')
    said, claims = demo.locator(".ji-said").first, demo.locator(".ji-claims").first
    assert demo.locator("code").first.is_visible()
    assert not said.is_visible()
    assert not claims.is_visible()
    field = demo.locator("input")
    if by == "mouse":
        field.fill("about nine")
        demo.get_by_role("button", name="Show what it gave").click()
    else:
        field.focus()
        opened.keyboard.type("about nine")
        opened.keyboard.press("Enter")
    for attempt in range(2):
        assert said.is_visible(), attempt
        assert claims.is_visible()
        assert demo.get_by_text("You said: about nine").is_visible()
        assert not field.is_visible()
        opened.reload()  # the answer is remembered
    demo.get_by_role("button", name="Ask me again").click()
    assert not said.is_visible()
    opened.reload()
    assert not said.is_visible()
    assert opened.wrong == []


def test_a_value_does_not_flash_up_before_it_is_asked_for(browser, address):
    context = browser.new_context()
    opened = context.new_page()
    opened.route("**/page.js*", lambda route: route.abort())  # it never comes
    opened.goto(f"{address}/{asking()[0]}", wait_until="domcontentloaded")
    assert not opened.locator(".ji-asks .ji-said").first.is_visible()
    context.close()


def test_all_values_can_be_had_at_once(open_page):
    opened = open_page(asking()[0])
    opened.get_by_role("button", name="Show all values at once").click()
    assert opened.locator(".ji-asks:not(.ji-seen)").count() == 0


def test_search_finds_a_demo_by_a_word_of_its_prose(open_page):
    word, lesson = rare_word()
    opened = open_page("index.html")
    opened.locator(".sidebar-search").first.fill(word)
    opened.keyboard.press("Enter")
    found = opened.locator("#search-results a").first
    found.wait_for()
    assert f"lessons/{lesson}.html" in found.get_attribute("href")
    found.click()
    marked = opened.locator("span.highlighted").first
    marked.wait_for()
    opened.wait_for_timeout(500)
    assert opened.evaluate("scrollY") > 0  # it was scrolled to
    assert opened.wrong == []


def test_search_finds_where_a_name_of_jax_is_taught(open_page):
    opened = open_page("search.html?q=in_axes")
    opened.locator("#search-results a").first.wait_for()
    links = opened.locator("#search-results a")
    hrefs = [links.nth(i).get_attribute("href") for i in range(links.count())]
    assert any("vmap.html" in href for href in hrefs)


@pytest.mark.parametrize("path", [LESSONS[0], "lessons/grad.html"])
def test_copied_code_runs(open_page, path):
    opened = open_page(path, permissions=["clipboard-read", "clipboard-write"])
    button = opened.locator(".ji-copy").first
    button.click()
    opened.get_by_text("Copied").wait_for()
    code = opened.evaluate("navigator.clipboard.readText()")
    assert "import jax" in code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    serious = {}
    for path in [*LOOKED_AT, *LESSONS[:3]]:
        opened = open_page(path, color_scheme=scheme)
        opened.evaluate(
            "document.querySelectorAll('.ji-all button').forEach(b => b.click())"
        )
        opened.evaluate(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        opened.wait_for_timeout(300)
        for each in axe.run(opened).response["violations"]:
            if each["impact"] in ("serious", "critical"):
                where = [node["html"][:120] for node in each["nodes"][:3]]
                serious[f"{path} {each['id']} {len(each['nodes'])}"] = where
    assert serious == {}


def test_a_printed_lesson_shows_everything_but_the_machinery(open_page):
    opened = open_page(asking()[0], color_scheme="dark")
    opened.emulate_media(media="print")
    assert opened.locator(".ji-asks .ji-said").first.is_visible()
    assert opened.locator(".ji-asks .ji-claims").first.is_visible()
    machinery = ".ji-copy", ".ji-guess", ".sidebar-drawer", ".skip-to-content"
    for hidden in machinery:
        assert not opened.locator(hidden).first.is_visible(), hidden
    ink = opened.evaluate("getComputedStyle(document.querySelector('.ji-code')).color")
    paper = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 200, ink
    assert paper in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
    assert len(opened.pdf()) > 10_000


@pytest.mark.parametrize(
    "path", ["index.html", LESSONS[0], "names.html", "record.html"]
)
def test_without_javascript_everything_can_be_read(open_page, path):
    opened = open_page(path, java_script_enabled=False)
    said = opened.locator(".ji-said")
    assert all(said.nth(i).is_visible() for i in range(min(said.count(), 30)))
    for useless in (".ji-guess", ".ji-copy", ".ji-filter", ".ji-all"):
        shown = opened.locator(useless)
        assert not any(shown.nth(i).is_visible() for i in range(shown.count()))


def test_the_names_can_be_narrowed(open_page):
    opened = open_page("names.html")
    rows = opened.locator("#names > li")
    opened.get_by_label("Look for").fill("in_axes")
    shown = [rows.nth(i) for i in range(rows.count()) if rows.nth(i).is_visible()]
    assert 0 < len(shown) < 10
    assert shown[0].inner_text().startswith("in_axes")


def test_a_claim_can_be_looked_up_in_the_record(open_page):
    opened = open_page("record.html")
    claim = page.read(catalog.find("grad")).sections[0].checks[0].claim
    opened.get_by_label("Look for a claim").fill(claim.replace("`", "")[:30])
    row = opened.locator("tbody tr:visible", has_text=claim.replace("`", "")[:30])
    assert row.count() == 1
    assert "✓" in row.inner_text()


def test_a_lesson_leads_to_its_claims_on_other_configurations(open_page):
    opened = open_page("lessons/grad.html")
    opened.get_by_role("link", name="What holds on other JAX").click()
    claim = page.read(catalog.find("grad")).sections[0].checks[0].claim
    row = opened.locator("tbody tr:visible", has_text=claim.replace("`", "")[:30])
    row.wait_for()
    assert opened.locator("details.ji-record[open]").count() == 1


def test_what_is_on_the_page_stands_beside_it_where_there_is_room(open_page):
    for width in (1280, 1300, 1320, 1400):
        opened = open_page(LESSONS[0], viewport={"width": width, "height": 800})
        box = opened.locator(".toc-drawer").bounding_box()
        text = opened.locator("article").bounding_box()
        assert text["x"] + text["width"] <= box["x"], width
        assert box["x"] + box["width"] <= width
