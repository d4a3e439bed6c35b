"""The code that Jinja makes of a template, a little shorter where every page spends its time: putting out values, calling the parts."""

from __future__ import annotations

from typing import Any

import markupsafe
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

from web.inlining import PARTS, is_part

_escaped: Any = vars(markupsafe)["_escape_inner"]
"""What `markupsafe.escape` wraps."""


def put_out(value: Any) -> Any:
    """`value` escaped, as what it becomes a part of needs it: `escape` wraps each in Markup, which takes five times as long as escaping it."""
    if type(value) is str:
        return _escaped(value)
    if type(value) is int:
        return str(value)
    return value if type(value) is Markup else escape(value)


class Generator(CodeGenerator):
    """Puts values out by `put_out`, and calls the methods of web.present.Parts without looking up what each wants of the context."""

    def write_commons(self) -> None:
        """What every function of a template begins with."""
        super().write_commons()
        self.writeline("put_out = environment.put_out")
        self.writeline("member = environment.getattr")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write("put_out(")
        else:
            super()._output_child_pre(node, frame, finalize)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - the visitor's own naming
        """``value.name``, which pages ask hundreds of times: without a call of Jinja's own where there is such an attribute."""
        self.write("(got if (got := getattr(of := ")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r}, missing)) is not missing else member(of, {node.attr!r}))")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802 - the visitor's own naming
        """``parts.chip(text)`` as such a call."""
        called = node.node
        if forward_caller or node.dyn_args or node.dyn_kwargs or not (is_part(called) and isinstance(called, nodes.Getattr)):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(called, frame)
        self.write("(")
        if hasattr(getattr(self.environment.globals[PARTS], called.attr), "jinja_pass_arg"):
            self.write("context, ")
        for argument in (*node.args, *node.kwargs):
            self.visit(argument, frame)
            self.write(", ")
        self.write(")")
