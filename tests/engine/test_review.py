"""An author is told what is wrong with a lesson: the line, the fault and the cure."""

from pathlib import Path

import lessons
import pytest

from jaxintro._engine import catalog, outcome, page
from jaxintro._engine.review import review
from jaxintro._engine.session import Session

TEMPLATE = Path(__file__).parents[2] / "examples" / "my_lesson.py"
SPEED = "        np.testing.assert_allclose(speed, 9.81 * t, rtol=1e-6)\n"
DISTANCE = "        np.testing.assert_allclose(distance, 9.81 * t * t / 2, rtol=1e-6)\n"
CALL = "        distance, speed = speed_is_the_slope_of_distance(t)\n"
FAULTS = {
    "could return makes check_speed_is_pull_times_time fail": {
        SPEED: '        assert (speed == 9.81 * t, "a tuple is true")\n',
        DISTANCE: "",
    },
    "looks at speed_is_the_slope_of_distance[1]": {SPEED: ""},
    "would not notice an error of": {
        SPEED: SPEED.replace("1e-6", "1e-2"),
        DISTANCE: DISTANCE.replace("1e-6", "1e-2"),
    },
    "does not call speed_is": {
        CALL: "        distance, speed = 9.81 * t * t / 2, 9.81 * t\n"
    },
    "judges JAX by jnp": {SPEED: SPEED.replace("9.81 * t,", "jnp.multiply(9.81, t),")},
    "does not hold": {SPEED: SPEED.replace("9.81", "9.82")},
    "this one returns False": {SPEED: SPEED + "    return False\n"},
    "a loose tolerance": {SPEED: SPEED.replace("1e-6", "1e-4")},
    "has no check": {"def check_gain_is_the_pull": "def gain_is_the_pull"},
    "raises ZeroDivisionError": {
        "    speed = jax.grad(fallen)(seconds)\n": "    speed = seconds / 0\n"
    },
}


def reviewed(folder, changes):
    source = TEMPLATE.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in source
        source = source.replace(old, new, 1)
    found = page.read(catalog.find(str(lessons.write(folder, source))))
    with outcome.imported(found.lesson) as module:
        return review(found, module), source.splitlines()


def test_the_template_is_above_reproach(tmp_path):
    assert reviewed(tmp_path, {})[0] == []


@pytest.mark.filterwarnings("ignore:assertion is always true:SyntaxWarning")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_line_and_cure(tmp_path, fault):
    found, lines = reviewed(tmp_path, FAULTS[fault])
    complaint = next(c for c in found if fault in c.words)
    assert complaint.cure
    function = complaint.words.partition(" makes ")[2].split() or [
        word for word in complaint.words.split() if word.startswith("check_")
    ]
    if function:
        assert lines[complaint.line - 1].startswith(f"def {function[0]}(")


def test_the_command_tells_them_and_has_status_1(tmp_path, capsys):
    path = lessons.write(tmp_path)
    assert Session().review([page.read(catalog.find(str(path)))]) == 1
    shown = capsys.readouterr().out
    assert f"{path}:1: the opening words are too few or too many\n" in shown
    assert "   below the title, write two to eight lines\n" in shown
    good = page.read(catalog.find(str(TEMPLATE)))
    assert Session().review([good]) == 0
    assert "nothing to say against it" in capsys.readouterr().out
