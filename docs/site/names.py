"""The index of names: where the course teaches each name of JAX and of the lens."""

from collections.abc import Iterable
from html import escape

from jaxintro._engine.fragments import inline
from jaxintro._engine.index import Entry
from jaxintro._engine.page import Page, Section

FIELD = """\
<p class="ji-filter"><label for="name">Look for</label>\
<input id="name" type="search" data-rows="#names > li" \
data-key=".ji-name" placeholder="in_axes" \
autocomplete="off"></p>"""


def table(found: Iterable[Entry], base: str) -> str:
    """Every name, with the demo whose words name it first and those that use it.

    Args:
        found: the entries, in any order.
        base: the folder of the lessons' pages.
    """
    ordered = sorted(found, key=lambda e: (e.short.lower(), e.name))
    rows = "".join(_row(entry, base) for entry in ordered)
    return f'{FIELD}<ul id="names" class="ji-names">{rows}</ul>'


def _row(entry: Entry, base: str) -> str:
    first, *_ = entry.named[:1] or entry.used[:1]
    others = [place for place in entry.used if place != first]
    also = ", ".join(_link(page, demo, base, demo.name) for page, demo in others)
    whole = f"<small>{escape(entry.name)}</small>" * (entry.name != entry.short)
    name, anchor = escape(entry.short), escape(entry.name.strip("."))
    words = f"<strong><code>{name}</code></strong> {whole}"
    head = f'<li id="{anchor}"><span class="ji-name">{words}</span>'
    taught = f"<p>{_link(*first, base, inline(first[1].heading))}</p>"
    more = f"<summary>also in {len(others)}</summary><p>{also}</p>"
    return f"{head}{taught}{f'<details>{more}</details>' * bool(others)}</li>"


def _link(page: Page, demo: Section, base: str, words: str) -> str:
    return f'<a href="{base}/{page.lesson.name}.html#{demo.name}">{words}</a>'
