"""Random call stacks: every way in which Python code comes to run Python code.

A program is a list of steps; a step calls the rest of the program in its own way, and may make probes before and after. A
probe allocates one object and remembers what the interpreter itself says of the stack it was allocated under.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

Rest = Callable[[], None]

# filename, line, qualified name, end line, column, end column
Place = tuple[str, int | None, str, int | None, int | None, int | None]


@dataclass
class Probe:
    """An object whose size no other has, and the frames it was allocated under, outermost first."""

    obj: bytearray
    places: list[Place]


_sizes = itertools.count(10_000)


@functools.cache
def place_of(code: CodeType, instruction: int) -> Place:
    """Where an instruction is, by the interpreter's own account."""
    line, end_line, column, end_column = list(code.co_positions())[instruction // 2]
    return code.co_filename, line, code.co_qualname, end_line, column, end_column


def walk(frame: FrameType | None) -> list[Place]:
    places = []
    while frame is not None:
        places.append(place_of(frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return places[::-1]


# One frame more, so that the frame that allocates stands still where it called from while both are made.
def allocate_and_walk() -> Probe:
    size = next(_sizes)
    obj, places = bytearray(size), walk(sys._getframe())
    # By now the frame has gone on to the call of walk(); that of bytearray() is on the same line.
    filename, line, name, *_ = places[-1]
    places[-1] = (filename, line, name, line, 18, 33)
    return Probe(obj, places)


def allocate_only() -> Probe:
    return Probe(bytearray(next(_sizes)), [])


class Program:
    """Builds random stacks and collects probes; the same seed gives the same calls."""

    def __init__(self, seed: int, probe: Callable[[], Probe], probes: int) -> None:
        self.rng = random.Random(seed)
        self.probe = probe
        self.wanted = probes
        self.probes: list[Probe] = []
        self.ways = [getattr(self, name) for name in dir(type(self)) if name.startswith("by_")]
        self.generators = [self.long_lived(level) for level in range(3)]

    def run(self) -> list[Probe]:
        while len(self.probes) < self.wanted:
            self.descend(self.rng.randint(0, 40))
        return self.probes

    def descend(self, levels: int) -> None:
        """Call a random way, and from within it the next; what remains the same between two runs is random, too."""
        if levels <= 0 or len(self.probes) >= self.wanted:
            self.probes.append(self.probe())
            return
        if self.rng.random() < 0.1:
            self.probes.append(self.probe())
        way = self.rng.choice(self.ways)
        for _ in range(self.rng.choice((1, 1, 1, 1, 2, 3))):
            way(lambda: self.descend(levels - self.rng.choice((1, 1, 2))))
        if self.rng.random() < 0.1:
            self.probes.append(self.probe())

    def by_call(self, rest: Rest) -> None:
        if self.rng.random() < 0.5:
            rest()
        else:
            rest()

    def by_closure(self, rest: Rest) -> None:
        def inner(depth: int) -> None:
            if depth > 0:
                inner(depth - 1)
            else:
                rest()

        inner(self.rng.randint(0, 4))

    def by_lambda(self, rest: Rest) -> None:
        (lambda call: (lambda: call())())(rest)

    def by_generator(self, rest: Rest) -> None:
        def generate() -> Iterator[int]:
            yield 1
            rest()
            yield 2

        generator = generate()
        next(generator)
        for _ in generator:
            break

    def by_yield_from(self, rest: Rest) -> None:
        def innermost() -> Generator[int, None, int]:
            yield 1
            rest()
            return 2

        def outer(depth: int) -> Generator[int, None, int]:
            return (yield from (outer(depth - 1) if depth else innermost()))

        for _ in outer(self.rng.randint(0, 5)):
            pass

    def by_comprehension(self, rest: Rest) -> None:
        if self.rng.random() < 0.5:
            [rest() for _ in range(1)]
        else:
            {key: rest() for key in range(1)}

    def by_generator_expression(self, rest: Rest) -> None:
        any(rest() for _ in range(1))

    def by_sort_key(self, rest: Rest) -> None:
        sorted([0], key=lambda _: rest())  # type: ignore[arg-type,return-value]

    def by_map(self, rest: Rest) -> None:
        list(map(lambda _: rest(), range(1)))

    def by_partial(self, rest: Rest) -> None:
        functools.partial(self.by_call, rest)()

    def by_exec(self, rest: Rest) -> None:
        line = self.rng.randint(1, 300)
        exec(compile("\n" * line + "rest()", f"generated-{line}.py", "exec"), {"rest": rest})

    def by_eval(self, rest: Rest) -> None:
        eval("(  rest())", {"rest": rest})

    def by_construction(self, rest: Rest) -> None:
        class Made:
            def __new__(cls) -> Made:
                return super().__new__(cls)

            def __init__(self) -> None:
                rest()

        Made()

    def by_special_methods(self, rest: Rest) -> None:
        class Special:
            def __len__(self) -> int:
                return rest() or 1

            def __getattr__(self, name: str) -> int:
                return rest() or 1

            def __add__(self, other: object) -> int:
                return rest() or 1

            def __eq__(self, other: object) -> bool:
                return rest() is None

            def __hash__(self) -> int:
                return 1

            @property
            def value(self) -> int:
                return rest() or 1

        special = Special()
        match self.rng.randint(0, 5):
            case 0:
                len(special)
            case 1:
                special.missing  # noqa: B018
            case 2:
                special + 1
            case 3:
                special in [1]  # noqa: B015
            case 4:
                special.value  # noqa: B018
            case _:
                bool(special)

    def by_context(self, rest: Rest) -> None:
        @contextlib.contextmanager
        def context() -> Iterator[None]:
            rest()
            yield
            rest()

        with context():
            pass

    def by_exception(self, rest: Rest) -> None:
        def fail(depth: int) -> None:
            if depth == 0:
                raise KeyError
            fail(depth - 1)

        try:
            fail(self.rng.randint(0, 30))
        except KeyError:
            rest()
        finally:
            self.by_call(rest) if self.rng.random() < 0.2 else None

    def by_coroutine(self, rest: Rest) -> None:
        class Pause:
            def __await__(self) -> Generator[None, None, None]:
                yield

        async def innermost() -> None:
            await Pause()
            rest()

        async def outer(depth: int) -> None:
            await (outer(depth - 1) if depth else innermost())

        drive(outer(self.rng.randint(0, 4)))

    def by_async_generator(self, rest: Rest) -> None:
        async def generate() -> AsyncIterator[int]:
            yield 1
            rest()
            yield 2

        async def consume() -> None:
            async for _ in generate():
                pass
            [_ async for _ in generate()]

        drive(consume())

    def long_lived(self, level: int) -> Generator[None, Rest, None]:
        """A generator that is resumed from whatever is on the stack by then."""
        rest: Rest | None = None
        while True:
            given = yield
            rest = given or rest
            if rest is None:
                continue
            if level == 0:
                rest()
            else:
                self.resume(level - 1, rest)

    def resume(self, level: int, rest: Rest) -> None:
        generator = self.generators[level]
        if generator.gi_running:
            rest()
            return
        if generator.gi_frame.f_lasti < 0 or generator.gi_suspended is False:
            next(generator)
        generator.send(rest)

    def by_resuming(self, rest: Rest) -> None:
        self.resume(self.rng.randint(0, 2), rest)


def drive(awaitable: Awaitable[Any]) -> None:
    """Run a coroutine to its end, with no event loop."""
    iterator = awaitable.__await__()
    with contextlib.suppress(StopIteration):
        while True:
            next(iterator)
