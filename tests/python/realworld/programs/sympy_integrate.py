"""Integrate."""

import sys

from sympy import E, cos, exp, integrate, log, oo, pi, simplify, sin, sqrt, symbols

x, y = symbols("x y")
INTEGRANDS = [
    (x**2 * exp(-x), (x, 0, oo)),
    (sin(x) ** 3 * cos(x) ** 2, x),
    (exp(-(x**2)), (x, -oo, oo)),
    (log(x) / x**2, (x, 1, E)),
    (1 / (1 + x**4), x),
    (sqrt(1 - x**2), (x, 0, 1)),
    (x * y * exp(-x * y), (x, 0, 1)),
    (x**3 / (exp(x) - 1) * 0 + sin(x) / (2 + cos(x)), (x, 0, pi)),
]
for integrand, variable in INTEGRANDS[: int(sys.argv[1])]:
    print(simplify(integrate(integrand, variable)))
