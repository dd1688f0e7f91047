"""What the site makes of the pages: the record, the words, the names."""

import json
import re
from pathlib import Path

import benchmarks
import glossary
import names
import pytest
import records

from jaxintro._engine import catalog, index, page


def told(jax="0.10", **checks):
    """What `--json` writes of a lesson with these claims."""
    found = [
        {"name": name, "claim": f"{name} is `so`.", "message": "", "holds": True} | more
        for name, more in checks.items()
    ]
    demos = [{"name": "demo", "checks": found}]
    return {
        "jax": jax, "python": "3.11", "numpy": "2.0", "platform": "cpu",
        "devices": ["a"], "set_aside": {},
        "lessons": [{"name": "lesson", "title": "Lesson: one", "demos": demos}],
    }  # fmt: skip


def rows(html):
    body = html[html.index('<details class="ji-record"') :]
    found = re.findall(r"<tr><th scope=\"row\">.*?</tr>", body)
    return [re.sub(r"<[^>]+>", " ", row).split() for row in found]


def test_one_configuration_is_called_one():
    html = records.html(told(check_a={}), {}, "lessons")
    assert "One configuration is present" in html
    assert rows(html) == [["check_a", "is", "so", ".", "–", "✓"]]
    assert "all 1 hold" in html


def test_each_configuration_has_its_verdict_and_what_is_not_known_is_not_said():
    old = told("0.7", check_a={"holds": False, "message": "it is 3"})
    new = told("0.12", check_b={"sharpness": 2e-6})
    html = records.html(
        told(check_a={}, check_b={}), {"old": old, "new": new}, "lessons"
    )
    assert "3 configurations are present" in html
    first, second = rows(html)
    assert first[-6:] == ["✓", "✗", "does", "not", "hold", "–"]
    assert second[4:] == ["2e-06", "✓", "–", "✓"]
    assert 'title="it is 3"' in html
    assert "1 of 2 do not hold everywhere" in html
    assert "0 of 1" in html


def test_the_bluntest_sharpness_is_shown():
    there = {
        "x": told(check_a={"sharpness": 1e-7}),
        "y": told(check_a={"sharpness": 1e-4}),
    }
    assert rows(records.html(told(check_a={}), there, "lessons"))[0][4] == "1e-04"
    exact = {"x": told(check_a={"sharpness": None})}
    assert rows(records.html(told(check_a={}), exact, "lessons"))[0][4] == "any"


def test_records_are_read_by_name_and_others_are_refused(tmp_path):
    assert records.load("") == {}
    Path(tmp_path, "old.json").write_text(json.dumps(told()), encoding="utf-8")
    assert [*records.load(str(tmp_path))] == ["old"]
    Path(tmp_path, "other.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="is not what --json writes"):
        records.load(str(tmp_path))


@pytest.fixture(scope="module")
def pages():
    return [page.read(lesson) for lesson in catalog.course()]


def test_a_word_is_taken_where_it_stands_out_as_new(pages):
    (tracer,), missing = glossary.entries(["tracer"], pages)
    assert "*tracer*" in tracer.sentence
    assert missing == []


def test_a_word_that_no_lesson_says_is_missing(pages):
    assert glossary.entries(["xylophone"], pages) == ([], ["xylophone"])


def test_the_names_are_those_of_find_each_with_a_link(pages):
    found = index.entries(pages)
    html = names.table(found.values(), "lessons")
    assert html.count('<li id="') == len(found)
    first = index.find(pages, "in_axes")[0]
    lesson, demo = (first.named or first.used)[0]
    row = next(li for li in html.split("<li ") if li.startswith('id="in_axes"'))
    assert f'href="lessons/{lesson.lesson.name}.html#{demo.name}"' in row


def test_benchmarks_whose_length_can_be_chosen_are_found():
    assert {path.name for path, _ in benchmarks.programs()} >= {"selu.py", "descent.py"}


def test_a_summary_of_many_races_is_one_that_can_be_shown():
    assert benchmarks.writes("`python benchmarks/x.py [seconds]\n[folder]` races.")
    assert not benchmarks.writes("`python benchmarks/x.py [seconds]` races.")
    assert "headlines.py" in {path.name for path, _ in benchmarks.programs()}
    html = benchmarks.table("| | 8 & more |\n| --- | --- |\n| NumPy | 1.00 |\n")
    assert '<th scope="col">8 &amp; more</th>' in html
    assert '<th scope="row">NumPy</th><td data-label="8 &amp; more">1.00</td>' in html


def test_a_lesson_that_could_not_run_here_is_told_from_elsewhere():
    other = told(check_b={})
    other["lessons"][0] |= {"name": "guest", "title": "Guest: two"}
    here = told(check_a={}) | {"skipped": [{"name": "guest"}]}
    html = records.html(here, {"there": other}, "lessons")
    assert [row[-2:] for row in rows(html)] == [["✓", "–"], ["–", "✓"]]
    assert "without guest" in html


def test_where_a_lesson_ran_and_which_configuration_a_column_is_are_told():
    here = told(check_a={})
    here["lessons"][0]["where"] = "It ran on 8 devices."
    html = records.html(here, {"old": told("0.7")}, "lessons")
    assert "It ran on 8 devices." in html
    assert '<abbr title="old: JAX 0.7, Python 3.11">B</abbr>' in html
