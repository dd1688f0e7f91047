"""Assignments of all kinds to follow; `#:` says what the line shows."""

import types
from functools import partial

from followed import event

COUNT = 0


def unpacking():
    a, b = 1, "two"  #: 1, 'two'
    c, *d = iter([3, 4, 5])  #: 3, [4, 5]
    [e, (f, g)] = [6, (7, 8)]  #: 6, 7, 8
    h = i = 9  #: 9
    j, k = m, n = (1, 2)  #: 1, 2
    found = [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        m,
        n,
    ]  #: [1, 'two', 3, …, 2, 1, 2]  13 of them
    return tuple(found)  #: (1, 'two', 3, …, 2, 1, 2)  13 of them


def swaps(a=1, b=2):
    a, b = b, a  #: 2, 1
    return a, b  #: (2, 1)


class Watched:
    """Every look at it is an event."""

    def __init__(self):
        self.plain = 1
        self._hidden = 1
        self.entries = {}

    @property
    def shown(self):
        event("shown is read")
        return self._hidden

    @shown.setter
    def shown(self, value):
        event("shown is set")
        self._hidden = value

    def __getitem__(self, key):
        event("item is read", key)
        return self.entries.get(key, 0)

    def __setitem__(self, key, value):
        event("item is set", key)
        self.entries[key] = value


def attributes_and_items():
    thing = Watched()  #: a Watched
    thing.plain = 2  #: 2
    thing.plain += 3  #: 5
    thing.shown += 1
    thing.shown = 7  #: 7
    thing["a"] += 1
    thing["a"] = 5  #: 5
    thing.plain, thing["b"] = 8, 9
    return thing.plain, thing.entries  #: (8, {'a': 5, 'b': 9})


def augmented():
    x = 1  #: 1
    x += 2  #: 3
    x **= 2  #: 9
    numbers = [1, 2]  #: [1, 2]
    numbers += [3]  #: [1, 2, 3]
    numbers[0] -= 5  #: -4
    counts = {"a": 1}  #: {'a': 1}
    key = "a"  #: 'a'
    counts[key] += 1  #: 2
    return x, numbers, counts  #: (9, [-4, 2, 3], {'a': 2})


class Key:
    """Looking it up is an event."""

    def __hash__(self):
        event("hash")
        return 1

    def __eq__(self, other):
        event("eq")
        return self is other


def a_key_that_notices():
    counts = {Key(): 1}  #: {<followed_names.Key object>: 1}
    key = Key()  #: a Key
    counts[key] = 0  #: 0
    counts[key] += 1
    return len(counts)  #: 2


def a_walrus(numbers=(1, 2, 3)):
    if (n := len(numbers)) > 2:  #: True | n = 3
        event(n)
    while (n := n - 1) > 0:  #: n = 2  n = 1  n = 0
        event("loop", n)
    found = [y for x in numbers if (y := x * 2) > 2]  #: [4, 6] | y = 2  y = 4  y = 6
    return n, y, found  #: (0, 6, [4, 6])


def annotated():
    x: int = 3  #: 3
    y: list[str]
    y = []  #: []
    return x, y  #: (3, [])


def deletion():
    x = [1, 2, 3]  #: [1, 2, 3]
    del x[0]
    y = x  #: [2, 3]
    del x
    try:
        print(x)  # noqa: F821  #: UnboundLocalError: cannot access local variable 'x'...
    except UnboundLocalError:
        event("gone")
    return y  #: [2, 3]


def a_list_that_changes():
    seen = []  #: []
    seen.append(1)
    same = seen  #: [1]
    seen.append(2)
    return same  #: [1, 2]


def a_list_that_changes_in_a_loop():
    kept = []  #: []
    for i in range(6):  #: 0  1  2 … 5  (6 times)
        kept = [*kept[-1:], i]  #: [0]  [0, 1]  [1, 2] … [4, 5]  (6 times)
        row = kept  #: [0]  [0, 1]  [1, 2] … [4, 5]  (6 times)
    row.append("later")
    return kept  #: [4, 5, 'later']


def a_global():
    global COUNT
    COUNT = 1  #: 1
    COUNT += 1  #: 2
    return COUNT  #: 2


def nonlocals():
    count = 0  #: 0

    def up(by):
        nonlocal count
        count += by  #: 2  5
        return count  #: 2  5

    first = up(2)  #: 2
    second = up(3)  #: 5
    return first, second, count  #: (2, 5, 5)


def lambdas():
    double = lambda x: x * 2  # noqa: E731  #: a function
    return list(map(double, [1, 2]))  #: [2, 4]


def its_locals(a=1):
    b = 2  #: 2
    names = sorted(locals())  #: ['a', 'b']
    return names, eval("a + b")  #: (['a', 'b'], 3)


def all_kinds_of_arguments(a=1, /, b=2, *rest, c=3, **more):
    def inner(x, /, y, *args, z=5, **kwargs):
        return x, y, args, z, kwargs  #: (1, 2, (3, 4), 6, {'w': 7})

    given = inner(a, b, 3, 4, z=6, w=7)  #: (1, 2, (3, 4), 6, {'w': 7})
    return given, rest, c, more  #: ((1, 2, (3, 4), 6, {'w': 7}), (), 3, {})


def decorated_inside():
    def noisy(function):
        def wrapper(*args):
            event("called")
            return function(*args)  #: 4

        return wrapper  #: a function

    @noisy
    def double(x):
        return 2 * x  #: 4

    return double(2)  #: 4


def a_partial():
    def power(base, exponent):
        return base**exponent  #: 8

    cube = partial(power, exponent=3)  #: ...
    return cube(2)  #: 8


def imports_and_assertions(x=1):
    import math

    assert x == 1, event("not reached")
    pass
    return math.floor(2.5)  #: 2


def many_lines():
    total = sum(
        [
            1,
            2,
        ]
    )  #: 3
    for number in (
        1,
        2,
    ):  #: 1  2
        # a comment is not the header's last line

        event(number)
    return types.SimpleNamespace(
        total=total,
    )  #: namespace(total=3)
