"""jaxintro: a JAX course whose every statement is checked on your own machine.

Read a lesson with `python -m jaxintro.lesson grad`, or import it and call its demos:
`from jaxintro import grad; grad.slope_of_a_parabola(5.0)`.
"""

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """`%load_ext jaxintro` gives a notebook the cell magic `%%follow`."""
    from jaxintro.lens.follow.magic import register

    register(shell)
