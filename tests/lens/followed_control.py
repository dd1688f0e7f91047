"""Loops, branches and exceptions to follow; `#:` says what the line shows.

A line without the mark shows nothing. The defaults are the arguments; `event` leaves a
trace that a plain call leaves as well.
"""

from contextlib import contextmanager, suppress

from followed import event


def a_long_loop(n=20):
    total = 0  #: 0
    for number in range(n):  #: 0  1  2 … 19  (20 times)
        total += number  #: 0  1  3 … 190  (20 times)
        event(total)
    return total  #: 190


def a_short_loop():
    for letter in "ab":  #: 'a'  'b'
        print(letter)  #: a / b
    for _ in range(3):
        again = 7  #: 7  (3 times)
    return again  #: 7


def a_loop_over_pairs():
    for name, (low, *rest) in {"x": (1, 2, 3)}.items():  #: 'x', 1, [2, 3]
        event(name, low, rest)


def an_empty_loop():
    for number in []:
        event(number)
    else:
        done = True  #: True
    return done  #: True


def a_search(numbers=(1, 4, 9)):
    for number in numbers:  #: 1  4
        if number > 3:  #: False  True
            break
    else:
        return None
    return number  #: 4


def a_while_loop(n=6):
    steps = 0  #: 0
    while n > 1:
        n = n // 2 if n % 2 == 0 else n + 1  #: 3  4  2  1
        steps += 1  #: 1  2  3  4
        if steps == 2:  #: False  True  False  False
            continue
    else:
        event("else")
    return steps  #: 4


def comprehensions(n=3):
    squares = [event(i) or i * i for i in range(n)]  #: [0, 1, 4]
    by_name = {str(i): i for i in range(2)}  #: {'0': 0, '1': 1}
    total = sum(i for i in squares)  #: 5
    return {i % 2 for i in squares}, by_name, total  #: ({0, 1}, {'0': 0, '1': 1}, 5)


def branches(x=3):
    if x < 0:  #: False
        sign = -1
    elif x == 0:  #: False
        sign = 0
    else:
        sign = 1  #: 1
    if x:
        event("a condition that is no bool is not shown")
    if not __debug__:
        event("never")
    return sign  #: 1


def an_early_return(x=1):
    if x > 0:  #: True
        return "positive"  #: 'positive'
    event("not reached")
    return "negative"


def nothing_to_return(x=1):
    if x:
        return
    event("not reached")


@contextmanager
def announced(name):
    event("enter", name)
    yield name.upper()
    event("exit", name)
    print("bye")


def with_blocks():
    with announced("a") as a, announced("b"):  #: 'A' | bye / bye
        inner = a + "!"  #: 'A!'
    with suppress(KeyError):
        {}["missing"]  #: KeyError: 'missing'
        event("not reached")
    return inner  #: 'A!'


def a_try(divisor=0):
    try:
        event("before")
        result = 1 / divisor  #: ZeroDivisionError: division by zero
    except KeyError:
        result = "not reached"
    except (ZeroDivisionError, TypeError) as error:
        result = str(error)  #: 'division by zero'
        seen = error
    else:
        result = "not reached"
    finally:
        event("finally")
    return result, type(seen)  #: ('division by zero', the class ZeroDivisionError)


def raised_in_a_helper():
    def helper(x):
        return x.missing  #: AttributeError: 'int' object has no attribute 'missing'

    try:
        helper(3)
    except AttributeError as error:
        print(error)  #: 'int' object has no attribute 'missing'


def raised_again():
    try:
        try:
            int("x")  #: ValueError: invalid literal for int() with base 10: 'x'
        except ValueError as error:
            raise KeyError("y") from error  #: KeyError: 'y'
    except KeyError as error:
        return type(error.__cause__)  #: the class ValueError


def raised_and_passed_on():
    event("before")
    raise ValueError("out of the function")  #: ValueError: out of the function


def raised_in_a_loop(n=3):
    found = []  #: []
    for i in range(n):  #: 0  1  2
        try:
            value = 1 // (
                i - 1
            )  #: -1  1 | ZeroDivisionError: integer division or modulo...
        except ZeroDivisionError:
            continue
        found.append(value)
    return found  #: [-1, 1]


def a_group():
    try:
        both = ValueError("a"), KeyError("b")  #: (ValueError: a, KeyError: 'b')
        raise ExceptionGroup("two", both)  #: ExceptionGroup: two (2 sub-exceptions)
    except* ValueError as group:
        left = len(group.exceptions)  #: 1
    except* KeyError:
        event("key")
    return left  #: 1


def a_match(point=(0, 5)):
    match point:
        case (0, y) if y > 9:
            return "not reached"
        case (0, y):
            return y  #: 5
    return None


def a_generator():
    def numbers(n):
        for i in range(n):  #: 0  1  0
            got = yield i  #: None  (2 times)
            event("resumed", got)
        return "end"  #: 'end'

    def relay():
        end = yield from numbers(2)  #: 'end'
        yield end  #: 'end'

    found = list(relay())  #: [0, 1, 'end']
    half = numbers(9)  #: <generator object a_generator.<locals>.numbers>
    next(half)  #: 0
    half.close()
    return found  #: [0, 1, 'end']


def recursion(n=3):
    def factorial(n):
        if n == 0:  #: False  False  False  True
            return 1  #: 1
        return n * factorial(n - 1)  #: 1  2  6

    return factorial(n)  #: 6
