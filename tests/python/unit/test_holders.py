"""Chains to objects: what they begin at, and what each link is called."""

from __future__ import annotations

import asyncio
import collections
import contextvars
import functools
import gc
import logging
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from interpreter import HAS_GIL

import memtrace

needs_counts = pytest.mark.skipif(not HAS_GIL, reason="without a GIL reference counts do not tell who is left")


class Session:
    """What leaks."""


class App(types.ModuleType):
    """A module in sys.modules, as anything."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} was asked for")


@pytest.fixture
def app() -> Iterator[Any]:
    sys.modules["app"] = App("app")
    yield sys.modules["app"]
    del sys.modules["app"]


def first(reference: weakref.ref[Any]) -> list[str]:
    """The lines of the first chain."""
    return str(memtrace.holders(reference())[0]).replace(f"{__name__}.", "").splitlines()


def made(keep: Callable[[Any], object], make: Callable[[], Any] = Session) -> weakref.ref[Any]:
    """Something that only what keep() does holds."""
    it = make()
    keep(it)
    return weakref.ref(it)


def test_a_cache(app: Any) -> None:
    app._cache = {}
    reference = made(lambda session: app._cache.update({("ann", 3): [session]}))
    (chain,) = (chain for chain in memtrace.holders(reference()) if chain.root.kind == "module")
    name = f"{__name__}.Session"
    assert str(chain) == (
        "module 'app'\n    attribute '_cache' -> dict\n    value of key ('ann', 3) -> list\n    index 0 -> " + name
    )
    assert chain.root == ("module", "app")
    assert [link[:4] for link in chain] == [
        ("attribute", "_cache", "dict", ""),
        ("value of key", "('ann', 3)", "list", ""),
        ("index", "0", name, ""),
    ]
    assert [link.address for link in chain] == [id(app._cache), id(app._cache["ann", 3]), id(reference())]
    assert (len(chain), chain[-1].type_name, chain[:1], chain.count, chain.skipped) == (3, name, chain.links[:1], 1, 0)
    assert repr(chain) == f"<Chain of 3 links from module 'app' to {name}>"
    assert chain.to_dict()["root"] == {"kind": "module", "name": "app"}
    assert chain.to_dict()["links"][2]["address"] == id(reference())


def test_a_closure_in_a_list_of_callbacks(app: Any) -> None:
    app.callbacks = []

    def subscribe(session: Session) -> None:
        app.callbacks.append(lambda: session)

    assert first(made(subscribe)) == [
        "module 'app'",
        "    attribute 'callbacks' -> list",
        "    index 0 -> function test_a_closure_in_a_list_of_callbacks.<locals>.subscribe.<locals>.<lambda>",
        "    closure variable 'session' -> Session",
    ]


def test_a_cycle_with_a_finalizer_in_a_thread_local(app: Any) -> None:
    class Connection:
        def __del__(self) -> None:
            finalized.append(self)

    def keep(connection: Any) -> None:
        connection.me = connection
        app.local.connection = connection

    def work() -> None:
        references.append(made(keep, Connection))
        for _ in range(2):
            barrier.wait()

    finalized: list[Any] = []
    references: list[weakref.ref[Any]] = []
    app.local = threading.local()
    barrier = threading.Barrier(2)
    thread = threading.Thread(target=work, name="pool 3")
    thread.start()
    barrier.wait()
    connection = test_a_cycle_with_a_finalizer_in_a_thread_local.__name__ + ".<locals>.Connection"
    assert first(references[0]) == [
        "module 'app'",
        "    attribute 'local' -> _thread._local",
        f"    thread-local 'connection' of thread 'pool 3' -> {connection}",
    ]
    assert not finalized
    barrier.wait()
    thread.join()


def test_the_methods_of_a_cached_function(app: Any) -> None:
    class View:
        @functools.lru_cache(maxsize=8)  # noqa: B019
        def render(self, page: int) -> Session:
            return Session()

    app.View = View
    results = []

    def keep(view: View) -> None:
        results.append(weakref.ref(view.render(7)))

    wrapper = ["    attribute 'render' -> functools._lru_cache_wrapper"]
    assert first(made(keep, View))[2:] == [
        *wrapper,
        "    cached arguments -> tuple",
        f"    index 0 -> {View.__qualname__}",
    ]
    assert first(results[0])[2:] == [*wrapper, "    cached result -> Session"]
    View.render = functools.cache(View.render.__wrapped__)  # type: ignore[method-assign]
    results.clear()
    assert first(made(keep, View))[3:] == ["    cached arguments -> tuple", f"    index 0 -> {View.__qualname__}"]
    assert first(results[0])[3:] == ["    cached result -> Session"]


def test_a_handler_that_was_never_removed() -> None:
    class Buffer(logging.Handler):
        pass

    logger = logging.getLogger("memtrace.test")
    reference = made(logger.addHandler, Buffer)
    try:
        chain = memtrace.holders(reference())[0]
        assert chain.root.kind == "module"
        assert str(chain[-2]) == "attribute 'handlers' -> list"
        assert chain[-1].kind == "index"
    finally:
        logger.handlers.clear()


class Slots:
    __slots__ = ("__weakref__", "held")


def bound(session: Any) -> Any:
    class Handler:
        def handle(self) -> None:
            pass

    handler = Handler()
    handler.session = session  # type: ignore[attr-defined]
    return handler.handle


def slots(session: Any) -> Any:
    holder = Slots()
    holder.held = session
    return holder


def instance(session: Any, *, ask_for_dict: bool = False) -> Any:
    holder = Session()
    holder.before = 1  # type: ignore[attr-defined]
    holder.held = session  # type: ignore[attr-defined]
    if ask_for_dict:
        assert vars(holder)
    return holder


def many_attributes(session: Any) -> Any:
    holder = instance(session)
    vars(holder).update({f"x{i}": i for i in range(100)})
    return holder


def class_attribute(session: Any) -> Any:
    return type("Settings", (), {"held": session})


def default(session: Any) -> Any:
    def function(a: int, b: Any = session) -> None: ...

    return function


def keyword_default(session: Any) -> Any:
    def function(*, b: Any = session) -> None: ...

    return function


def attribute_of_function(session: Any) -> Any:
    def function() -> None: ...

    function.held = session  # type: ignore[attr-defined]
    return function


def generator(session: Any) -> Any:
    def steps(held: Any) -> Iterator[None]:
        yield

    running = steps(session)
    next(running)
    return running


def weak_callback(session: Any) -> Any:
    return weakref.ref(Session, functools.partial(print, session))


def dict_subclass(session: Any) -> Any:
    return collections.OrderedDict(a=1, b=session)


class Listed(list[Any]):
    pass


def list_subclass(session: Any) -> Any:
    holder = Listed([1])
    holder.held = session  # type: ignore[attr-defined]
    return holder


def exception(session: Any) -> Any:
    try:
        raise ValueError(session)
    except ValueError as error:
        return error.with_traceback(None)


def with_frames(session: Any) -> Any:
    def deeper(held: Any) -> None:
        raise ValueError

    try:
        deeper(session)
    except ValueError as error:
        return error.with_traceback(error.__traceback__.tb_next)  # type: ignore[union-attr]


def annotated(session: Any) -> Any:
    return type("Annotated", (), {"__annotations__": {"x": session}})


LINKS = [
    ("a list", lambda s: [1, s], ["index 1 -> Session"]),
    ("a tuple", lambda s: (s,), ["index 0 -> Session"]),
    ("a set", lambda s: {s}, ["member -> Session"]),
    ("a frozenset", lambda s: frozenset({s}), ["member -> Session"]),
    ("a deque", lambda s: collections.deque([0, 1, s]), ["index 2 -> Session"]),
    ("a value", lambda s: {b"k": s}, ["value of key b'k' -> Session"]),
    ("a key", lambda s: {s: 1}, ["key -> Session"]),
    ("a dict's subclass", dict_subclass, ["value of key 'b' -> Session"]),
    ("a default dict", lambda s: collections.defaultdict(list, x=s), ["value of key 'x' -> Session"]),
    ("a list's subclass", list_subclass, ["attribute 'held' -> Session"]),
    ("an instance", instance, ["attribute 'held' -> Session"]),
    ("an instance's dict", functools.partial(instance, ask_for_dict=True), ["attribute 'held' -> Session"]),
    ("an instance's large dict", many_attributes, ["attribute 'held' -> Session"]),
    ("slots", slots, ["attribute 'held' -> Session"]),
    ("a class", class_attribute, ["attribute 'held' -> Session"]),
    ("an instance's class", lambda s: class_attribute(s)(), ["class -> type Settings", "attribute 'held' -> Session"]),
    ("a simple namespace", lambda s: types.SimpleNamespace(held=s), ["attribute 'held' -> Session"]),
    ("a method", bound, ["attribute '__self__' -> bound.<locals>.Handler", "attribute 'session' -> Session"]),
    ("a method of C", lambda s: [s].append, ["attribute '__self__' -> list", "index 0 -> Session"]),
    ("a default", default, ["default of argument 'b' -> Session"]),
    ("a keyword's default", keyword_default, ["default of argument 'b' -> Session"]),
    ("a function", attribute_of_function, ["attribute 'held' -> Session"]),
    ("a cell", lambda s: types.CellType(s), ["contents -> Session"]),
    ("a partial function", lambda s: functools.partial(print, s), ["attribute 'args' -> tuple", "index 0 -> Session"]),
    ("a property", lambda s: property(s), ["attribute 'fget' -> Session"]),
    ("a generator", generator, ["local 'held' -> Session"]),
    ("an exception", exception, ["attribute 'args' -> tuple", "index 0 -> Session"]),
    (
        "an exception's frame",
        with_frames,
        [
            "attribute '__traceback__' -> traceback",
            "attribute 'tb_frame' -> frame with_frames.<locals>.deeper",
            "local 'held' -> Session",
        ],
    ),
    (
        "a weak reference's callback",
        weak_callback,
        ["callback -> functools.partial", "attribute 'args' -> tuple", "index 0 -> Session"],
    ),
    (
        "annotations",
        annotated,
        ["attribute '__annotations__' -> dict", "value of key 'x' -> Session"],
    ),
    ("an iterator", lambda s: iter([s]), ["reference -> list", "index 0 -> Session"]),
]


@pytest.mark.parametrize(("keep", "links"), [case[1:] for case in LINKS], ids=[case[0] for case in LINKS])
def test_links(app: Any, keep: Callable[[Any], Any], links: list[str]) -> None:
    reference = made(lambda session: setattr(app, "held", keep(session)))
    root, attribute, *rest = first(reference)
    assert root == "module 'app'"
    assert attribute.startswith("    attribute 'held' -> ")
    assert [line.strip() for line in rest] == links


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("it's", r"'it\'s'"),
        ("é\n\x00\ud800", "'é\\x0a\\x00\ud800'"),
        ("x" * 100, "'" + "x" * 60 + "'..."),
        (b"\xff'", r"b'\xff\''"),
        (-5, "-5"),
        (10**30, "int of many digits"),
        (None, "None"),
        (True, "True"),
        (2.5, "2.5"),
        ((), "()"),
        ((1, ("a",)), "(1, ('a',))"),
        (tuple(range(9)), "(0, 1, 2, 3, 4, 5, ...)"),
        (len, "<builtin_function_or_method len>"),
        (Session, "<type Session>"),
        (Session(), "<Session>"),
    ],
)
def test_keys(app: Any, key: Any, shown: str) -> None:
    reference = made(lambda session: setattr(app, "held", {key: session}))
    assert first(reference)[2] == f"    value of key {shown} -> Session"


def test_a_text_that_is_a_key(app: Any) -> None:
    """The collector passes over texts, which end no cycle."""
    app.held = {"".join(["a ", "key"]): 1}
    # Not in the assertion: pytest keeps what is called there in a variable.
    chains = memtrace.holders(next(iter(app.held)))
    assert [str(chain) for chain in chains] == ["module 'app'\n    attribute 'held' -> dict\n    key -> str"]


def test_a_task(app: Any) -> None:
    async def handle(session: Any) -> None:
        await asyncio.sleep(30)

    async def main() -> list[str]:
        def keep(session: Any) -> None:
            app.task = asyncio.ensure_future(handle(session))

        reference = made(keep)
        await asyncio.sleep(0)
        lines = first(reference)
        app.task.cancel()
        return lines

    lines = asyncio.run(main())
    assert lines[1:3] == ["    attribute 'task' -> _asyncio.Task", f"    coroutine -> coroutine {handle.__qualname__}"]
    assert lines[3] == "    local 'session' -> Session"


def test_a_context_variable() -> None:
    variable = contextvars.ContextVar[Any]("request")
    context = contextvars.copy_context()
    reference = made(functools.partial(context.run, variable.set))
    assert context.run(first, reference)[1:] == [
        "    context variables -> _contextvars.Context",
        "    context variable 'request' -> Session",
    ]


def test_a_frame_of_another_thread(app: Any) -> None:
    def work() -> None:
        def wait(session: Session) -> None:
            references.append(weakref.ref(session))
            for _ in range(2):
                barrier.wait()

        wait(Session())

    references: list[weakref.ref[Any]] = []
    barrier = threading.Barrier(2)
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    barrier.wait()
    app.session = references[0]()
    attribute, chain, *_ = memtrace.holders(references[0]())
    barrier.wait()
    thread.join()
    assert (attribute.root.kind, len(attribute)) == ("module", 1)
    assert chain.root.kind == "frame"
    assert chain.root.name.startswith(f"{work.__qualname__}.<locals>.wait() at {__file__}:")
    assert chain.root.name.endswith(" in thread 'worker'")
    assert [str(link) for link in chain] == [f"local 'session' -> {__name__}.Session"]


def test_frames_of_this_thread_come_behind_modules(app: Any) -> None:
    def keep() -> list[memtrace.Chain]:
        session = Session()
        app.deep = [[[[session]]]]
        return ask(session)

    def ask(asked: Session) -> list[memtrace.Chain]:
        return memtrace.holders(asked)

    assert [(chain.root.kind, len(chain)) for chain in keep()] == [("module", 5), ("frame", 1), ("caller", 1)]


@needs_counts
def test_the_stack_of_a_frame() -> None:
    def sessions() -> list[Session]:
        made = [Session()]
        reference.append(weakref.ref(made[0]))
        return made

    reference: list[weakref.ref[Any]] = []
    for _ in sessions():
        del _
        (chain,) = memtrace.holders(reference[0]())
    assert chain.root.kind == "stack"
    assert "test_the_stack_of_a_frame() at " in str(chain.root)
    assert [link.type_name for link in chain][-2:] == ["list", f"{__name__}.Session"]


@needs_counts
def test_what_c_code_holds() -> None:
    import ctypes

    reference = made(lambda session: ctypes.pythonapi.Py_IncRef(ctypes.py_object(session)))
    (chain,) = memtrace.holders(reference())
    assert str(chain) == f"C code\n    reference -> {__name__}.Session"
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(reference()))
    assert reference() is None


def test_only_the_caller() -> None:
    session = Session()
    (chain,) = memtrace.holders(session)
    assert chain.root.kind == "caller"
    assert str(chain).startswith("the caller, test_only_the_caller() at ")
    assert chain[0][:2] == ("local", "session")


def test_the_callers_module(app: Any) -> None:
    """What a module that asks has by name comes last, for it may have it to ask; but it is no garbage."""
    program = """
import memtrace
class Session: ...
session = Session()
session.me = session
alone = memtrace.holders(session)
deep = [[[session]]]
chains = memtrace.holders(session)
"""
    exec(program, vars(app))
    assert [[link.name for link in chain] for chain in app.alone] == [["session"]]
    assert [[link.name for link in chain] for chain in app.chains] == [["deep", "0", "0", "0"], ["session"]]


def test_nothing() -> None:
    # Not in the assertion: pytest keeps what is called there in a variable.
    chains = memtrace.holders(Session())
    assert chains == []


def test_only_a_cycle() -> None:
    session = Session()
    session.names = {"me": session}  # type: ignore[attr-defined]
    reference = weakref.ref(session)
    del session
    chain, *others = memtrace.holders(reference())
    assert str(chain).replace(f"{__name__}.", "").splitlines() == [
        "only a reference cycle: it waits for the garbage collector",
        "    attribute 'names' -> dict",
        "    value of key 'me' -> Session",
    ]
    assert others == []
    gc.collect()
    assert reference() is None


@needs_counts
def test_only_garbage() -> None:
    def keep(session: Session) -> None:
        cycle: list[Any] = [session]
        cycle.append(cycle)

    reference = made(keep)
    (chain,) = memtrace.holders(reference())
    assert chain.root.kind == "cycle"
    assert [link.kind for link in chain] == ["garbage", "index"]
    gc.collect()


def test_holders_are_different_ones(app: Any) -> None:
    def keep(session: Session) -> None:
        app.first = [session] * 100
        app.second = {"x": (session,)}
        app.third = [[[[session]]]]
        session.parent = app.first  # type: ignore[attr-defined]

    reference = made(keep)
    chains = memtrace.holders(reference(), limit=10)
    assert [chain[0].name for chain in chains] == ["first", "second", "third"]
    assert [len(chain) for chain in chains] == [2, 3, 5]
    assert memtrace.holders(reference(), limit=2) == chains[:2]


def test_no_chain_goes_through_its_own_object(app: Any) -> None:
    class Child:
        def __init__(self, parent: Any) -> None:
            self.parent = parent

    def keep(session: Any) -> None:
        app.session = session
        session.children = [Child(session) for _ in range(3)]

    assert [str(chain[-1].kind) for chain in memtrace.holders(made(keep)())] == ["attribute"]


def test_long_chains_are_cut(app: Any) -> None:
    def keep(session: Session) -> None:
        app.list = []
        inner = app.list
        for _ in range(2000):
            inner.append([])
            inner = inner[0]
        inner.append(session)

    reference = made(keep)
    (chain,) = memtrace.holders(reference(), max_depth=6)
    assert len(chain) == 6
    assert len(chain) + chain.skipped == 2002
    assert str(chain).splitlines()[4] == "    ... 1996 objects ..."
    assert chain[0].name == "list"
    assert chain[-1].type_name == f"{__name__}.Session"
    for longest in range(2, 40):
        (chain,) = memtrace.holders(reference(), max_depth=longest)
        assert (len(chain), len(chain) + chain.skipped) == (longest, 2002)
    (whole,) = memtrace.holders(reference(), max_depth=3000)
    assert (len(whole), whole.skipped) == (2002, 0)


@pytest.mark.parametrize("target", [None, 5, "text", int, sys, sys.modules, len, type, ()])
def test_anything_may_be_asked_for(target: object) -> None:
    assert memtrace.holders(target, limit=1)[0].root.kind == "module"


def test_a_module() -> None:
    sys.modules["alone"] = types.ModuleType("alone")
    reference = weakref.ref(sys.modules["alone"])
    assert first(reference) == [
        "module 'sys'",
        "    entry of modules 'alone' -> module alone",
    ]
    del sys.modules["alone"]


def test_bad_input() -> None:
    for argument, least in (("limit", 1), ("max_depth", 2)):
        with pytest.raises(TypeError, match=f"{argument} must be an int, not str"):
            memtrace.holders(None, **{argument: "3"})
        with pytest.raises(ValueError, match=f"{argument} must be at least {least}, not {least - 1}"):
            memtrace.holders(None, **{argument: least - 1})
    with pytest.raises(TypeError):
        memtrace.holders()  # type: ignore[call-arg]


def test_a_statistic(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def objects_behind(snapshot: object, asked: object, limit: int) -> list[Any]:
        assert snapshot is None
        assert asked is statistic
        return [reference() for reference in references][:limit]

    statistic = memtrace.Statistic(memtrace.Traceback([]), 10, 1)
    monkeypatch.setitem(sys.modules, "memtrace._objects", types.SimpleNamespace(_objects_behind=objects_behind))
    app.users, app.log = {}, []
    references = [made(lambda session, i=i: app.users.update({f"user {i}": session})) for i in range(5)]
    references += [made(app.log.append) for _ in range(8)]
    # One that holds another.
    references[0]().friend = Session()  # type: ignore[union-attr]
    references.append(weakref.ref(references[0]().friend))  # type: ignore[union-attr]
    chains = memtrace.holders(statistic)
    assert [(chain.count, chain[0].name) for chain in chains] == [(8, "log"), (5, "users"), (1, "users")]
    assert str(chains[0]).startswith("8 objects: module 'app'\n")
    assert [link.kind for link in chains[2]] == ["attribute", "value of key", "attribute"]
    assert memtrace.holders(statistic, limit=1) == chains[:1]
