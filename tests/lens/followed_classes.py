"""Classes and methods to follow; `#:` says what the line shows."""

from dataclasses import dataclass
from typing import NamedTuple

from followed import event


class Point(NamedTuple):
    """A named tuple."""

    x: float
    y: float


@dataclass(frozen=True)
class Plane:
    """A dataclass."""

    normal: Point
    offset: float = 0.0


def records():
    point = Point(1.0, 2.0)  #: Point(x=1.0, y=2.0)
    plane = Plane(point)  #: Plane(normal=Point(x=1.0, y=2.0), offset=0.0)
    return plane  #: Plane(normal=Point(x=1.0, y=2.0), offset=0.0)


def a_class_inside():
    class Base:
        """It counts."""

        def __init__(self, start):
            self.__count = start  #: 1
            self.steps = 0  #: 0

        def up(self, by):
            self.__count += by
            self.steps += 1  #: 1
            return self.__count  #: 3

        @staticmethod
        def twice(x):
            return 2 * x  #: 6

        @classmethod
        def fresh(cls):
            return cls(1)  #: a Derived

        @property
        def half(self):
            event("half")
            return self.__count / 2  #: 1.5

        if True:

            def hidden(self):
                return "hidden"  #: 'hidden'

    class Derived(Base):
        """It calls its parent without arguments."""

        def __init__(self, start):
            super().__init__(start)
            event(__class__.__name__)

        def up(self, by):
            up = super().up(by)  #: 3
            return self.twice(up)  #: 6

    thing = Derived.fresh()  #: a Derived
    up = thing.up(2)  #: 6
    return up, thing.half, thing.hidden()  #: (6, 1.5, 'hidden')


def a_class_that_fails():
    try:

        class Broken:  #: ZeroDivisionError: division by zero
            """Its body raises."""

            x = 1 / 0

    except ZeroDivisionError:
        event("caught")


def a_callable_object():
    class Scale:
        """It is called."""

        def __call__(self, x):
            return 3 * x  #: 6

    scale = Scale()  #: a Scale
    return scale(2)  #: 6


def a_private_argument():
    class Holder:
        """Its names are mangled."""

        def hold(self, __x):
            __y = __x + 1  #: 2
            self.__z = __y  #: 2
            self.__z += 1
            return self.__z  #: 3

    return Holder().hold(1)  #: 3
