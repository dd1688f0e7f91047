import lessons
import pytest

from jaxintro._engine.independence import borrowed

HEAD = '"""T: c."""\nimport jax\nimport jax.numpy as jnp\nfrom jax import lax\n\n\n'
DEMO = "def demo(x=1.0):\n    return jnp.sin(x)\n\n\n"
HELPERS = (
    "def by_jax(x):\n    return jnp.cos(x)\n\n\ndef by_hand(x):\n    return x\n\n\n"
)


def uses(folder, body):
    found = lessons.read(folder, f"{HEAD}{HELPERS}{DEMO}def check_it():\n    {body}\n")
    demo = found.sections[0]
    return borrowed(found, demo, demo.checks[0])


@pytest.mark.parametrize(
    ("body", "judged"),
    [
        ("assert demo() == jnp.sin(1.0)", ("jnp",)),
        ("assert demo() == jax.numpy.sin(1.0)", ("jax",)),
        ("assert lax.sin(demo())", ("lax",)),
        ("import jax.numpy as other; assert other.sin(1.0) == demo()", ("other",)),
        ("assert demo() == by_jax(1.0)", ("jnp",)),
        ("assert demo() == by_hand(1.0)", ()),
        ("assert demo() == 0.8414709848078965", ()),
    ],
)
def test_jax_is_found_however_it_is_reached(tmp_path, body, judged):
    assert uses(tmp_path, body).judged == judged


def test_a_check_that_forgets_its_demo_is_found(tmp_path):
    assert "demo" not in uses(tmp_path, "assert by_hand(1) == 1").names
