"""The sources' own timings, as races on this machine.

`python benchmarks/headlines.py [seconds] [folder]` races NumPy, JAX op by op, JAX
compiled, PyTorch, torch.compile and Numba, those that are installed, for sizes from
small to large. Before each race the results are compared. It prints a table of each
race as Markdown, with times as multiples of the fastest, and the bars at the end. With
a folder it also writes headlines.md and headlines.png there. Beside SELU stands a copy
of the array, beside the descents a compiled call that adds 1 to three numbers: nothing
that reads and writes the array, and nothing that JAX compiles, can be faster.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from bars import Contestants
from descent import START, TARGET, error, numba_walk, scan_over
from selu import numba_loop
from selu import selu as formula

from jaxintro.lens import Race, race

JAX = "JAX compiled"
COPY = "a copy"
CALL = "a call that adds 1"


class Headline(NamedTuple):
    """One subject: contestants for each size, and how near compiled JAX must come."""

    name: str
    unit: str  # of the sizes
    sizes: tuple[int, ...]
    contestants: Callable[[int], Contestants]
    rival: str = ""  # the fastest of the others, where it is empty
    limit: float = 1.1
    floor: str = ""  # what nothing of its kind can beat: COPY or CALL


def optional(name: str) -> Any:
    """A library, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


torch, numba = optional("torch"), optional("numba")


def numbers(*shape: int) -> Any:
    """Normal float32, the same in each run."""
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def elementwise(f: Callable[[Any, Any], Any], a: Any) -> Contestants:
    """One formula in every library: `f(x, library)`."""
    x = jnp.asarray(a)
    compiled = jax.jit(lambda x: f(x, jnp))
    found: Contestants = {
        "NumPy": lambda: f(a, np),
        "JAX op by op": lambda: f(x, jnp),
        JAX: lambda: compiled(x),
    }
    if torch:
        t = torch.from_numpy(a)
        by_torch = torch.compile(lambda x: f(x, torch))
        found |= {"PyTorch": lambda: f(t, torch), "torch.compile": lambda: by_torch(t)}
    return found


def selu(size: int) -> Contestants:
    """SELU of each number."""
    a = numbers(size)
    found = elementwise(formula, a)
    if numba:
        loop = numba_loop(parallel=True)
        found["Numba"] = lambda: loop(a)
    return found


def rows(size: int) -> Contestants:
    """Each row of a square matrix gets mean 0 and deviation 1."""

    def formula(x: Any, library: Any) -> Any:
        deviation = (
            x.std(1, keepdims=True, correction=0)
            if library is torch
            else x.std(1, keepdims=True)
        )
        return (x - x.mean(1, keepdims=True)) / deviation

    return elementwise(formula, numbers(size, size))


def squares(size: int) -> Contestants:
    """The sum of (x + 2)² − 4, which is x·x + 4 Σx.

    On a CPU, XLA adds a whole array on one core, a number after the other in each
    lane; a product of two arrays it hands to a library that does better.
    """

    def formula(x: Any, library: Any) -> Any:
        return library.sum((x + 2) ** 2 - 4)

    found = elementwise(formula, a := numbers(size))
    x, products = jnp.asarray(a), jax.jit(lambda x: x @ x + 4 * jnp.sum(x))
    found["JAX, as written"] = found[JAX]
    found[JAX] = lambda: products(x)
    if numba:

        @numba.njit(fastmath=True, parallel=True)
        def loop(x: Any) -> Any:
            total = np.float32(0)
            for i in numba.prange(x.size):
                total += (x[i] + np.float32(2)) ** 2 - np.float32(4)
            return total

        found["Numba"] = lambda: loop(a)
    return found


def descent(rates: Any) -> Contestants:
    """A walk down the root-mean-square error, a step for each rate."""
    one_scan, gradient = scan_over(rates), jax.jit(jax.grad(error))

    def jitted_gradient() -> Any:
        x = jnp.asarray(START)
        for rate in rates:
            x = x - rate * gradient(x, TARGET)
        return x

    def in_numpy() -> Any:
        x = START.copy()
        for rate in rates:
            gap = x - TARGET
            x = x - rate * gap / (x.size * np.sqrt(np.mean(gap**2)))
        return x

    x = jnp.asarray(START)
    found: Contestants = {
        "NumPy": in_numpy,
        "jit(grad) in a loop": jitted_gradient,
        JAX: lambda: one_scan(x),
    }
    if torch:

        def in_torch() -> Any:
            x, y = torch.from_numpy(START.copy()), torch.from_numpy(TARGET)
            for rate in rates:
                x.requires_grad_()
                (slope,) = torch.autograd.grad(torch.sqrt(((x - y) ** 2).mean()), x)
                x = (x - float(rate) * slope).detach()
            return x

        found["PyTorch"] = in_torch
    if numba:
        loop = numba_walk()
        found["Numba"] = lambda: loop(START, TARGET, rates)
    return found


def fixed_steps(count: int) -> Contestants:
    """Steps of 0.05."""
    return descent(np.full(count, 0.05, np.float32))


def annealed_steps(count: int) -> Contestants:
    """Steps that lose a quarter after every fifty."""
    return descent((0.1 * 0.75 ** (np.arange(count) // 50)).astype(np.float32))


def per_example(batch: int) -> Contestants:
    """The gradient of each example's own loss, for a layer of 64 → 10."""
    x, w = numbers(batch, 64), numbers(64, 10) / 8

    def loss(w: Any, x: Any) -> Any:
        return jnp.sum(jnp.tanh(x @ w) ** 2)

    by_vmap = jax.vmap(jax.grad(loss), in_axes=(None, 0))
    compiled, gradient = jax.jit(by_vmap), jax.jit(jax.grad(loss))
    jx, jw = jnp.asarray(x), jnp.asarray(w)

    def in_numpy() -> Any:
        z = np.tanh(x @ w)
        return x[:, :, None] * (2 * z * (1 - z**2))[:, None, :]

    found: Contestants = {
        "NumPy": in_numpy,
        "jit(grad) in a loop": lambda: jnp.stack([gradient(jw, row) for row in jx]),
        "JAX op by op": lambda: by_vmap(jw, jx),
        JAX: lambda: compiled(jw, jx),
    }
    if torch:
        tx, tw = torch.from_numpy(x), torch.from_numpy(w)

        def torch_loss(w: Any, x: Any) -> Any:
            return torch.sum(torch.tanh(x @ w) ** 2)

        by_torch = torch.func.vmap(torch.func.grad(torch_loss), in_dims=(None, 0))
        found["PyTorch"] = lambda: by_torch(tw, tx)
    return found


def epoch(batch: int) -> Contestants:
    """One epoch over 1,280 handwritten digits, in batches, with a network 64-32-10."""
    with np.load(str(files("jaxintro") / "data" / "digits.npz")) as data:
        x = (data["images"].reshape(-1, 64)[:1280] / 16).astype(np.float32)
        y = data["labels"][:1280].astype(np.int64)
    w1, w2 = numbers(64, 32) / 8, numbers(32, 10) / 6
    start = [w1, np.zeros(32, np.float32), w2, np.zeros(10, np.float32)]
    batches = np.arange(1280).reshape(-1, batch)

    def loss(params: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2 = params
        scores = jax.nn.relu(x @ w1 + b1) @ w2 + b2
        chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), y[:, None], axis=1)
        return -jnp.mean(chosen)

    def step(params: Any, rows: Any) -> Any:
        slopes = jax.grad(loss)(params, jx[rows], jy[rows])
        return [p - 0.3 * g for p, g in zip(params, slopes, strict=True)]

    jx, jy, jparams = jnp.asarray(x), jnp.asarray(y), [jnp.asarray(p) for p in start]
    whole = jax.jit(lambda p: jax.lax.scan(lambda p, b: (step(p, b), None), p, batches))
    one = jax.jit(step)

    def in_steps(step: Any) -> Any:
        params = jparams
        for rows in batches:
            params = step(params, rows)
        return params

    def in_numpy() -> Any:
        w1, b1, w2, b2 = start
        for rows in batches:
            hidden = np.maximum(x[rows] @ w1 + b1, 0)
            scores = hidden @ w2 + b2
            exp = np.exp(scores - scores.max(axis=1, keepdims=True))
            back = exp / exp.sum(axis=1, keepdims=True)
            back[np.arange(batch), y[rows]] -= 1
            back /= batch
            deep = back @ w2.T * (hidden > 0)
            w1, b1 = w1 - 0.3 * x[rows].T @ deep, b1 - 0.3 * deep.sum(0)
            w2, b2 = w2 - 0.3 * hidden.T @ back, b2 - 0.3 * back.sum(0)
        return [w1, b1, w2, b2]

    found: Contestants = {
        "NumPy": in_numpy,
        "JAX op by op": lambda: in_steps(step),
        "jit(step) in a loop": lambda: in_steps(one),
        JAX: lambda: whole(jparams)[0],
    }
    if torch:
        tx, ty = torch.from_numpy(x), torch.from_numpy(y)

        def in_torch() -> Any:
            params = [torch.from_numpy(p.copy()).requires_grad_() for p in start]
            for rows in torch.from_numpy(batches):
                w1, b1, w2, b2 = params
                scores = torch.relu(tx[rows] @ w1 + b1) @ w2 + b2
                value = torch.nn.functional.cross_entropy(scores, ty[rows])
                slopes = torch.autograd.grad(value, params)
                params = [
                    (p - 0.3 * g).detach().requires_grad_()
                    for p, g in zip(params, slopes, strict=True)
                ]
            return [p.detach() for p in params]

        found["PyTorch"] = in_torch
    return found


HEADLINES = (
    Headline(
        "SELU", "numbers", (1_000, 30_000, 1_000_000, 4_000_000), selu, COPY, 1.3, COPY
    ),
    Headline("rows standardised", "rows and columns", (30, 200, 1_000, 2_000), rows),
    Headline(
        "sum of squares", "numbers", (1_000, 30_000, 1_000_000, 4_000_000), squares
    ),
    Headline(
        "descent, fixed steps", "steps", (20, 200, 2_000), fixed_steps, floor=CALL
    ),
    Headline(
        "descent, annealed", "steps", (100, 1_000), annealed_steps, "Numba", 1.5, CALL
    ),
    Headline("per-example gradients", "examples", (8, 64, 512), per_example),
    Headline("an epoch on digits", "examples a batch", (16, 64, 256), epoch),
)


def floor(name: str, size: int) -> Callable[[], Any]:
    """A copy of the array, or a compiled call that has next to nothing to do."""
    x, shift = jnp.asarray(START), jax.jit(lambda x: x + 1)
    return numbers(size).copy if name == COPY else lambda: shift(x)


def races(headline: Headline, seconds: float) -> Iterator[tuple[int, Race]]:
    """A race for each size."""
    for size in headline.sizes:
        contestants = headline.contestants(size)
        # sums of millions of float32 differ in their order
        race(contestants, seconds=0, tolerance=1e-3)
        if headline.floor:
            contestants[headline.floor] = floor(headline.floor, size)
        yield size, race(contestants, seconds=seconds, check=False)


def markdown(headline: Headline, found: list[tuple[int, Race]]) -> str:
    """A table: a row for each contestant, a column for each size."""
    names = found[0][1].names
    head = ["", *(f"{size:,} {headline.unit}" for size, _ in found)]
    lines = [head, ["---"] * len(head)]
    for name in names:
        cells = []
        for _, result in found:
            times = dict(zip(result.names, result.seconds, strict=True))
            least = min(t for n, t in times.items() if n != headline.floor)
            cells.append(f"{times[name] / least:.2f} ({times[name] * 1e6:,.0f} µs)")
        lines.append([name, *cells])
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"## {headline.name}\n\n{text}\n"


def verdict(headline: Headline, found: list[tuple[int, Race]]) -> tuple[str, bool]:
    """Whether compiled JAX is near enough to its rival, at the largest size."""
    size, result = found[-1]
    times = dict(zip(result.names, result.seconds, strict=True))
    others = {n: t for n, t in times.items() if n not in (JAX, headline.floor)}
    rival = headline.rival or min(others, key=others.__getitem__)
    if rival not in times:
        return f"- {headline.name}: {rival} is not installed", True
    low, high = result.interval(JAX, rival)
    ratio = times[JAX] / times[rival]
    met = ratio <= headline.limit
    words = (
        f"- {headline.name}, {size:,} {headline.unit}: {ratio:.2f} [{low:.2f}, "
        f"{high:.2f}] times {rival}; at most {headline.limit}: "
    )
    return words + ("met" if met else "NOT met"), met


def picture(all_found: list[tuple[Headline, list[tuple[int, Race]]]], to: Path) -> None:
    """Seconds against size, a small plot for each headline."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import EngFormatter

    brief = EngFormatter(sep="")  # 30k, 4M
    figure, grid = plt.subplots(4, 2, figsize=(9, 14), layout="constrained")
    colours: dict[str, str] = {}
    for axes, (headline, found) in zip(grid.flat, all_found, strict=False):
        sizes = [size for size, _ in found]
        for index, name in enumerate(found[0][1].names):
            seconds = [result.seconds[index] for _, result in found]
            colour = colours.setdefault(name, f"C{len(colours)}")
            axes.loglog(sizes, seconds, "o-", color=colour)
        axes.set(title=headline.name, xlabel=headline.unit, ylabel="seconds a call")
        axes.set_xticks(sizes, [brief(size) for size in sizes])
        axes.minorticks_off()
    last = grid.flat[-1]
    last.axis("off")
    for name, colour in colours.items():
        last.plot([], [], "o-", color=colour, label=name)
    last.legend(loc="center", fontsize=12)
    figure.savefig(to, dpi=120)


def main(seconds: float = 2.0, folder: str = "") -> bool:
    """Run all races; return whether every bar is met."""
    parts, verdicts, everything = [], [], []
    for headline in HEADLINES:
        found = list(races(headline, seconds))
        everything.append((headline, found))
        parts.append(markdown(headline, found))
        verdicts.append(verdict(headline, found))
        print(parts[-1], flush=True)
    where = f"jax {jax.__version__} on {jax.default_backend()}. Times are multiples of"
    bars = "\n".join(words for words, _ in verdicts)
    parts = [f"# Headlines\n\n{where} the fastest.\n", *parts, f"## Bars\n\n{bars}\n"]
    print(parts[-1])
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, "headlines.md").write_text("\n".join(parts), encoding="utf-8")
        picture(everything, Path(folder, "headlines.png"))
    return all(met for _, met in verdicts)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(not main(*map(float, arguments[:1]), *arguments[1:]))
