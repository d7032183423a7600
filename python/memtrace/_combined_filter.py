"""Filters made of filters."""

from __future__ import annotations

from memtrace._filter_kinds import _ValueFilter
from memtrace._filters import BaseFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from memtrace._filters import _Forms
    from memtrace._types import FilterForm


class CombinedFilter(_ValueFilter):
    """What ``a & b``, ``a | b`` and ``~a`` make of filters.

    Each operand stands for the traces that it keeps when it is the only filter: those that it matches,
    or with ``inclusive=False`` those that it does not match. ``&`` matches the traces of which both are
    true, ``|`` those of which at least one is, ``~`` those of which it is not. In the list that
    :meth:`Snapshot.filter_traces` takes it counts as one inclusive filter. May be nested 100 deep, where
    ``a & b & c`` is one level; ValueError beyond, when it is used.
    """

    operator: str
    """``'&'``, ``'|'`` or ``'~'``."""

    operands: tuple[BaseFilter, ...]
    """The filters: two or more, with ``'~'`` one."""

    def __init__(self, operator: str, *operands: BaseFilter) -> None:
        if operator not in ("&", "|", "~"):
            raise ValueError(f"operator must be '&', '|' or '~', not {operator!r}")
        if operator == "~" and len(operands) != 1:
            raise TypeError(f"'~' takes one operand, not {len(operands)}")
        if operator != "~" and len(operands) < 2:
            raise TypeError(f"{operator!r} takes two or more operands, not {len(operands)}")
        for operand in operands:
            if not isinstance(operand, BaseFilter):
                raise TypeError(f"operands must be filters, not {type(operand).__name__}")
        super().__init__(True)
        self.operator = operator
        self.operands = tuple(part for operand in operands for part in self._parts(operand))

    def _parts(self, operand: BaseFilter) -> tuple[BaseFilter, ...]:
        # One level for a chain of any length.
        if isinstance(operand, CombinedFilter) and operand.inclusive and operand.operator == self.operator != "~":
            return operand.operands
        return (operand,)

    def _form(self, forms: _Forms) -> FilterForm:
        return self.operator, bool(self.inclusive), tuple(forms.of(operand) for operand in self.operands)

    def _value(self) -> tuple[Any, ...]:
        return type(self), self.inclusive, self.operator, [operand._value() for operand in self.operands]

    def __repr__(self) -> str:
        if not self.inclusive:  # assigned
            return super().__repr__()
        if self.operator == "~":
            return f"~{self.operands[0]!r}"
        return f"({f' {self.operator} '.join(map(repr, self.operands))})"
