"""Lessons run under JAX's defaults, whatever the settings of the reader are."""

import json
import os
import subprocess
import sys

import jax
import pytest

from jaxintro._engine import report, setting

OTHER = {
    "jax_check_tracer_leaks": True,
    "jax_debug_infs": True,
    "jax_debug_key_reuse": True,
    "jax_debug_nans": True,
    "jax_default_device": jax.devices()[0],
    "jax_default_matmul_precision": "float32",
    "jax_default_prng_impl": "rbg",
    "jax_disable_jit": True,
    "jax_enable_checks": True,
    "jax_enable_custom_prng": True,
    "jax_enable_x64": True,
    "jax_explain_cache_misses": True,
    "jax_legacy_prng_key": "error",
    "jax_log_compiles": True,
    "jax_no_tracing": True,
    "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise",
    "jax_random_seed_offset": 7,
    "jax_threefry_partitionable": False,
    "jax_traceback_filtering": "off",
    "jax_transfer_guard": "disallow",
    "jax_transfer_guard_device_to_device": "log",
    "jax_transfer_guard_device_to_host": "disallow",
    "jax_transfer_guard_host_to_device": "disallow",
}
KNOWN = [name for name in setting.DEFAULTS if name in jax.config.values]


def value(name):
    return getattr(jax.config, name)


@pytest.fixture
def changed():
    """Give a setting another value for the time of the test."""
    before = {name: value(name) for name in KNOWN}

    def change(name):
        jax.config.update(name, OTHER[name])

    yield change
    for name in KNOWN:
        if value(name) != before[name]:
            jax.config.update(name, before[name])


def test_every_setting_is_tried():
    assert set(OTHER) == set(setting.DEFAULTS)
    assert len(KNOWN) > 20


@pytest.mark.parametrize("name", KNOWN)
def test_a_setting_is_jaxs_default_inside_and_the_readers_outside(changed, name):
    changed(name)
    assert setting.set_aside()[name] == OTHER[name]
    with setting.pinned():
        assert value(name) == setting.DEFAULTS[name]
        assert setting.set_aside() == {}
    assert value(name) == OTHER[name]


@pytest.mark.parametrize("name", KNOWN)
def test_what_a_block_changes_is_put_back(changed, name):
    before = value(name)
    with setting.pinned():
        changed(name)
    assert value(name) == before


def test_settings_are_put_back_after_an_exception(changed):
    changed("jax_enable_x64")

    def interrupted():
        with setting.pinned():
            jax.config.update("jax_disable_jit", True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert value("jax_enable_x64")
    assert not value("jax_disable_jit")


def test_as_is_keeps_the_readers_settings_and_puts_back_what_a_block_changes(changed):
    changed("jax_enable_x64")
    with setting.pinned(as_is=True):
        assert value("jax_enable_x64")
        changed("jax_disable_jit")
    assert not value("jax_disable_jit")


@pytest.mark.parametrize("as_is", [False, True])
def test_a_process_that_a_demo_starts_has_the_defaults_too(monkeypatch, as_is):
    monkeypatch.setenv("JAX_DISABLE_JIT", "1")
    told = "import jax; print(jax.config.jax_disable_jit)"
    with setting.pinned(as_is=as_is):
        child = subprocess.check_output([sys.executable, "-c", told], text=True)
    assert child.strip() == str(as_is)
    assert os.environ["JAX_DISABLE_JIT"] == "1"


def test_the_numbers_inside_are_those_of_the_defaults(changed):
    for name in ("jax_enable_x64", "jax_disable_jit", "jax_no_tracing"):
        changed(name)
    changed("jax_default_prng_impl")
    with setting.pinned():
        key = jax.random.key(0)
        assert str(key.dtype) == "key<fry>"
        assert jax.jit(lambda x: 2 * x)(jax.numpy.arange(2.0)).dtype == "float32"


@pytest.mark.parametrize("as_is", [True, False])
def test_a_program_is_plain_text_wherever_it_is_printed(monkeypatch, as_is):
    from jax._src import pretty_printer

    monkeypatch.setattr(pretty_printer, "CAN_USE_COLOR", True)  # as on a terminal
    jaxpr = jax.make_jaxpr(lambda x: x + 1)(1)
    assert "\x1b" in str(jaxpr)
    with setting.pinned(as_is=as_is):
        assert "\x1b" not in str(jaxpr)
    assert "\x1b" in str(jaxpr)


def test_a_page_says_what_was_set_aside():
    (first, *rest) = report.aside({"jax_enable_x64": True, "jax_disable_jit": 1}, 60)
    words = " ".join([first.text, *(line.text.strip() for line in rest)])
    assert words == (
        "Set aside while this runs: jax_enable_x64=True, jax_disable_jit=1. "
        "--as-is keeps your settings."
    )
    assert report.aside({}, 60) == []


LESSON = '''\
"""Settings: a lesson that all of them would upset."""

import jax
import jax.numpy as jnp


@jax.jit
def double(x):
    """Twice x."""
    return 2 * x


def doubled(start=1.0):
    """Twice one is two."""
    x = jnp.arange(3) + start
    y = double(x)
    infinite = jnp.log(jnp.zeros(2)) * 0
    key = jax.random.key(0)
    same = jax.random.normal(key), jax.random.normal(key)
    return y, infinite, key, float(y.sum()), same


def check_types():
    """The numbers have 32 bits."""
    y, infinite, key, total, same = doubled()
    assert str(y.dtype) == str(infinite.dtype) == "float32"
    assert str(key.dtype) == "key<fry>"
    assert total == 12.0
    assert same[0] == same[1]


def check_traces():
    """A compiled function is traced."""
    assert double.trace(1.0).jaxpr.eqns
'''

SETTINGS = {
    "JAX_ENABLE_X64": "1",
    "JAX_DISABLE_JIT": "1",
    "JAX_DEBUG_NANS": "1",
    "JAX_DEBUG_KEY_REUSE": "1",
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_TRANSFER_GUARD": "disallow",
    "JAX_NO_TRACING": "1",
    "JAX_CHECK_TRACER_LEAKS": "1",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
    "JAX_THREEFRY_PARTITIONABLE": "0",
}


def python(folder, *arguments, env):
    (folder / "mine.py").write_text(LESSON)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "400", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_in_a_fresh_process_the_defaults_are_jaxs_own(tmp_path):
    code = "from jaxintro._engine import setting; print(setting.set_aside())"
    clean = {name: "" for name in os.environ if name.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={k: v for k, v in os.environ.items() if k not in clean},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "{}\n"


def test_a_lesson_holds_by_the_command_under_every_setting(tmp_path):
    done = python(tmp_path, "-m", "jaxintro.lesson", "mine.py", env=SETTINGS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 demo, 2 claims, all hold here" in done.stdout
    # what was set aside, once and by name
    told = done.stdout.replace("\n", " ")
    assert told.count("Set aside while this runs: ") == 1
    for name, given in SETTINGS.items():
        shown = {"1": "True", "0": "False"}.get(given, given)
        assert f"{name.lower()}={shown}" in told


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_lesson_holds_by_pytest_under_every_setting(tmp_path, workers):
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *workers, "mine.py")
    done = python(tmp_path, *command, env=SETTINGS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "Set aside while claims were proved: " in done.stdout
    for name in SETTINGS:
        assert f"{name.lower()}=" in done.stdout


def test_as_is_lets_a_setting_upset_a_lesson(tmp_path):
    command = ("-m", "jaxintro.lesson", "mine.py", "--json", "--as-is")
    done = python(tmp_path, *command, env={"JAX_ENABLE_X64": "1"})
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["set_aside"] == {}
    first, second = answer["lessons"][0]["demos"][0]["checks"]
    assert (first["holds"], second["holds"]) == (False, True)


# Each setting alone, in one process: what one of them hides, another may not.
ALONE = """
import os, sys, json
import jax
from jaxintro._engine import catalog, outcome, page, setting

found = page.read(catalog.find("mine.py"))
held = {}
for name, value in json.loads(sys.argv[1]).items():
    before = getattr(jax.config, name)
    jax.config.update(name, value)
    module = outcome.load(found.lesson)
    results = [outcome.run_section(module, section) for section in found.sections]
    held[name] = all(result.holds for result in results)
    assert getattr(jax.config, name) == value
    jax.config.update(name, before)
print(json.dumps(held))
"""


def test_a_lesson_holds_under_each_setting_alone(tmp_path):
    wanted = {
        n: v for n, v in OTHER.items() if n in KNOWN and n != "jax_default_device"
    }
    wanted |= {"jax_log_compiles": False, "jax_explain_cache_misses": False}
    done = python(tmp_path, "-c", ALONE, json.dumps(wanted), env={})
    assert done.returncode == 0, done.stderr
    assert all(json.loads(done.stdout).values()), done.stdout


def test_a_setting_that_this_jax_does_not_have_is_passed_over(monkeypatch):
    monkeypatch.setitem(setting.DEFAULTS, "jax_no_such_setting", True)
    with setting.pinned():
        assert "jax_no_such_setting" not in setting.set_aside()
