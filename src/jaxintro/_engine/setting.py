"""Where the lessons run: which JAX, on which device."""

import os
import platform as machine
from typing import Any

import jaxintro
from jaxintro._engine.catalog import LackingError


def choose(platform: str | None) -> None:
    """Let JAX run on this platform; call it before anything has run.

    Raises:
        LackingError: this machine has no such device, or no JAX at all.
    """
    if platform is not None:
        # What was asked for now wins. To name the CPU leaves a GPU's memory alone; a
        # GPU or a TPU is JAX's own first choice wherever there is one.
        os.environ["JAX_PLATFORMS"] = "cpu" if platform == "cpu" else ""
    jax = _import_jax()
    if platform is not None:
        jax.config.update("jax_platforms", os.environ["JAX_PLATFORMS"] or None)
    try:
        found = jax.default_backend()
    except RuntimeError as error:
        raise LackingError(" ".join(str(error).split())) from error
    if platform not in (None, found):
        raise LackingError(
            f"No {platform} here: JAX {jax.__version__} finds {found} only. Leave out "
            f"--platform, or install JAX for {platform}."
        )


def _import_jax() -> Any:
    try:
        import jax
    except Exception as error:
        raise LackingError(f"JAX cannot be imported: {error}.") from error
    if not hasattr(jax, "__version__"):
        raise LackingError(f"'{jax.__file__}' stands in the way of JAX: rename it.")
    return jax


def about() -> dict[str, object]:
    """Versions and devices, plain enough for JSON."""
    import jax
    import numpy

    return {
        "jaxintro": jaxintro.__version__,
        "jax": jax.__version__,
        "numpy": numpy.__version__,
        "python": machine.python_version(),
        "platform": jax.default_backend(),
        "devices": [str(device) for device in jax.devices()],
    }
