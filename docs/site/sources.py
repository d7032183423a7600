"""Signatures and types of the public names, from the sources.

memtrace shows its names as tracemalloc does, all of one module and without annotations (``memtrace._publish``), and the
binding's functions have none. Here each name gets back the module that it is written in, where autodoc finds the
descriptions of attributes, and the annotations that stand there.
"""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

import memtrace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

_PACKAGE = Path(memtrace.__file__).parent
# Private types, and how they are shown.
_SHOWN = {
    "_Traces": "Sequence[Trace]",
    "TraceTuple": "tuple",
    "_F": "Callable",
}


def _text(annotation: ast.expr) -> str:
    text = ast.unparse(annotation)
    for private, shown in _SHOWN.items():
        text = re.sub(rf"\b{private}\b", shown, text)
    return text


def _annotations(function: ast.FunctionDef) -> dict[str, str]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    texts = {argument.arg: _text(argument.annotation) for argument in named if argument.annotation is not None}
    if function.returns is not None:
        texts["return"] = _text(function.returns)
    return texts


def _functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """The functions of a module or class, without overloads and setters, which have another's name."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
            if decorators.isdisjoint({"overload", "setter"}):
                yield node


def _plain(member: Any) -> Any:
    """The function in a property, a static or a class method."""
    return getattr(member, "fget", None) or getattr(member, "__func__", member)


def _restore() -> None:
    published = {name: getattr(memtrace, name) for name in memtrace.__all__}
    for path in sorted(_PACKAGE.glob("_[a-z]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = import_module(f"memtrace.{path.stem}")
        for function in _functions(tree.body):
            public = published.get(function.name)
            if isinstance(public, FunctionType) and public is vars(module).get(function.name):
                public.__module__ = module.__name__
                public.__annotations__ = _annotations(function)
        for definition in tree.body:
            if not isinstance(definition, ast.ClassDef):
                continue
            cls = vars(module)[definition.name]
            if cls is published.get(definition.name):
                cls.__module__ = module.__name__
            for function in _functions(definition.body):
                member = _plain(vars(cls).get(function.name))
                if isinstance(member, FunctionType):
                    member.__annotations__ = _annotations(function)


_STUB = {function.name: function for function in _functions(ast.parse((_PACKAGE / "_core.pyi").read_text()).body)}


def _native_signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    if not isinstance(obj, BuiltinFunctionType):
        return signature, returned
    function = _STUB[obj.__name__]
    return f"({ast.unparse(function.args)})", function.returns and _text(function.returns)


def _native_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Mark up the binding's descriptions, which are plain text, as the others are: arguments, and functions."""
    if not isinstance(obj, BuiltinFunctionType):
        return
    arguments = [name for name in _annotations(_STUB[obj.__name__]) if name != "return"]
    for number, line in enumerate(lines):
        for argument in arguments:
            line = re.sub(rf"\b{argument}\b(?![=(])", f"*{argument}*", line)
        lines[number] = re.sub(rf"\b({'|'.join(memtrace.__all__)})\(\)", r":func:`\1`", line)


def setup(app: Sphinx) -> dict[str, bool]:
    """Undo memtrace's publishing in this process."""
    _restore()
    app.connect("autodoc-process-signature", _native_signature)
    app.connect("autodoc-process-docstring", _native_docstring)
    return {"parallel_read_safe": True}
