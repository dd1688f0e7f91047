"""The rules: each from what source or trace show to diagnostics.

Rules on the source take a function and stand in `calls.py`, `changes.py`, `bodies.py`
and `surroundings.py`; `analysis.py` lists them. `errors.py` reads an exception that
ended a trace, `keys.py` a jaxpr. What needs the trace to be sure of says so in `needs`,
and `confirm.py` decides.
"""
