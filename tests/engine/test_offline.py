import re

import lessons
import pytest

from jaxintro import lesson
from jaxintro._engine import offline
from jaxintro._engine.catalog import UsageError

OTHER = lessons.GOOD.replace("Halves: a small lesson", "Thirds: another")


def asked(folder, *options):
    """Write two lessons and have them as pages; the exit status."""
    paths = [
        lessons.write(folder, lessons.GOOD, "one"),
        lessons.write(folder, OTHER, "two"),
    ]
    return lesson.main([*map(str, paths), "--html", str(folder / "pages"), *options])


def test_each_lesson_is_a_page_and_a_list_leads_to_them(tmp_path, capsys):
    assert asked(tmp_path) == 0
    pages = tmp_path / "pages"
    assert sorted(p.name for p in pages.iterdir()) == [
        "index.html",
        "one.html",
        "two.html",
    ]
    assert f"Wrote {pages / 'one.html'}" in capsys.readouterr().out
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert index.index('href="one.html"') < index.index('href="two.html"')
    one = (pages / "one.html").read_text(encoding="utf-8")
    assert '<a rel="next" href="two.html">' in one
    assert 'rel="prev"' not in one
    assert '<h2 id="half">' in one
    assert "2 demos, 3 claims, all hold: jax" in one


def test_a_page_needs_nothing_else(tmp_path):
    asked(tmp_path)
    page = (tmp_path / "pages" / "one.html").read_text(encoding="utf-8")
    assert re.findall(r'<(?:link|script src|img src="http)', page) == []
    places = re.findall(r'(?:href|src)="([^"#]+)', page)
    assert set(places) <= {"index.html", "one.html", "two.html"}
    assert len(page) < 500_000


def test_a_page_that_is_there_is_kept(tmp_path, capsys):
    asked(tmp_path)
    kept = tmp_path / "pages" / "one.html"
    kept.write_text("mine", encoding="utf-8")
    assert asked(tmp_path) == 2
    assert "--force overwrites it" in capsys.readouterr().err
    assert kept.read_text(encoding="utf-8") == "mine"
    assert asked(tmp_path, "--force") == 0
    assert kept.read_text(encoding="utf-8") != "mine"


def test_a_claim_that_does_not_hold_is_on_the_page_and_in_the_status(tmp_path):
    path = lessons.write(tmp_path, lessons.GOOD.replace("== number == n", "== n + 1"))
    assert lesson.main([str(path), "--html", str(tmp_path / "pages")]) == 1
    page = (tmp_path / "pages" / "my_lesson.html").read_text(encoding="utf-8")
    assert "1 DO NOT HOLD" in page


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "pages"
    path.touch()
    with pytest.raises(UsageError, match="is a file: --html needs a folder"):
        offline.places([lessons.read(tmp_path)], path, force=False)


def test_the_day_can_be_set_so_that_a_page_is_the_same_twice(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert offline.today() == "1970-01-02"
