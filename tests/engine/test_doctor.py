"""What a report of a bug begins with: what is here, what is missing, and the cure."""

import os
import subprocess
import sys

import jax
import pytest

from jaxintro._engine import doctor


@pytest.fixture
def said(monkeypatch):
    def examine(**changes):
        for name, value in changes.items():
            monkeypatch.setattr(doctor, name, value)
        found, runs = doctor.examine()
        return {name: words for name, words in found}, runs

    return examine


def test_versions_devices_settings_and_extras_are_named(said):
    found, runs = said()
    assert runs
    assert found["jax"] == jax.__version__
    assert sys.executable in found["Python"]
    assert str(jax.devices()[0]) in found["devices"]
    assert "jax_numpy_rank_promotion=raise" in found["settings"]  # of this suite
    assert {"jaxlib", "numpy", "extra notebook", "extra test"} <= set(found)


def test_what_is_missing_comes_with_its_cure(said, extras_of):
    extras_of(odd=["pytest", "no-such"], fine=["pytest>=1"])
    found, _ = said(NEEDED=("no-such",))
    assert found["no-such"] == "missing: python -m pip install no-such"
    assert found["extra odd"] == (
        'lacks no-such: python -m pip install "jaxintro[odd]"'
    )
    assert found["extra fine"] == "present"


@pytest.mark.parametrize(
    ("plugins", "says"),
    [([], "has no plugin for it"), ([("jax-cuda13-plugin", "0")], "JAX_PLATFORMS")],
)
def test_a_gpu_that_is_not_used_is_told_with_the_reason(tmp_path, said, plugins, says):
    (tmp_path / "nvidia0").touch()
    path = str(tmp_path / "nvidia*")
    found, _ = said(GPUS=(path,), _plugins=lambda: plugins)
    if jax.default_backend() != "gpu":
        assert says in found["unused GPU"]


@pytest.mark.parametrize(("platforms", "status"), [("cpu", 0), ("nonsense", 3)])
def test_the_status_says_whether_lessons_can_run(tmp_path, platforms, status):
    done = subprocess.run(
        [sys.executable, "-m", "jaxintro.lesson", "--doctor"],
        cwd=tmp_path,
        env={**os.environ, "JAX_PLATFORMS": platforms},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == status
    assert done.stderr == ""
    last = done.stdout.splitlines()[-1]
    assert last == (
        "Lessons can run here." if status == 0 else "Lessons cannot run here."
    )
