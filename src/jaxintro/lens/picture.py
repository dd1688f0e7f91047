"""A figure that a notebook shows although pyplot knows nothing of it."""

import io

from matplotlib.figure import Figure


class Picture(Figure):
    """A figure made without pyplot: no window, no state, nothing to close."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()
