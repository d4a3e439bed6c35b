"""Macros without their price: what `{{ ui.field(…) }}` would call at every rendering is written out once, when a template is compiled.

A call of a macro costs more than most macros say, and a page has hundreds. Here the macro's body takes the place of the call, constants take
the place of its parameters, and tests of constants are decided. What cannot be written out (a call inside an expression, too few arguments,
a name that would mean something else here) stays a call. Nothing changes but the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

_CALLER = "caller"
_RUNTIME_ONLY = frozenset({"varargs", "kwargs", "self", "super"})
PARTS = "parts"
"""The context's name of web.present.Parts, whose `_CONSTANT` methods depend on nothing but their arguments."""
_CONSTANT = frozenset({"icon", "chip"})


@dataclass
class Library:
    """The macros of one template, and the names that it sets to constants or to parts."""

    name: str
    macros: dict[str, nodes.Macro] = field(default_factory=dict[str, nodes.Macro])
    values: dict[str, nodes.Expr] = field(default_factory=dict[str, nodes.Expr])
    others: set[str] = field(default_factory=set[str])
    """What else the template sets: a macro that reads such a name stays a call."""


def library_of(name: str, template: nodes.Template) -> Library:
    """The macros of the parsed `template`."""
    library = Library(name)
    for node in template.body:
        if isinstance(node, nodes.Macro):
            library.macros[node.name] = node
        elif isinstance(node, nodes.Assign):
            for target, value in _pairs(node):
                if isinstance(value, nodes.Expr) and (is_part(value) or not any(_names(value))):
                    library.values[target] = value
                else:
                    library.others.add(target)
    return library


class Inlining(NodeTransformer):
    """Writes out the macros that a template puts out or calls with a body: those of `libraries` (name in the template → macros) and of its imports."""

    def __init__(self, libraries: Mapping[str, Library], load: Callable[[str], Library], parts: Any) -> None:
        self._libraries = dict(libraries)
        self._load = load
        self._parts = parts
        self._numbers = count(1)
        self._stored: frozenset[str] = frozenset()
        self._own = Library("")
        self._seen: dict[int, bool | None] = {}
        """The macros of this template, and whether they are ready to be written out."""

    def visit_Template(self, node: nodes.Template) -> nodes.Node:  # noqa: N802 - the visitor's own naming
        """Learn what the template imports and sets before anything is written out."""
        for one in node.find_all(nodes.Import):
            if one.with_context and isinstance(one.template, nodes.Const):
                self._libraries[one.target] = self._load(one.template.value)
        self._own = library_of("", node)
        self._stored = frozenset(_stored([node])) - self._own.macros.keys() - self._libraries.keys()
        self.generic_visit(node)
        return _Used({name.name for name in node.find_all(nodes.Name) if name.ctx == "load"}).visit(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        """Each once, and before the first call of it is written out."""
        if self._seen.setdefault(id(node)) is None:
            self._seen[id(node)] = False
            self.generic_visit(node)
            self._seen[id(node)] = True
        return node

    def visit_Output(self, node: nodes.Output) -> list[nodes.Node]:  # noqa: N802
        """``{{ ui.macro(…) }}``: the text before it, the macro's body, the text behind it."""
        written: list[nodes.Node] = []
        for piece in node.nodes:
            seen = self.visit(piece)
            body = self._body(seen, None) if isinstance(seen, nodes.Call) else None
            written += [nodes.Output([seen], lineno=node.lineno)] if body is None else body
        return _merged(written)

    def visit_CallBlock(self, node: nodes.CallBlock) -> Any:  # noqa: N802
        """``{% call ui.macro(…) %}body{% endcall %}``."""
        self.generic_visit(node)
        body = self._body(node.call, node.body) if not node.args else None
        return node if body is None else body

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        """``ui.icon``, which `ui` only hands on, as what it is."""
        self.generic_visit(node)
        library = self._libraries.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        value = library.values.get(node.attr) if library else None
        return _Copy(self._parts).one(value) if value is not None else node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        """``ui.icon("clock")`` as its HTML."""
        self.generic_visit(node)
        return _made(node, self._parts)

    def _body(self, call: nodes.Call, caller: Sequence[nodes.Node] | None) -> list[nodes.Node] | None:
        """What `call` would write, as statements; None where it stays a call."""
        library, macro = self._called(call.node)
        given = _given(macro, call) if macro else None
        if library is None or macro is None or given is None:
            return None
        if library is self._own and not self._seen[id(self.visit(macro))]:
            return None
        stored = set(_stored(macro.body))
        bound = given.keys() | stored
        free = {name.name for part in macro.body for name in _loaded(part)} - bound - {_CALLER}
        ours = library.values.keys() & free
        theirs = library.others | set(library.macros if library.name else ())
        if free & (_RUNTIME_ONLY | theirs) or (free - ours) & self._stored or (caller and _repeats_caller(macro)):
            return None
        number = next(self._numbers)
        values = {name: library.values[name] for name in ours}
        values |= {name: value for name, value in given.items() if isinstance(value, nodes.Const) and name not in stored}
        renamed = {name: f"_{number}_{name}" for name in bound - values.keys()}
        body = _Macro(self._parts, values, renamed, caller).written(macro.body)
        passed = {renamed[name]: value for name, value in given.items() if name in renamed}
        if not renamed:
            return body
        return [nodes.With([nodes.Name(name, "param") for name in passed], [*passed.values()], body, lineno=call.lineno)]

    def _called(self, node: nodes.Expr) -> tuple[Library | None, nodes.Macro | None]:
        """The macro behind ``ui.name`` or, in its own template, ``name``."""
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            library = self._libraries.get(node.node.name)
            return library, library.macros.get(node.attr) if library else None
        return self._own, self._own.macros.get(node.name) if isinstance(node, nodes.Name) else None


class _Used(NodeTransformer):
    """Keeps the imports whose names are still read; the others' templates need not be run."""

    def __init__(self, read: set[str]) -> None:
        self._read = read

    def visit_Import(self, node: nodes.Import) -> nodes.Node | None:  # noqa: N802
        return node if node.target in self._read else None


class _Copy:
    """Copies of nodes with `values` in the place of names, in which tests of constants are decided."""

    def __init__(self, parts: Any, values: Mapping[str, nodes.Expr] | None = None) -> None:
        self._parts = parts
        self._values = values or {}

    def written(self, body: Sequence[nodes.Node]) -> list[nodes.Node]:
        """Statements; of an `if` whose test is known only what it decides for."""
        found: list[nodes.Node] = []
        for node in body:
            if isinstance(node, nodes.If):
                found += self._if(node)
            elif isinstance(node, nodes.Output):
                found += self._output(node)
            else:
                found.append(self.one(node))
        return _merged(found)

    def one(self, node: nodes.Node) -> Any:
        """The copy of one node."""
        made: Any = self._replaced(node)
        if made is None:
            if isinstance(node, nodes.With) and all(isinstance(target, nodes.Name) for target in node.targets):
                return self._with(node)
            fields = {name: self._field(value) for name, value in node.iter_fields()}
            made = type(node)(*(fields.get(name) for name in node.fields), lineno=node.lineno, environment=node.environment)
        if isinstance(made, nodes.CondExpr) and made.expr2 is not None:
            decided = _decided(made.test)
            made = made if decided is None else made.expr1 if decided else made.expr2
        if isinstance(made, nodes.Getitem) and not any(_names(made)):
            made = nodes.Const(made.as_const(), lineno=made.lineno)
        return _made(made, self._parts)

    def _with(self, node: nodes.With) -> nodes.With:
        """A macro's body within a macro's: what has become a constant takes its name's place."""
        stored = set(_stored(node.body))
        pairs = [(cast("nodes.Name", target), self.one(value)) for target, value in zip(node.targets, node.values, strict=True)]
        known = {target.name: value for target, value in pairs if isinstance(value, nodes.Const) and target.name not in stored}
        rest = [(self.one(target), value) for target, value in pairs if target.name not in known]
        outer, self._values = self._values, {**self._values, **known}
        body = self.written(node.body)
        self._values = outer
        return nodes.With([target for target, _ in rest], [value for _, value in rest], body, lineno=node.lineno)

    def _field(self, value: Any) -> Any:
        if isinstance(value, list):
            each = cast("list[Any]", value)
            if any(isinstance(item, nodes.Stmt) for item in each):
                return self.written(each)
            return [self.one(item) if isinstance(item, nodes.Node) else item for item in each]
        return self.one(value) if isinstance(value, nodes.Node) else value

    def _replaced(self, node: nodes.Node) -> nodes.Node | None:
        """What stands in the place of `node`, None for its copy."""
        return _Copy(self._parts).one(self._values[node.name]) if isinstance(node, nodes.Name) and node.name in self._values else None

    def _output(self, node: nodes.Output) -> Iterator[nodes.Node]:
        yield self.one(node)

    def _if(self, node: nodes.If) -> list[nodes.Node]:
        kept: list[tuple[nodes.Expr, list[nodes.Node]]] = []
        last: list[nodes.Node] = node.else_
        for one in (node, *node.elif_):
            test = self.one(one.test)
            decided = _decided(test)
            if decided:
                last = one.body
                break
            if decided is None:
                kept.append((test, self.written(one.body)))
        if not kept:
            return self.written(last)
        (test, body), *more = kept
        return [nodes.If(test, body, [nodes.If(each, then, [], []) for each, then in more], self.written(last), lineno=node.lineno)]


class _Macro(_Copy):
    """A macro's body with names `renamed`, and the `caller`'s statements where it is called."""

    def __init__(self, parts: Any, values: Mapping[str, nodes.Expr], renamed: Mapping[str, str], caller: Sequence[nodes.Node] | None) -> None:
        super().__init__(parts, values)
        self._renamed = renamed
        self._caller = caller

    def _replaced(self, node: nodes.Node) -> nodes.Node | None:
        if isinstance(node, nodes.Test) and isinstance(node.node, nodes.Name) and node.node.name == _CALLER:
            return nodes.Const((node.name == "defined") == (self._caller is not None), lineno=node.lineno)
        if isinstance(node, nodes.Name) and node.name in self._renamed and node.name not in self._values:
            return nodes.Name(self._renamed[node.name], node.ctx, lineno=node.lineno, environment=node.environment)
        return super()._replaced(node)

    def _output(self, node: nodes.Output) -> Iterator[nodes.Node]:
        for piece in node.nodes:
            if self._caller is not None and _is_caller(piece):
                yield from _Copy(self._parts).written(self._caller)
            else:
                yield nodes.Output([self.one(piece)], lineno=node.lineno)


def _made(node: Any, parts: Any) -> Any:
    """A call of a part that depends on nothing else, as what it gives."""
    if not (isinstance(node, nodes.Call) and is_part(node.node) and isinstance(node.node, nodes.Getattr) and node.node.attr in _CONSTANT):
        return node
    given = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
    if len(given) != len(node.args) or node.kwargs or node.dyn_args or node.dyn_kwargs:
        return node
    return nodes.Const(getattr(parts, node.node.attr)(*given), lineno=node.lineno)


def _decided(test: nodes.Expr) -> bool | None:
    """What a test of constants says, None for any other."""
    try:
        return bool(test.as_const())
    except nodes.Impossible:
        return None


def _given(macro: nodes.Macro, call: nodes.Call) -> dict[str, nodes.Expr] | None:
    """The macro's parameters with what the call gives them, or their defaults; None where that is not plain."""
    names = [argument.name for argument in macro.args]
    if call.dyn_args or call.dyn_kwargs or len(call.args) > len(names):
        return None
    given = dict(zip(names[len(names) - len(macro.defaults) :], macro.defaults, strict=True))
    if any(any(_names(value)) for value in given.values()):
        return None
    given |= dict(zip(names, call.args, strict=False)) | {pair.key: pair.value for pair in call.kwargs}
    return given if given.keys() == set(names) else None


def _pairs(node: nodes.Assign) -> list[tuple[str, nodes.Node]]:
    """The names that an assignment sets, each with its value."""
    if isinstance(node.target, nodes.Name):
        return [(node.target.name, node.node)]
    if isinstance(node.target, nodes.Tuple) and isinstance(node.node, nodes.Tuple):
        return [(target.name, value) for target, value in zip(node.target.items, node.node.items, strict=True) if isinstance(target, nodes.Name)]
    return [(target.name, node) for target in _names(node.target)]


def _stored(body: Sequence[nodes.Node]) -> Iterator[str]:
    """Every name that something in `body` sets."""
    for node in body:
        yield from (name.name for name in _names(node) if name.ctx != "load")
        for one in node.find_all((nodes.Import, nodes.FromImport)):
            yield from [one.target] if isinstance(one, nodes.Import) else [name if isinstance(name, str) else name[1] for name in one.names]
        yield from (one.name for one in node.find_all(nodes.Macro))


def _loaded(node: nodes.Node) -> Iterator[nodes.Name]:
    return (name for name in _names(node) if name.ctx == "load")


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    """The names in `node`, itself included."""
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def is_part(node: nodes.Node) -> bool:
    """Whether `node` is ``parts.name``."""
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == PARTS


def _is_caller(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == _CALLER


def _repeats_caller(macro: nodes.Macro) -> bool:
    """Whether the macro calls its caller in a loop, whose names its statements would meet, or elsewhere than to put it out."""
    put_out = sum(_is_caller(piece) for one in macro.find_all(nodes.Output) for piece in one.nodes)
    in_loops = any(_is_caller(call) for loop in macro.find_all(nodes.For) for call in loop.find_all(nodes.Call))
    return in_loops or put_out != sum(map(_is_caller, macro.find_all(nodes.Call)))


def _merged(body: Sequence[nodes.Node]) -> list[nodes.Node]:
    """Neighbouring outputs as one, so that neighbouring constant texts become one."""
    found: list[nodes.Node] = []
    for node in body:
        if isinstance(node, nodes.Output) and found and isinstance(found[-1], nodes.Output):
            found[-1] = nodes.Output([*found[-1].nodes, *node.nodes], lineno=found[-1].lineno)
        else:
            found.append(node)
    return found
