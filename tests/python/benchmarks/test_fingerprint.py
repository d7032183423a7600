"""The digest of a result tells different results apart and nothing else."""

import sys

import pytest
from benchmarks.harness.fingerprint import fingerprint
from benchmarks.harness.return_locals import return_locals


class Opaque:
    pass


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, True),
        (1, 1.0),
        ("1", b"1"),
        ([1, 2], (1, 2)),
        ([[1], 2], [[1, 2]]),
        ({"a": 1}, {"a": 2}),
        ({1}, {2}),
        (2**70, 2**70 + 1),
        (Opaque(), object()),
    ],
)
def test_different_values_differ(one: object, other: object):
    assert fingerprint(one) != fingerprint(other)


def test_equal_values_are_equal():
    assert fingerprint({"a": [1, (2.5, None)]}) == fingerprint({"a": [1, (2.5, None)]})
    assert fingerprint({"x", "y", "z"}) == fingerprint({"z", "y", "x"})
    assert fingerprint([Opaque()]) == fingerprint([Opaque()])
    assert fingerprint("\udc80")


def test_a_finished_coroutine_differs_from_a_fresh_one():
    async def nothing() -> None:
        pass

    fresh, finished = nothing(), nothing()
    with pytest.raises(StopIteration):
        finished.send(None)
    assert fingerprint(fresh) != fingerprint(finished)
    fresh.close()


def test_a_cycle_and_a_huge_list_end():
    cycle: list[object] = []
    cycle.append(cycle)
    assert fingerprint(cycle)
    assert fingerprint(range(10)) == fingerprint(range(10))
    assert fingerprint([0] * 10**6) != fingerprint([0] * (10**6 - 1))


def test_locals_at_return():
    def timed(loops: int) -> float:
        total = 0
        for i in range(loops):
            total += i
        elapsed = 1.5
        return elapsed * 2

    with return_locals(timed) as final:
        timed(4)
    expected = {"loops": 4, "total": 6, "i": 3} if sys.version_info >= (3, 12) else {}
    assert final == expected
