"""An explanation as a graph: equations, and around them the kernels."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from jaxintro.lens import fusion, jaxprs
from jaxintro.lens.page import plural

if TYPE_CHECKING:
    from jaxintro.lens.explanation import Explanation

LIMIT = 60  # equations; a picture of more cannot be read
ACROSS, DOWN = 1.6, 0.8  # inches from one node to the next
FUSED, LOOSE = "#1f77b4", "#999999"

Node = int | str  # the number of an equation, or the name of an argument or result


@dataclass
class Layout:
    """Where everything stands, in steps across and down.

    Attributes:
        places: node → (across, down).
        boxes: (across, down, width, height, label) of each outline.
        down: the first row that is still free.
    """

    places: dict[Node, tuple[float, float]] = field(default_factory=dict)
    boxes: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    down: float = 0.0

    def row(self, nodes: list[Node], middle: float = 0.0) -> None:
        """Put nodes side by side in the next row."""
        for i, node in enumerate(nodes):
            self.places[node] = (middle + i - (len(nodes) - 1) / 2, self.down)
        self.down += 1


def graph(report: "Explanation") -> Figure:
    """The jaxpr from top to bottom, what is computed in one kernel outlined.

    An equation without an outline is computed in no kernel of its own: it was dropped,
    or merged with another.

    Raises:
        ValueError: the function was compiled already, and its jaxpr is not at hand.
    """
    if report.traced is None:
        raise ValueError(
            f"No jaxpr to draw: {report.name} was compiled before it was explained. "
            "Give explain the function and its arguments."
        )
    jaxpr = jaxprs.opened(report.traced)
    shown = range(min(len(jaxpr.eqns), LIMIT))
    edges = [e for e in edges_of(jaxpr) if drawn(e[0], shown) and drawn(e[1], shown)]
    layout = arrange(fusion.groups(jaxpr), edges, shown)
    return draw(report, jaxpr, layout, edges)


def drawn(node: Node, shown: range) -> bool:
    """Whether a node is within the limit."""
    return isinstance(node, str) or node in shown


def edges_of(jaxpr: Any) -> list[tuple[Node, Node]]:
    """From what to what the values go."""
    names = [f"in {i}" for i in range(len(jaxpr.invars))]
    source: dict[Any, Node] = dict(zip(jaxpr.invars, names, strict=True))
    edges: list[tuple[Node, Node]] = []
    for number, equation in enumerate(jaxpr.eqns):
        read = [v for v in jaxprs.variables(equation.invars) if v in source]
        edges += [(source[v], number) for v in read]
        source |= dict.fromkeys(equation.outvars, number)
    results = jaxprs.variables(jaxpr.outvars)
    edges += [(source[v], f"out {i}") for i, v in enumerate(results) if v in source]
    return list(dict.fromkeys(edges))


def arrange(
    groups: list[fusion.Group], edges: list[tuple[Node, Node]], shown: range
) -> Layout:
    """Arguments, then one band for each kernel as they run, then results."""
    layout = Layout()
    ends = dict.fromkeys(node for edge in edges for node in edge)
    layout.row([n for n in ends if isinstance(n, str) and n.startswith("in ")])
    fused = {number for group in groups for number in group.equations}
    loose = [number for number in shown if number not in fused]
    for group in groups:
        members = [number for number in group.equations if number in shown]
        if members or not group.equations:
            # What is in no kernel stands beside the first band it can stand beside.
            last = max(members, default=-1)
            beside = [number for number in loose if number < last]
            loose = [number for number in loose if number not in beside]
            band(layout, group, members, beside, edges)
    for number in loose:
        layout.row([number])
    layout.row([n for n in ends if isinstance(n, str) and n.startswith("out ")])
    return layout


def band(
    layout: Layout,
    group: fusion.Group,
    members: list[int],
    beside: list[int],
    edges: list[tuple[Node, Node]],
) -> None:
    """One kernel: its equations in rows, each below those it needs, and a box."""
    top = layout.down
    rows = depths(members, edges)
    width = max(map(len, rows), default=1)
    for row in rows:
        layout.row([*row])
    if not rows:
        layout.row([f"{group.name} {group.kernels[0]}"])
    plural = "s" if len(group.kernels) > 1 else ""
    label = f"kernel{plural} {span(group.kernels)}"
    box = (-width / 2, top - 0.55, width, layout.down - top + 0.1, label)
    layout.boxes.append(box)
    for i, number in enumerate(beside):
        layout.places[number] = (width / 2 + 0.7, top + i)
    layout.down = max(layout.down, top + len(beside)) + 0.4


def span(numbers: tuple[int, ...]) -> str:
    """Numbers in few words: `3`, `3 to 7`, `3, 5`."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))


def depths(members: list[int], edges: list[tuple[Node, Node]]) -> list[list[int]]:
    """Equations in rows: each one row below the lowest that it needs."""
    depth: dict[Node, int] = {}
    for number in members:
        above = [depth[a] for a, b in edges if b == number and a in depth]
        depth[number] = max(above, default=-1) + 1
    deepest = max(depth.values(), default=-1)
    return [[n for n in members if depth[n] == d] for d in range(deepest + 1)]


def draw(
    report: "Explanation", jaxpr: Any, layout: Layout, edges: list[tuple[Node, Node]]
) -> Figure:
    """The picture of a layout."""
    across = [place[0] for place in layout.places.values()] or [0.0]
    left, right = min(across) - 1, max(across) + 1
    size = (max(4.0, (right - left) * ACROSS), (layout.down + 1) * DOWN)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(left, right), ylim=(layout.down, -1))
    axes.set_axis_off()
    axes.set_title(title(report, len(jaxpr.eqns)), fontsize=10)
    outline(axes, layout)
    for start, end in edges:
        arrow(axes, layout.places[start], layout.places[end])
    inside = set(fused_nodes(layout))
    for node, (x, y) in layout.places.items():
        edge = "none"
        label = str(node)
        if isinstance(node, int):
            edge = FUSED if node in inside else LOOSE
            label = name_of(jaxpr.eqns[node])
        bbox = {"boxstyle": "round", "facecolor": "white", "edgecolor": edge}
        axes.text(x, y, label, ha="center", va="center", fontsize=8, bbox=bbox)
    return figure


def title(report: "Explanation", equations: int) -> str:
    """What the picture shows, and what it leaves out."""
    lines = [f"{report.name}: {plural(equations, 'equation')}"]
    if report.kernels is not None:
        lines[0] += f", {plural(report.kernels, 'kernel')}"
    if equations > LIMIT:
        lines.append(f"(only the first {LIMIT} equations are drawn)")
    return "\n".join([*lines, "grey: dropped, or merged with another"])


def fused_nodes(layout: Layout) -> Iterable[Node]:
    """The nodes that stand within an outline."""
    for node, (x, y) in layout.places.items():
        for left, top, width, height, _ in layout.boxes:
            if left <= x <= left + width and top <= y <= top + height:
                yield node


def outline(axes: Axes, layout: Layout) -> None:
    """A box around each kernel, with its number."""
    for left, top, width, height, label in layout.boxes:
        box = FancyBboxPatch(
            (left, top),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.15",
            facecolor="#e8f1fa",
            edgecolor=FUSED,
            gid="kernel",
        )
        axes.add_patch(box)
        axes.text(left + 0.05, top + 0.17, label, fontsize=7, color=FUSED)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """An arrow from one node to another."""
    # Straight down past other nodes it would be hidden by them.
    passes = start[0] == end[0] and abs(end[1] - start[1]) > 1.5
    style = {
        "arrowstyle": "-|>",
        "color": "#555555",
        "shrinkA": 9,
        "shrinkB": 9,
        "connectionstyle": f"arc3,rad={-0.25 if passes else 0}",
    }
    axes.annotate("", xy=end, xytext=start, arrowprops=style)


def name_of(equation: Any) -> str:
    """What to call an equation: its primitive, or the function that it calls."""
    name = str(equation.primitive.name)
    if not jaxprs.is_call(equation):
        return name
    inside = jaxprs.nested(equation)[0].eqns
    # `custom_jvp_call` around `jit` around what it is all about: jax.nn.relu.
    within = name_of(inside[0]) if len(inside) == 1 else name
    return str(equation.params.get("name", within)).strip("_")
