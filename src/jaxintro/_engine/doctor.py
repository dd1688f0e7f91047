"""Whether lessons can run here, and why not: what a report of a bug begins with."""

import ast
import glob
import importlib.util
import os
import platform as machine
import sys
from importlib import metadata
from subprocess import DEVNULL
from typing import Any

import jaxintro
from jaxintro._engine import extras, setting
from jaxintro._engine.catalog import LackingError

KERNEL = "python -m ipykernel install --sys-prefix"
GPUS = ("/dev/nvidia[0-9]*", "/dev/kfd")  # what a driver puts there


def examine() -> tuple[list[tuple[str, str]], bool]:
    """What there is to say, by its name; and whether lessons can run here."""
    said = [
        ("jaxintro", jaxintro.__version__),
        ("Python", f"{machine.python_version()} ({sys.executable})"),
        ("machine", f"{machine.system()} {machine.release()} {machine.machine()}"),
        *((name, _version(name)) for name in _packages()),
        *(("plugin", f"{name} {version}") for name, version in _plugins()),
    ]
    try:
        setting.choose(None)
    except LackingError as error:
        return [*said, ("JAX does not run", str(error)), *_extras()], False
    about = setting.about()
    said += [("devices", _devices()), *_unused_gpus(str(about["platform"]))]
    aside = setting.set_aside()
    named = ", ".join(f"{name}={value}" for name, value in aside.items())
    said.append(("settings", named or "JAX's defaults"))
    return [*said, *_extras(), *_kernel()], True


def _packages() -> list[str]:
    return [*dict.fromkeys(["jax", "jaxlib", *extras.core()])]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"missing: python -m pip install {name}"


def _plugins() -> list[tuple[str, str]]:
    """What brings JAX to other devices than the CPU."""
    found = {
        each.metadata["Name"]: each.version
        for each in metadata.distributions()
        if str(each.metadata["Name"]).startswith(("jax-cuda", "jax-rocm", "libtpu"))
    }
    return sorted(found.items())


def _devices() -> str:
    import jax

    said = []
    for device in jax.devices():
        about = [device.device_kind]
        if memory := (device.memory_stats() or {}).get("bytes_limit"):
            about.append(f"{memory / 2**30:.0f} GiB for JAX")
        elif device.platform == "cpu":
            about.append(f"{os.cpu_count()} cores")
        said.append(f"{device} ({', '.join(about)})")
    return ", ".join(said)


def _unused_gpus(platform: str) -> list[tuple[str, str]]:
    """A GPU that the system has and JAX does not use, with the reason."""
    found = [path for pattern in GPUS for path in glob.glob(pattern)]
    if not found or platform == "gpu":
        return []
    if _plugins():
        why = "JAX has a plugin: see JAX_PLATFORMS, CUDA_VISIBLE_DEVICES, the driver"
    else:
        why = 'JAX has no plugin for it: python -m pip install "jax[cuda13]"'
    return [("unused GPU", f"{found[0]}: {why}")]


def _kernel() -> list[tuple[str, str]]:
    """Whether a notebook sees what is here: its kernel may be another Python."""
    if importlib.util.find_spec("jupyter_client") is None:
        return []  # the notebook extra is missing, which is told
    import jax
    from jupyter_client.manager import start_new_kernel

    here = {
        "sys.prefix": sys.prefix,
        "jax.__version__": jax.__version__,
        "jaxintro.__file__": jaxintro.__file__,
    }
    try:
        kernel, client = start_new_kernel(
            kernel_name="python3", stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            asked = {"user_expressions": {name: name for name in here}, "reply": True}
            reply = client.execute("import sys, jax, jaxintro", timeout=60, **asked)
        finally:
            client.stop_channels()
            kernel.shutdown_kernel(now=True)
    except Exception as error:
        return [("notebook kernel", f"does not start: {error}; {KERNEL}")]
    told = reply["content"]
    if told["status"] != "ok":
        words = f"fails, {told['ename']}: {told['evalue']}; {KERNEL}"
        return [("notebook kernel", words)]
    there = {name: _text(seen) for name, seen in told["user_expressions"].items()}
    other = [f"{name} is {there[name]}" for name in here if there[name] != here[name]]
    words = f"another environment, {', '.join(other)}; {KERNEL}"
    return [("notebook kernel", words if other else "sees the same environment")]


def _text(seen: dict[str, Any]) -> str:
    return str(ast.literal_eval(seen["data"]["text/plain"]))


def _extras() -> list[tuple[str, str]]:
    said = []
    for extra in extras.known():
        missing = ", ".join(extras.lacks(extra))
        words = f"lacks {missing}: {extras.install(extra)}" if missing else "present"
        said.append((f"extra {extra}", words))
    return said
