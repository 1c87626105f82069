"""Eight numbers that the processor adds and multiplies at once.

The compiler finds such groups of numbers in long loops, but not in many short ones; here they are said. Each of the
eight is treated as it would be alone, so that no result depends on it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numba.core
import numba.extending
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import models, overload, register_model

# numba types these only in part.
cgutils: Any = numba.core.cgutils
intrinsic: Any = numba.extending.intrinsic

LANES = 8
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_ALIGNMENT = 4  # bytes of a float32: a row may begin anywhere


class Lanes(types.Type):
    """Eight float32 in one register."""


_LANES: Any = Lanes("Lanes")


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


def _place(context: Any, builder: Any, array: Any, values: Any) -> Any:
    """Where the numbers of a contiguous matrix begin that stand at a row and a column."""
    matrix = context.make_array(array)(context, builder, values[0])
    width = cgutils.unpack_tuple(builder, matrix.shape)[1]
    at = builder.add(builder.mul(values[1], width), values[2])
    return builder.bitcast(builder.gep(matrix.data, [at]), _VECTOR.as_pointer())


@intrinsic
def load(typing, array, row, column):  # type: ignore[no-untyped-def]
    """Eight numbers of a row of a contiguous float32 matrix, from a column on."""

    def make(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.load(_place(context, builder, signature.args[0], values), align=_ALIGNMENT)

    return _LANES(array, types.intp, types.intp), make


@intrinsic
def store(typing, array, row, column, lanes):  # type: ignore[no-untyped-def]
    """Put eight numbers into a row of a contiguous float32 matrix, from a column on."""

    def make(context, builder, signature, values):  # type: ignore[no-untyped-def]
        builder.store(values[3], _place(context, builder, signature.args[0], values), align=_ALIGNMENT)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, lanes), make


@intrinsic
def _same(typing, number):  # type: ignore[no-untyped-def]
    def make(context, builder, signature, values):  # type: ignore[no-untyped-def]
        nothing, first = ir.Constant(_VECTOR, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(builder.insert_element(nothing, values[0], first), nothing, places)

    return _LANES(types.float32), make


@intrinsic
def farther(typing, reach, lanes):  # type: ignore[no-untyped-def]
    """The larger of each number of `reach` and the size of its partner."""

    def make(context, builder, signature, values):  # type: ignore[no-untyped-def]
        size = builder.call(
            cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.fabs.v{LANES}f32"
            ),
            [values[1]],
        )
        return builder.select(builder.fcmp_ordered(">", size, values[0]), size, values[0])

    return _LANES(_LANES, _LANES), make


def _both(step: str) -> Any:
    @intrinsic
    def of(typing, first, second):  # type: ignore[no-untyped-def]
        def make(context, builder, signature, values):  # type: ignore[no-untyped-def]
            return getattr(builder, step)(*values)

        return _LANES(_LANES, _LANES), make

    return of


def _operate(operation: Callable[[Any, Any], Any], step: str) -> None:
    """Number by number; or the same first number with each."""
    both = _both(step)

    @overload(operation, inline="always")
    def choose(first, second):  # type: ignore[no-untyped-def]
        if isinstance(first, Lanes) and isinstance(second, Lanes):
            return lambda first, second: both(first, second)
        if first == types.float32 and isinstance(second, Lanes):
            return lambda first, second: both(_same(first), second)
        return None


_operate(operator.add, "fadd")
_operate(operator.sub, "fsub")
_operate(operator.mul, "fmul")
