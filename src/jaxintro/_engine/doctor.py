"""Whether lessons can run here, and why not: what a report of a bug begins with."""

import glob
import platform as machine
import sys
from importlib import metadata

import jaxintro
from jaxintro._engine import extras, setting
from jaxintro._engine.catalog import LackingError

NEEDED = ("jax", "jaxlib", "numpy", "matplotlib", "rich", "plotext")
GPUS = ("/dev/nvidia[0-9]*", "/dev/kfd")  # what a driver puts there


def examine() -> tuple[list[tuple[str, str]], bool]:
    """What there is to say, by its name; and whether lessons can run here."""
    said = [
        ("jaxintro", jaxintro.__version__),
        ("Python", f"{machine.python_version()} ({sys.executable})"),
        ("machine", f"{machine.system()} {machine.release()} {machine.machine()}"),
        *((name, _version(name)) for name in NEEDED),
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
    return [*said, *_extras()], True


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

    return ", ".join(f"{device} ({device.device_kind})" for device in jax.devices())


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


def _extras() -> list[tuple[str, str]]:
    said = []
    for extra in extras.known():
        missing = ", ".join(extras.lacks(extra))
        words = f"lacks {missing}: {extras.install(extra)}" if missing else "present"
        said.append((f"extra {extra}", words))
    return said
