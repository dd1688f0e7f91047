"""A lesson that needs an extra: what it says without it, and who leaves it out."""

import json
import sys

import lessons
import pytest

from jaxintro._engine import catalog, command, extras, index, notebook, outcome, page
from jaxintro._engine.independence import borrowed

NEEDS = lessons.GOOD.replace("LIMIT = 3", 'LIMIT = 3\nNEEDS = "odd"')
INSTALL = 'python -m pip install "jaxintro[odd]"'


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two lessons: one plain, one that needs the extra `odd`."""
    sources = {"plain": lessons.GOOD, "needy": NEEDS}
    found = []
    for name, source in sources.items():
        path = lessons.write(tmp_path, source, name)
        mine = catalog.read_head(path)
        monkeypatch.setitem(sys.modules, f"jaxintro.{name}", outcome.load(mine))
        found.append(catalog.read_head(path, ours=True))
    monkeypatch.setattr(catalog, "course", lambda: tuple(found))
    return found


def run(capsys, *arguments):
    status = command.main(list(arguments))
    return status, capsys.readouterr().out


def test_what_an_extra_lacks_is_read_from_the_metadata(extras_of):
    extras_of(
        odd=["pytest", "no-such", "numpy<1"],
        whole=["pytest>=1", "numpy"],
        other=["also-none"],
        elsewhere=["no-such; python_version < '3'"],
    )
    assert extras.known() == ("odd", "whole", "other", "elsewhere")
    missing, old = extras.lacks("odd")
    assert missing == "no-such"
    assert old.startswith("numpy<1 (here is ")
    assert extras.lacks("whole") == ()
    assert extras.lacks("elsewhere") == (
        "no-such, of which there is none for this Python on this machine",
    )
    assert "knows nothing" in extras.lacks("odder")[0]


def test_the_reason_lists_what_is_missing(course, extras_of):
    extras_of(odd=["none", "no-such", "numpy", "nowhere"])
    plain, needy = course
    assert extras.reason(plain) == ""
    assert extras.reason(needy) == f"needs none, no-such and nowhere: {INSTALL}"


def test_the_declaration_is_no_constant_of_the_page(tmp_path):
    found = lessons.read(tmp_path, NEEDS)
    assert found.lesson.needs == "odd"
    assert "NEEDS" not in found.preamble
    assert "LIMIT" in found.preamble
    assert lessons.read(tmp_path).lesson.needs is None


@pytest.mark.parametrize("option", [[], ["--check"], ["--json"], ["--review"]])
def test_a_lesson_that_is_named_is_refused_with_the_command(course, extras_of, option):
    extras_of(odd=["no-such"])
    with pytest.raises(catalog.LackingError) as refused:
        command.main(["plain", "needy", *option])
    assert str(refused.value) == f"The lesson 'needy' needs no-such: {INSTALL}"
    assert refused.value.status == 3


def test_so_is_one_demo_of_it_and_a_file_of_ones_own(course, extras_of):
    extras_of(odd=["no-such"])
    for name in ("needy.half", str(course[1].path)):
        with pytest.raises(catalog.LackingError, match="needs no-such"):
            command.main([name])


@pytest.mark.parametrize("option", ["--check", "--plain"])
def test_all_skips_it_and_says_so(course, extras_of, option, capsys):
    extras_of(odd=["no-such"])
    status, shown = run(capsys, "all", option)
    assert status == 0
    assert f"- needy is skipped: it needs no-such: {INSTALL}" in shown
    assert "needy: " not in shown


def test_the_last_line_counts_what_is_skipped(course, extras_of, capsys):
    extras_of(odd=["no-such"])
    _, shown = run(capsys, "all", "--check")
    assert shown.splitlines()[-1].startswith(
        "2 demos, 3 claims, all hold here, 1 lesson skipped: jax "
    )


def test_so_does_json(course, extras_of, capsys):
    extras_of(odd=["no-such"])
    status, shown = run(capsys, "all", "--json")
    answer = json.loads(shown)
    assert status == 0
    assert [lesson["name"] for lesson in answer["lessons"]] == ["plain"]
    (skipped,) = answer["skipped"]
    assert skipped["name"] == "needy"
    assert (skipped["needs"], skipped["lacks"]) == ("odd", ["no-such"])
    assert skipped["install"] == INSTALL


def test_so_do_the_pages_for_a_browser(course, extras_of, capsys, tmp_path):
    extras_of(odd=["no-such"])
    status, shown = run(capsys, "all", "--html", str(tmp_path))
    assert status == 0
    assert not (tmp_path / "needy.html").exists()
    assert f"- needy is skipped: it needs no-such: {INSTALL}" in shown


def test_all_named_beside_it_does_not_hide_it(course, extras_of):
    extras_of(odd=["no-such"])
    with pytest.raises(catalog.LackingError):
        command.main(["all", "needy", "--check"])


def test_with_the_extra_it_is_a_lesson_like_any_other(course, extras_of, capsys):
    extras_of(odd=["pytest"])
    status, shown = run(capsys, "all", "--check")
    assert status == 0
    assert "skipped" not in shown
    assert "4 demos, 6 claims, all hold here" in shown


def test_the_list_marks_it_whether_it_can_run_or_not(course, extras_of, capsys):
    extras_of(odd=["no-such"])
    _, shown = run(capsys)
    assert " 1  plain   Halves: a small lesson\n 2  needy*  Halves" in shown
    assert f"* needs an extra, such as:  {INSTALL}" in shown


GUEST = '''\
"""Topic: a clause."""

import numpy as np

NEEDS = "odd"


def demo():
    """An `odd.twice` is used."""
    import odd
    import odd.numbers as numbers

    return numbers.twice(1.0) + odd.sin(0.0)


def check_demo():
    """It holds."""
    import odd

    assert demo() == odd.twice(1.0)
'''


def test_its_notebook_is_written_and_installs_the_extra(tmp_path, extras_of):
    extras_of(odd=["no-such"])
    setup = notebook.render(lessons.read(tmp_path, GUEST))
    assert "import jaxintro\\n    import odd\\nexcept" in setup
    assert '%pip install --quiet \\"jaxintro[odd]\\"' in setup


def test_find_knows_the_names_of_its_packages(tmp_path):
    found = [lessons.read(tmp_path, GUEST)]
    assert [e.name for e in index.find(found, "twice")] == ["odd.numbers.twice"]


def test_names_of_its_packages_are_introduced(tmp_path):
    assert index.unintroduced([lessons.read(tmp_path, GUEST)]) == []  # sin is NumPy's
    unsaid = lessons.read(tmp_path, GUEST.replace("`odd.twice`", "thing"))
    assert index.unintroduced([unsaid]) == ["my_lesson.demo uses odd.numbers.twice"]


def test_a_check_does_not_judge_its_packages_by_themselves(tmp_path):
    found = lessons.read(tmp_path, GUEST)
    (section,) = found.sections
    assert borrowed(found, section, section.checks[0]).judged == ("odd",)
    plain = lessons.read(tmp_path, GUEST.replace('NEEDS = "odd"', ""))
    (section,) = plain.sections
    assert borrowed(plain, section, section.checks[0]).judged == ()


def test_every_extra_of_the_course_is_one_of_the_project(pytestconfig):
    import tomllib

    text = (pytestconfig.rootpath / "pyproject.toml").read_text(encoding="utf-8")
    offered = tomllib.loads(text)["project"]["optional-dependencies"]
    needed = {lesson.needs for lesson in catalog.course() if lesson.needs}
    assert needed <= set(offered)


def test_page_data_is_read_without_the_extra(extras_of, course):
    extras_of(odd=["no-such"])
    assert [s.name for s in page.read(course[1]).sections] == ["half", "count"]
