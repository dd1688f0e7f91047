"""The index of names, on small courses of one or two lessons."""

import lessons
import pytest

from jaxintro._engine import catalog, index, page
from jaxintro._engine.catalog import UsageError

IMPORTS = (
    "import jax\nimport jax.numpy as jnp\nimport numpy as np\nfrom jax import lax\n"
)


def course(folder, *demos):
    """A lesson with these (docstring, body) pairs as its demos."""
    source = f"{lessons.HEAD}{IMPORTS}"
    for number, (words, body) in enumerate(demos):
        lines = "\n".join(f"    {line}" for line in body.split("\n"))
        source += f'\n\ndef demo_{number}(x=1.0):\n    """{words}"""\n{lines}\n'
    return [page.read(catalog.find(str(lessons.write(folder, source))))]


def names(folder, body):
    (found,) = course(folder, ("Words.", body))
    return [name for s in found.sections for name in index.names_of(found, s)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return jax.grad(f)", ["jax.grad"]),
        ("return jnp.linalg.norm(x)", ["jax.numpy.linalg.norm"]),
        ("return lax.scan(f, x)", ["jax.lax.scan"]),
        ("return x.at[0].set(1)", [".at"]),
        ("return jax.vmap(f, in_axes=0)", ["in_axes", "jax.vmap"]),
        ("return jnp.sum(x, axis=0)", ["jax.numpy.sum"]),
        ("return jax.config.update('jax_enable_x64', True)", None),
        ("from jax import jit\nreturn jit(x)", ["jax.jit"]),
        ("from jaxintro.lens import race\nreturn race(x)", ["jaxintro.lens.race"]),
        (
            "from functools import partial\nreturn partial(jax.jit, static_argnums=0)",
            ["jax.jit", "static_argnums"],
        ),
        ("return np.sum(x) + len(x)", []),
        ("return jax.numpy.sum(x)", ["jax.numpy.sum"]),
    ],
)
def test_names_of_jax_are_found_in_code(tmp_path, body, found):
    if found is None:
        assert "jax_enable_x64" in names(tmp_path, body)
    else:
        assert sorted(set(names(tmp_path, body))) == sorted(found)


def test_a_name_is_introduced_before_it_is_used(tmp_path):
    pages = course(
        tmp_path,
        ("`jax.grad` is the slope.", "return jax.grad(f)"),
        ("And `lax.scan(f, x)`.", "return lax.scan(jax.grad(f), x)"),
    )
    assert index.unintroduced(pages) == []


def test_a_name_that_no_words_have_named_is_found(tmp_path):
    pages = course(
        tmp_path,
        ("A slope.", "return jax.grad(f)"),
        ("`jax.grad` is a slope, jax.vmap is a batch.", "return jax.vmap(jax.grad(f))"),
    )
    assert index.unintroduced(pages) == [
        "my_lesson.demo_0 uses jax.grad",
        "my_lesson.demo_1 uses jax.vmap",
    ]


def test_a_name_of_an_earlier_lesson_is_known(tmp_path):
    (tmp_path / "one").mkdir()
    first = course(tmp_path / "one", ("`jax.grad` is the slope.", "return 1"))
    second = course(tmp_path, ("A slope.", "return jax.grad(f)"))
    assert index.unintroduced(first + second) == []
    assert index.unintroduced(second + first) == ["my_lesson.demo_0 uses jax.grad"]


def test_names_of_numpy_need_no_introduction(tmp_path):
    pages = course(tmp_path, ("Sums.", "return jnp.linalg.norm(jnp.sum(x))"))
    assert index.unintroduced(pages) == []


def test_questions_and_the_opening_introduce_too(tmp_path):
    pages = course(
        tmp_path,
        ("Words.\n\n    Predict: what is `jax.grad`?\n    ", "return jax.grad(f)"),
        ("Words.\n\n    Myth: `jax.vmap` loops.\n    ", "return jax.vmap(f)"),
    )
    assert index.unintroduced(pages) == []


def test_find_tells_where_a_name_is_taught_and_used(tmp_path):
    pages = course(
        tmp_path,
        ("Used here.", "return jax.grad(f)"),
        ("`jax.grad` is the slope.", "return jax.grad(f)"),
    )
    for asked in ("grad", "jax.grad", "`jax.grad`", "grad()"):
        (entry,) = index.find(pages, asked)
        assert entry.name == "jax.grad"
        assert [section.name for _, section in entry.named] == ["demo_1"]
        assert [section.name for _, section in entry.used] == ["demo_0", "demo_1"]


@pytest.mark.parametrize("asked", ["jnp.linalg.norm", "linalg.norm", "norm"])
def test_a_name_is_found_with_or_without_its_module(tmp_path, asked):
    pages = course(tmp_path, ("Words.", "return jnp.linalg.norm(x)"))
    assert index.find(pages, asked)[0].name == "jax.numpy.linalg.norm"


def test_an_unknown_name_gets_the_nearest(tmp_path):
    pages = course(tmp_path, ("Words.", "return jax.grad(f)"))
    with pytest.raises(UsageError, match=r"uses 'gard'\. Did you mean 'grad'\?"):
        index.find(pages, "gard")
    with pytest.raises(UsageError, match=r"^No demo uses 'zzzz'\.$"):
        index.find(pages, "zzzz")
