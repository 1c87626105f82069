"""Many bytes of a text at a time: what a loop over bytes would take a step each for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic as _intrinsic

# Bytes that one look takes in.
WINDOW = 64
# A kernel calls what this makes without the context that the compiler hands over.
intrinsic: Any = _intrinsic


@intrinsic
def eight(typing: Any, data: Any, at: Any) -> Any:
    """The eight bytes from `at` on as one number, the first byte the lowest; all of them must be there."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(context, builder, signature, arguments, ir.IntType(64))

    return types.uint64(data, types.int64), make


@intrinsic
def word_bits(typing: Any, data: Any, at: Any) -> Any:
    """Which of the `WINDOW` bytes from `at` on are letters or digits of ASCII, as bits; all must be there."""

    def chosen(builder: Any, signs: Any) -> Any:
        return builder.or_(_letters(builder, signs), _among(builder, signs, "0", "9"))

    return types.uint64(data, types.int64), _bits(chosen)


@intrinsic
def letter_bits(typing: Any, data: Any, at: Any) -> Any:
    """Which of them are letters of ASCII."""
    return types.uint64(data, types.int64), _bits(_letters)


@intrinsic
def apostrophe_bits(typing: Any, data: Any, at: Any) -> Any:
    """Which of them are apostrophes of ASCII."""
    return types.uint64(data, types.int64), _bits(lambda builder, signs: _among(builder, signs, "'", "'"))


@intrinsic
def backtick_bits(typing: Any, data: Any, at: Any) -> Any:
    """Which of them are backticks."""
    return types.uint64(data, types.int64), _bits(lambda builder, signs: _among(builder, signs, "`", "`"))


@intrinsic
def beyond_bits(typing: Any, data: Any, at: Any) -> Any:
    """Which of them are no ASCII."""

    def chosen(builder: Any, signs: Any) -> Any:
        return builder.icmp_signed("<", signs, _each(0))

    return types.uint64(data, types.int64), _bits(chosen)


@intrinsic
def number_of(typing: Any, bits: Any) -> Any:
    """How many bits are set."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), make


@intrinsic
def lowest(typing: Any, bits: Any) -> Any:
    """The place of the lowest bit that is set, or 64."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), make


@intrinsic
def behind_highest(typing: Any, bits: Any) -> Any:
    """The place behind the highest bit that is set, or 0."""

    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        free = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))
        return builder.sub(ir.Constant(ir.IntType(64), 64), free)

    return types.int64(types.uint64), make


_SIGNS = ir.VectorType(ir.IntType(8), WINDOW)


def _each(value: int) -> Any:
    return ir.Constant(_SIGNS, [value] * WINDOW)


def _among(builder: Any, signs: Any, first: str, last: str) -> Any:
    return builder.icmp_unsigned(
        "<", builder.sub(signs, _each(ord(first))), _each(ord(last) - ord(first) + 1)
    )


def _letters(builder: Any, signs: Any) -> Any:
    return _among(builder, builder.or_(signs, _each(0x20)), "a", "z")


def _bits(chosen: Callable[[Any, Any], Any]) -> Any:
    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        signs = _load(context, builder, signature, arguments, _SIGNS)
        return builder.bitcast(chosen(builder, signs), ir.IntType(WINDOW))

    return make


def _load(context: Any, builder: Any, signature: Any, arguments: Any, kind: ir.Type) -> Any:
    """What stands at ``data[at]``, read as `kind`, wherever that lies."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    place = builder.gep(array.data, [arguments[1]])
    return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)
