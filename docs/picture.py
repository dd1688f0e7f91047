"""Make docs/lesson.svg, the README's picture of a page, from a real run.

`python docs/picture.py` runs a few demos here and now.
"""

import dataclasses
import io
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from jaxintro._engine import catalog, page
from jaxintro._engine.session import Session

LESSON = "first_steps"
SHOWN = 3  # demos: what fits on one screen

whole = page.read(catalog.find(LESSON))
session = Session()
session.screen.rich, session.screen.width = True, 88
session.screen.console = Console(
    record=True, width=88, file=io.StringIO(), force_terminal=True, highlight=False
)
session.screen.working = nullcontext  # nothing moves in a picture
session.read([dataclasses.replace(whole, sections=whole.sections[:SHOWN])])
picture = Path(__file__).with_name("lesson.svg")
title = f"python -m jaxintro.lesson {LESSON}"
session.screen.console.save_svg(str(picture), title=title)
print(f"Wrote {picture}")
