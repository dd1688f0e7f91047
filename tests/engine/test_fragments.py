import ast
import re
from html.parser import HTMLParser

import lessons
import pytest

from jaxintro._engine import catalog, fragments, page
from jaxintro.lens.follow.table import Piece, Row

VOID = {"wbr", "br", "img", "input", "meta", "path", "use", "rect"}


class Balance(HTMLParser):
    """Every tag is closed, in the order in which they were opened."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def balanced(html):
    reader = Balance()
    reader.feed(html)
    reader.close()
    return reader.open == []


def shown(folder, number=0, source=lessons.GOOD):
    """The demo with this number as HTML."""
    found = lessons.read(folder, source)
    return fragments.demo(found, lessons.run(folder, source)[number])


def text_of(html):
    return re.sub(r"<[^>]+>", "", html)


def test_a_demo_is_whole_html(tmp_path):
    for number in range(2):
        assert balanced(shown(tmp_path, number))


def test_each_line_stands_with_what_it_gave(tmp_path):
    html = shown(tmp_path)
    lines = re.findall(
        r'<div class="ji-line.*?</code>(?:<div class="ji-said".*?</div>)?', html
    )
    said = next(line for line in lines if "scale" in line and "y" in line)
    assert "2.0" in text_of(said)


def test_the_question_stands_before_the_code_and_the_claims_behind_it(tmp_path):
    html = shown(tmp_path)
    places = [html.index(mark) for mark in ("ji-question", "ji-frame", "ji-claims")]
    assert places == sorted(places)
    assert "What is half of 4?" in html
    assert 'class="ji-demo asks"' not in html
    assert 'class="ji-demo ji-asks"' in html


def test_a_demo_without_a_question_asks_nothing(tmp_path):
    html = shown(tmp_path, 1)
    assert "ji-asks" not in html
    assert "<form" not in html


def test_a_claim_has_its_proof(tmp_path):
    html = shown(tmp_path)
    assert "✓" in html
    assert "Twice the half is the whole." in html
    assert "Fraction(x)" in text_of(html[html.index("ji-claims") :])


def test_a_claim_that_does_not_hold_says_why(tmp_path):
    html = shown(tmp_path, 1, lessons.GOOD.replace("== number == n", "== n + 1"))
    assert "✗" in html
    assert "Not here:" in html


def test_what_a_demo_raises_is_told(tmp_path):
    source = lessons.GOOD.replace("    y = scale(x, 0.5)", "    y = 1 / 0")
    assert "raised ZeroDivisionError" in shown(tmp_path, 0, source)


def test_signs_of_html_in_code_prose_and_values_are_only_signs(tmp_path):
    source = lessons.GOOD.replace('"there is"', '"<b>&"').replace(
        "The other half is gone.", "The other half is a < b & `<i>`."
    )
    html = shown(tmp_path, 0, source)
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;&amp;" in html
    assert balanced(html)


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("a `b` c", "a <code>b</code> c"),
        ("a *new* word", "a <em>new</em> word"),
        ("`a * b` and 2 * 3 * 4", "<code>a * b</code> and 2 * 3 * 4"),
        ("one ` alone", "one ` alone"),
        ("1 < 2 & `x<y>`", "1 &lt; 2 &amp; <code>x&lt;y&gt;</code>"),
    ],
)
def test_words_keep_their_marks(words, html):
    assert fragments.inline(words) == html


def test_what_has_no_colour_of_its_own_is_no_element():
    (line,) = fragments.paint("return x + 1")
    assert line == '<span class="k">return</span> x + <span class="mi">1</span>'


def test_a_demo_that_could_not_run_has_its_words_its_code_and_no_verdict(tmp_path):
    found = lessons.read(tmp_path, lessons.GOOD)
    html = fragments.unseen(found, found.sections[0])
    assert balanced(html)
    assert "What is half of 4?" in html
    assert "Twice the half is the whole." in html
    assert "scale" in text_of(html[html.index("ji-frame") :])
    for absent in ("ji-said", "<form", "ji-asks", "✓", "✗"):
        assert absent not in html, absent


def test_what_is_special_about_a_run_is_told_first(tmp_path):
    found = lessons.read(tmp_path, lessons.GOOD)
    html = fragments.opening(found, "It ran on `8` devices.")
    assert html.startswith('<p class="ji-apart">It ran on <code>8</code> devices.</p>')
    assert "Show all values" in html
    assert "Show all values" not in fragments.opening(found, asks=False)


def test_painting_keeps_each_line_as_it_is():
    source = 'x = """a\n\n  b"""\n\nif x:  # <why>\n\treturn f"{x}"'
    painted = fragments.paint(source)
    plain = [
        text_of(line).replace("&lt;", "<").replace("&gt;", ">") for line in painted
    ]
    plain = [line.replace("&quot;", '"').replace("&#39;", "'") for line in plain]
    assert plain == source.split("\n")
    assert all(balanced(line) for line in painted)


def test_a_long_line_and_a_tall_value_stand_above_each_other():
    short = Row(1, "x = 1", 1, (Piece("value", ("1",)),))
    long = Row(2, "y = " + "1 + " * 20 + "1", 1, (Piece("value", ("21",)),))
    tall = Row(3, "z", 1, (Piece("value", (), tuple("abcdefg")),))
    below = ["ji-below" in fragments.code([row], "code") for row in (short, long, tall)]
    assert below == [False, True, True]


def test_copied_code_runs_and_has_no_values(tmp_path):
    found = lessons.read(tmp_path)
    for section, name in zip(found.sections, ("y", "words"), strict=True):
        world = {}
        exec(fragments.copied_code(found, section), world)
        assert name in world


def test_copied_code_has_only_the_imports_that_it_needs(tmp_path):
    found = lessons.read(tmp_path)
    half, count = (fragments.copied_code(found, s) for s in found.sections)
    assert "import" not in half
    assert "import numpy as np" in count
    assert "Fraction" not in count


def test_code_that_returns_early_is_copied_as_a_function(tmp_path):
    source = lessons.GOOD.replace(
        "    y = scale(x, 0.5)\n",
        "    if x < 0:\n        return -1\n    y = scale(x, 0.5)\n",
    )
    found = lessons.read(tmp_path, source)
    copied = fragments.copied_code(found, found.sections[0])
    assert "def half(x=4.0):" in copied
    exec(copied, {})


@pytest.mark.parametrize("lesson", catalog.course(), ids=lambda lesson: lesson.name)
def test_the_code_of_each_demo_can_be_taken_away(lesson):
    found = page.read(lesson)
    for section in found.sections:
        source = fragments.copied_code(found, section)
        compile(source, section.name, "exec")
        bound = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}
        assert bound


def test_a_figure_is_a_drawing_in_the_colours_of_the_page(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4], "k", label="up")
    axes.set(title="Up & on", xlabel="steps", ylabel="height")
    axes.legend()
    section = lessons.read(tmp_path).sections[0]
    words = fragments.alternative(figure, section)
    assert words == (
        "Picture: Half of x is left. Up & on. height against steps. Shown: up."
    )
    html = fragments.picture(figure, words, "half-1")
    assert html.startswith(
        '<svg role="img" aria-label="Picture: Half of x is left. Up &amp; on.'
    )
    assert "currentColor" in html
    assert "#000000" not in html
    names = re.findall(r'id="([^"]+)"', html)
    assert names
    assert all(name.startswith("half-1-") for name in names)
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', html)
    assert set(used) <= set(names)


def test_a_heavy_figure_is_sent_as_points():
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot(np.arange(9000.0) % 7, np.arange(9000.0) % 11, "o")
    html = fragments.picture(figure, "many points", "many-1")
    assert html.startswith('<img alt="many points" src="data:image/png;base64,')


def test_the_last_line_counts_and_tells_where(tmp_path):
    about = {"jax": "9.9", "platform": "cpu", "numpy": "2.0", "python": "3.11"}
    about["devices"] = ["a", "b"]
    words = text_of(fragments.closing(lessons.run(tmp_path), about, "2026-01-02"))
    assert words == (
        "2 demos, 3 claims, all hold: jax 9.9 on cpu × 2, NumPy 2.0, Python 3.11, "
        "measured on 2026-01-02, when this page was built."
    )


def test_what_is_to_be_read_first_is_a_link(tmp_path):
    source = lessons.GOOD.replace("half is taken?", "half is taken? Read first: grad.")
    html = fragments.opening(lessons.read(tmp_path, source))
    assert '<a href="grad.html">grad</a>.' in html


def test_copied_code_has_the_arguments_that_the_reader_gave(tmp_path):
    found = lessons.read(tmp_path).only("half", "x=10.0")
    assert "x = 10.0" in fragments.copied_code(found, found.sections[0])
