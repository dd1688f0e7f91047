import sys

import lessons
import pytest

from jaxintro._engine import catalog


def test_course_is_in_the_order_of_its_numbers():
    orders = [lesson.order for lesson in catalog.course()]
    assert orders == sorted(orders)
    assert len(orders) >= 7


def test_every_lesson_of_the_folder_is_in_the_course_once():
    with_order = [
        path.stem
        for path in catalog.PACKAGE.glob("*.py")
        if "\nORDER = " in path.read_text(encoding="utf-8")
    ]
    assert sorted(with_order) == sorted(lesson.name for lesson in catalog.course())


def test_head_is_read_without_running_anything(tmp_path):
    source = '"""Topic: a clause."""\n\nORDER = 30\nraise SystemExit\n'
    lesson = catalog.read_head(lessons.write(tmp_path, source))
    assert (lesson.title, lesson.order) == ("Topic: a clause", 30)


def test_a_file_without_a_docstring_is_no_lesson(tmp_path):
    assert catalog.read_head(lessons.write(tmp_path, "x = 1\n")) is None


@pytest.mark.parametrize(("wrong", "right"), [("grda", "grad"), ("vmpa", "vmap")])
def test_wrong_name_gets_the_nearest_right_one(wrong, right):
    with pytest.raises(catalog.UsageError, match=f"Did you mean '{right}'"):
        catalog.find(wrong)


def test_hopeless_name_gets_all_names():
    with pytest.raises(catalog.UsageError, match=r"There are: first_steps, .*grad"):
        catalog.find("zzzzzz")


def test_missing_file_is_named():
    with pytest.raises(catalog.UsageError, match=r"no file 'nowhere\.py'"):
        catalog.find("nowhere.py")


def test_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "binary.py"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(catalog.UsageError, match="cannot be read"):
        catalog.find(str(path))


def test_names_are_those_of_modules_that_can_be_imported():
    for lesson in catalog.course():
        assert lesson.name.isidentifier()
        assert lesson.module == f"jaxintro.{lesson.name}"
        assert lesson.name not in sys.builtin_module_names
