"""What following costs: a followed call against the plain one, function by function.

`python benchmarks/follow_cost.py [rounds]` calls both in one process, in interleaved
rounds after a warm-up, and prints the medians and their ratio. Time to write the report
out is not counted; a followed call does all else that `follow` does.
"""

import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from jaxintro.lens import follow

X = jnp.linspace(0.0, 1.0, 1_000)
A = np.random.default_rng(0).normal(size=(200, 20))
B = A @ np.arange(20.0)
PARAMS = {"w": jnp.ones((20, 20)), "b": jnp.zeros(20)}


def eager_loop(steps=200):
    x = X
    for _ in range(steps):
        y = jnp.sin(x) * 2
        x = y / (1 + y**2)
    return x


def eager_descent(steps=60):
    slope = jax.grad(lambda w: jnp.mean((A @ w - B) ** 2))
    w = jnp.zeros(20)
    for _ in range(steps):
        w = w - 0.1 * slope(w)
    return w


@jax.jit
def train_step(params, x):
    def loss(params):
        return jnp.mean(jnp.tanh(x @ params["w"] + params["b"]) ** 2)

    value, slopes = jax.value_and_grad(loss)(params)
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, slopes), value


def jitted_training(steps=300):
    params, x = PARAMS, jnp.asarray(A)
    for _ in range(steps):
        params, value = train_step(params, x)
    return params, value


def jitted_training_with_a_history(steps=300):
    params, x, history = PARAMS, jnp.asarray(A), []
    for step in range(steps):
        params, value = train_step(params, x)
        if step % 10 == 0:
            history.append(float(value))
    return history


def numpy_power_iteration(steps=300):
    m = A.T @ A
    v = np.ones(20)
    for _ in range(steps):
        v = m @ v
        v = v / np.linalg.norm(v)
    return v @ m @ v


def numpy_in_large(steps=20):
    x = np.linspace(0.0, 1.0, 200_000)
    for _ in range(steps):
        x = np.sin(x) * 2
    return x.mean()


def traced(x=1.0):
    @jax.jit
    def series(x):
        term, total = x, x
        for n in range(1, 20):
            term = -term * x**2 / ((2 * n) * (2 * n + 1))
            total = total + term
        return total

    return series(x)


def scanned(steps=1_000):
    def step(w, _):
        slope = 2 * (w - 3)
        w = w - 0.1 * slope
        return w, w

    return jax.lax.scan(step, jnp.float32(0.0), length=steps)


def random_walks(steps=50):
    key = jax.random.key(0)
    place = jnp.zeros(100)
    for _ in range(steps):
        key, key_now = jax.random.split(key)
        place = place + jax.random.normal(key_now, (100,))
    return place


def small_helpers(steps=100):
    def wave(x):
        y = jnp.sin(x)
        return y * 0.5

    x = X
    for _ in range(steps):
        x = wave(x) + 1
    return x


def gradients_of_gradients():
    f = jnp.tanh
    values = []
    for _ in range(4):
        f = jax.grad(f)
        values.append(f(0.5))
    return values


FUNCTIONS = [
    eager_loop,
    eager_descent,
    jitted_training,
    jitted_training_with_a_history,
    numpy_power_iteration,
    numpy_in_large,
    traced,
    scanned,
    random_walks,
    small_helpers,
    gradients_of_gradients,
]
OF_JAX = [f for f in FUNCTIONS if not f.__name__.startswith("numpy")]


def seconds(call):
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def measure(function, rounds):
    """The median seconds of a plain call, and of a followed one."""

    def followed():
        report = follow(function)
        if report.error or not report.rows:
            sys.exit(f"{function.__name__}: {report}")
        return report.result

    seconds(function), seconds(followed)
    plain, looked = [], []
    for number in range(rounds):
        pair = [(plain, function), (looked, followed)]
        for times, call in pair if number % 2 else pair[::-1]:
            times.append(seconds(call))
    return statistics.median(plain), statistics.median(looked)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    print(f"{'function':34}{'plain':>12}{'followed':>12}{'ratio':>8}")
    ratios = {}
    for function in FUNCTIONS:
        plain, looked = measure(function, rounds)
        ratios[function] = looked / plain
        times = f"{1e3 * plain:9.2f} ms{1e3 * looked:9.2f} ms"
        print(f"{function.__name__:34}{times}{looked / plain:8.2f}", flush=True)
    middle = statistics.median(ratios[function] for function in OF_JAX)
    print(f"\nmedian over functions of JAX: {middle:.2f}; the bar is 1.15")


if __name__ == "__main__":
    main()
