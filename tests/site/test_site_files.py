"""The built site as files: sizes, links, and that each lesson is there."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from jaxintro._engine import catalog, fragments, page


class Links(HTMLParser):
    """What a page links to and what can be linked to in it."""

    def __init__(self, path):
        super().__init__()
        self.to, self.names = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.names |= {found[key] for key in ("id", "name") if found.get(key)}
        self.to += [found[key] for key in ("href", "src") if found.get(key)]


def size(paths):
    return sum(path.stat().st_size for path in paths if path.is_file())


def test_each_lesson_has_its_page_with_each_demo_by_name(site):
    for lesson in catalog.course():
        names = Links(site / "lessons" / f"{lesson.name}.html").names
        assert {section.name for section in page.read(lesson).sections} <= names


def test_no_link_is_dead(site):
    pages = {path: Links(path) for path in site.rglob("*.html")}
    dead = []
    for path, links in pages.items():
        for to in links.to:
            parts = urlsplit(to)
            if parts.scheme or parts.netloc:
                continue
            target = (
                (path.parent / unquote(parts.path)).resolve() if parts.path else path
            )
            anchors = pages[target].names if target in pages else None
            missing = anchors is not None and unquote(parts.fragment) not in anchors
            if not target.exists() or (parts.fragment and missing):
                dead.append(f"{path.relative_to(site)}: {to}")
    assert dead == []


def test_the_site_is_small(site):
    own = [path for path in site.rglob("*") if ".doctrees" not in path.parts]
    assert size(own) < 15_000_000
    for path in (site / "lessons").glob("*.html"):
        assert path.stat().st_size < 500_000, path.name
    assert (fragments.ASSETS / "page.js").stat().st_size < 20_000


def test_each_figure_has_words_for_those_who_cannot_see_it(site):
    for path in (site / "lessons").glob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert html.count("<figure") == html.count(
            'aria-label="Picture: '
        ) + html.count('alt="Picture: ')
