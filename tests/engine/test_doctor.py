"""What a report of a bug begins with: what is here, what is missing, and the cure."""

import json
import os
import subprocess
import sys

import jax
import pytest

from jaxintro._engine import doctor, extras

BROKEN = "raise ImportError('not here')\n"


installed = pytest.mark.skipif(
    not extras.core(), reason="jaxintro is not installed here"
)


@pytest.fixture
def said(monkeypatch):
    def examine(**changes):
        for name, value in changes.items():
            monkeypatch.setattr(doctor, name, value)
        found, runs = doctor.examine()
        return {name: words for name, words in found}, runs

    return examine


@installed
def test_versions_devices_settings_and_extras_are_named(said):
    found, runs = said()
    assert runs
    assert found["jax"] == jax.__version__
    assert sys.executable in found["Python"]
    assert str(jax.devices()[0]) in found["devices"]
    if jax.default_backend() == "cpu":
        assert "cores)" in found["devices"]
    assert "jax_numpy_rank_promotion=raise" in found["settings"]  # of this suite
    assert {"jaxlib", "numpy", "extra notebook", "extra test"} <= set(found)


def test_what_is_missing_comes_with_its_cure(said, extras_of):
    extras_of(odd=["pytest", "no-such"], fine=["pytest>=1"])
    found, _ = said(_packages=lambda: ["no-such"])
    assert found["no-such"] == "missing: python -m pip install no-such"
    assert found["extra odd"] == (
        'lacks no-such: python -m pip install "jaxintro[odd]"'
    )
    assert found["extra fine"] == "present"


@installed
def test_what_is_needed_is_read_from_the_package():
    assert {"jax", "jaxlib", "numpy", "matplotlib"} <= set(doctor._packages())
    assert "pytest" not in doctor._packages()


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


def test_a_notebook_kernel_sees_the_same_environment(said):
    found, _ = said()
    assert found["notebook kernel"] == "sees the same environment"


@pytest.mark.parametrize(
    ("kernel", "says"),
    [
        ({"env": {"PYTHONPATH": "{folder}"}}, "another environment, jaxintro.__file__"),
        ({"env": {"PYTHONPATH": "{folder}/broken"}}, "fails, ImportError: not here"),
        ({"argv": ["no-such-python"]}, "does not start"),
    ],
)
def test_a_notebook_kernel_of_another_environment_is_told(
    tmp_path, said, monkeypatch, kernel, says
):
    pytest.importorskip("ipykernel")
    for module, source in (("jaxintro", ""), ("broken/jax", BROKEN)):
        (tmp_path / module).mkdir(parents=True)
        (tmp_path / module / "__init__.py").write_text(source)
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    spec |= {
        name: json.loads(json.dumps(value).replace("{folder}", str(tmp_path)))
        for name, value in kernel.items()
    }
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found, runs = said()
    assert runs
    assert says in found["notebook kernel"]
    assert "python -m ipykernel install --sys-prefix" in found["notebook kernel"]


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
