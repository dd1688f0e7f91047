"""Make docs/lesson.svg, the README's picture of a lesson, from a real run.

`python docs/picture.py` runs the first demos of `grad` here and now.
"""

import dataclasses
import io
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from jaxintro._engine import catalog, page
from jaxintro._engine.session import Session

SHOWN = 2  # demos: what fits on one screen

whole = page.read(catalog.find("grad"))
last = whole.sections.index(whole.demos[SHOWN - 1])
session = Session()
session.screen.rich = True
session.screen.console = Console(
    record=True, width=88, file=io.StringIO(), force_terminal=True, highlight=False
)
session.screen.working = nullcontext  # nothing moves in a picture
session.read([dataclasses.replace(whole, sections=whole.sections[: last + 1])])
picture = Path(__file__).with_name("lesson.svg")
session.screen.console.save_svg(str(picture), title="python -m jaxintro.lesson grad")
print(f"Wrote {picture}")
