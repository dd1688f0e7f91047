import lessons
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxintro._engine import teeth
from jaxintro._engine.bend import alter, mapped, nudge


def bite(folder, demo, check):
    source = f'"""T: c."""\nimport numpy as np\n\n\ndef demo():\n    {demo}\n\n\n'
    source += f"def check_demo():\n    {check}\n"
    found, module = lessons.load(folder, source)
    return teeth.measure(module, found.sections[0], found.sections[0].checks[0])


@pytest.mark.parametrize("tolerance", [1e-6, 1e-4, 1e-2])
def test_sharpness_is_the_tolerance_of_the_check(tmp_path, tolerance):
    check = f"np.testing.assert_allclose(demo(), 3.0, rtol={tolerance})"
    sharpness = bite(tmp_path, "return 3.0", check).sharpness
    assert tolerance / 2 < sharpness < 3 * tolerance


@pytest.mark.parametrize(
    ("value", "check", "kind"),
    [
        ("7", "assert demo() == 7", "count"),
        ("'word'", "assert demo() == 'word'", "text"),
        ("True", "assert demo()", "truth"),
        ("None", "assert demo() is None", "truth"),
        ("float('nan')", "assert np.isnan(demo())", "special"),
        ("ValueError('x')", "assert isinstance(demo(), ValueError)", "error type"),
        ("ValueError('x')", "assert 'x' in str(demo())", "error text"),
        ("np.arange(3)", "assert demo()[0] == 0", "order"),
        ("np.arange(3)", "assert demo().sum() == 3", "count"),
        ("[()]", "assert demo() == [()]", "count"),
    ],
)
def test_what_is_exact_is_altered_and_has_no_sharpness(tmp_path, value, check, kind):
    found = bite(tmp_path, f"return {value}", check)
    assert kind in found.alterations
    assert found.bites


@pytest.mark.parametrize(
    ("value", "check"),
    [
        ("3.0", "demo()"),
        ("3.0", "assert demo() is not None"),
        ("np.ones(3)", "assert demo().shape == (3,)"),
        ("'word'", "assert demo() is not None"),
    ],
)
def test_a_check_without_teeth_is_found_out(tmp_path, value, check):
    assert not bite(tmp_path, f"return {value}", check).bites


def test_an_inequality_is_blunt(tmp_path):
    found = bite(tmp_path, "return 3.0", "assert demo() < 4")
    assert 0.3 < found.sharpness < 0.8


def test_a_ratio_of_two_numbers_is_noticed(tmp_path):
    check = "x = demo(); np.testing.assert_allclose(x['a'] / x['b'], 2.0)"
    assert bite(tmp_path, "return {'a': 2.0, 'b': 1.0}", check).sharpness < 1e-5


def test_an_entry_that_no_check_looks_at_is_found(tmp_path):
    source = lessons.GOOD.replace("len(numbers)\n", "len(numbers), 7\n")
    source = source.replace("words, number = count(n)", "words, number, _ = count(n)")
    found, module = lessons.load(tmp_path, source)
    assert teeth.unguarded(module, found.sections[1]) == ["count[2]"]
    assert teeth.unguarded(module, found.sections[0]) == []


NESTED = '''
def demo():
    return [1.5, 2.5], ({"a": 3.5, "b": [7, "word"]}, 4.5)


def check_demo():
    """It holds."""
    first, (second, _) = demo()
    assert (first[0], second["b"][1]) == (1.5, "word")
'''


@pytest.mark.parametrize("kind", [list, tuple])
def test_an_unchecked_half_is_found(tmp_path, kind):
    source = lessons.demo(f"return {kind([1.5, 2.5])}", check=lessons.CHECK)
    source = source.replace("    demo()\n", "    assert demo()[0] == 1.5\n")
    found, module = lessons.load(tmp_path, source)
    assert teeth.unguarded(module, found.sections[0]) == ["demo[1]"]


def test_what_no_check_looks_at_is_found_however_deep_it_is(tmp_path):
    found, module = lessons.load(tmp_path, NESTED)
    assert teeth.unguarded(module, found.sections[0]) == [
        "demo[0][1]", "demo[1][0]['a']", "demo[1][0]['b'][0]", "demo[1][1]"
    ]  # fmt: skip


def test_the_demo_itself_is_back_in_place(tmp_path):
    found, module = lessons.load(tmp_path)
    before = module.half
    teeth.measure(module, found.sections[0], found.sections[0].checks[0])
    assert module.half is before


def test_a_figure_is_bent_in_its_drawing(tmp_path):
    demo = (
        "from matplotlib.figure import Figure; figure = Figure(); "
        "figure.subplots().plot([1.0, 2.0]); return figure"
    )
    check = "assert demo().axes[0].lines[0].get_ydata()[1] == 2.0"
    assert bite(tmp_path, demo, check).sharpness == pytest.approx(1e-9, rel=0.3)


NUMBERS = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=9)


@given(NUMBERS, st.sampled_from([1e-8, 1e-4, 1e-1]))
def test_a_nudge_moves_every_number_by_no_more_than_its_size(numbers, size):
    before = np.array(numbers)
    after = nudge(size)(before, 0)
    scale = np.where(before == 0, max(np.abs(before).max(), 0) or 1, np.abs(before))
    assert np.all(after != before)
    assert np.all(np.abs(after - before) <= size * scale * (1 + 1e-6) + 1e-300)


@given(st.lists(st.integers(0, 5), min_size=2).filter(lambda x: len(set(x)) > 1))
def test_order_changes_the_order_and_nothing_else(numbers):
    before = np.array(numbers)
    after = alter("order")(before, 0)
    assert not np.array_equal(after, before)
    assert sorted(after) == sorted(before)


def test_dtype_and_shape_survive_a_nudge():
    array = np.ones((2, 3), np.float32)
    bent = nudge(0.1)(array, 0)
    assert (bent.dtype, bent.shape) == (array.dtype, array.shape)


def test_a_list_of_very_many_numbers_is_not_bent(tmp_path):
    result = lessons.run(
        tmp_path, lessons.demo("return [1.5] * 1_000_000"), sharpness=True
    )
    assert "more than 10000 parts" in result[0].verdicts[0].unmeasured


@pytest.mark.filterwarnings("error")
def test_a_tensor_of_pytorch_is_bent_as_an_array_is():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([1.0, float("nan")])
    bent = mapped(nudge(0.1), tensor)
    assert 1.05 <= bent[0] <= 1.1
    assert list(mapped(alter("special"), tensor)) == [1, 1]
