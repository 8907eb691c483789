"""A reader of the pickles that torch.save writes, which makes tensors and nothing else.

A pickle is a program for a small stack machine, and `pickle.load` runs whatever function it names.
This machine has only the instructions that a state dict is made of (the way of
torch/_weights_only_unpickler.py), knows only the names below, and stands for each of them with a
description: nothing is imported or called. The instructions: Lib/pickletools.py of Python.
"""

from __future__ import annotations

import math
import pickletools
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from pickle import UnpicklingError
from typing import Any

from mlx_clip.stored import DTYPES, is_count, is_shape, span


class Call(Enum):
    """The functions that a state dict calls."""

    DICT = "collections.OrderedDict"
    TENSOR = "torch._utils._rebuild_tensor_v2"
    UNTYPED = "torch._utils._rebuild_tensor_v3"  # of the types that PyTorch 2.3 and later added
    PARAMETER = "torch._utils._rebuild_parameter"


@dataclass(frozen=True)
class Kind:
    """A type of numbers, as mlx_clip.stored names it: a torch dtype, or the type of a storage."""

    name: str


@dataclass(frozen=True)
class Storage:
    """A run of `count` numbers that lie elsewhere in the file, under `key`."""

    key: str
    kind: str
    count: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.count * DTYPES[self.kind].itemsize


@dataclass(frozen=True)
class View:
    """A tensor: some of the numbers of a storage. Offset and strides count elements."""

    storage: Storage
    kind: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_STORAGES = {
    "torch.DoubleStorage": "F64",
    "torch.FloatStorage": "F32",
    "torch.HalfStorage": "F16",
    "torch.BFloat16Storage": "BF16",
    "torch.LongStorage": "I64",
    "torch.IntStorage": "I32",
    "torch.ShortStorage": "I16",
    "torch.CharStorage": "I8",
    "torch.ByteStorage": "U8",
    "torch.BoolStorage": "BOOL",
    "torch.ComplexFloatStorage": "C64",
    "torch.ComplexDoubleStorage": "C128",
    "torch.storage.UntypedStorage": "U8",
}
_DTYPES = {"torch.uint16": "U16", "torch.uint32": "U32", "torch.uint64": "U64"}
_GLOBALS: dict[str, Call | Kind] = {
    **{call.value: call for call in Call},
    **{name: Kind(kind) for name, kind in {**_STORAGES, **_DTYPES}.items()},
}

_OPCODES = {op.code.encode("latin-1"): op for op in pickletools.opcodes}


class Unpickler:
    """Reads pickles from `stream`, one with every `load`.

    A storage is remembered in `storages`, under its key. `load` raises UnpicklingError when the
    pickle asks for anything else than tensors, and what a broken pickle happens to lead to:
    ValueError, LookupError or TypeError. It makes no more objects than the pickle has bytes.
    """

    def __init__(self, stream: BytesIO) -> None:
        self.storages: dict[str, Storage] = {}
        self._stream = stream
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """The object that the next pickle in the stream describes."""
        self._stack, self._marks, self._memo = [], [], {}
        while (op := _OPCODES.get(self._stream.read(1))) and op.name != "STOP":
            self._do(op.name, op.arg.reader(self._stream) if op.arg else None)
        if op is None:
            raise ValueError("its pickle is cut off, too long or no pickle")
        return self._stack.pop()

    def _do(self, instruction: str, argument: Any) -> None:
        stack = self._stack
        match instruction:
            case "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT":
                stack.append(argument)
            case "BINUNICODE" | "SHORT_BINUNICODE":
                stack.append(argument)
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(instruction == "NEWTRUE")
            case "MARK":
                self._marks.append(len(stack))
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(_take(stack, len(stack) - int(instruction[-1]))))
            case "TUPLE":
                stack.append(tuple(_take(stack, self._marks.pop())))
            case "EMPTY_LIST":
                stack.append([])
            case "APPEND":
                _extend(stack[-2], [stack.pop()])
            case "APPENDS":
                items = _take(stack, self._marks.pop())
                _extend(stack[-1], items)
            case "EMPTY_DICT":
                stack.append({})
            case "SETITEM":
                items = _take(stack, len(stack) - 2)
                _update(stack[-1], items)
            case "SETITEMS":
                items = _take(stack, self._marks.pop())
                _update(stack[-1], items)
            case "GLOBAL":
                stack.append(_known(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                stack.append(_known(*_take(stack, len(stack) - 2)))
            case "BINPERSID":
                stack.append(self._storage(stack.pop()))
            case "REDUCE":
                stack.append(_call(*_take(stack, len(stack) - 2)))
            case "BUILD":
                # The versions of a module's parts, hung on the state dict: of no use here.
                _update(stack[-2], [])
                stack.pop()
            case "PROTO" | "FRAME":
                pass
            case _:
                named = f" of {argument!r:.80}" if isinstance(argument, str) else ""
                raise UnpicklingError(f"uses the instruction {instruction}{named}")

    def _storage(self, identity: object) -> Storage:
        match identity:
            case ("storage", Kind(kind), str(key), str(), int(count)):
                pass
            case ("storage", Kind(kind), str(key), str(), int(count), None):
                pass
            case _:
                raise UnpicklingError("refers to something that is no storage of tensors")
        storage = self.storages.setdefault(key, Storage(key, kind, count))
        if storage != Storage(key, kind, count):
            raise ValueError(f"it contradicts itself about the storage {key!r:.80}")
        return storage


def _take(stack: list[Any], start: int) -> list[Any]:
    """Take everything from `start` on off the stack."""
    items = stack[start:]
    del stack[start:]
    return items


def _extend(target: object, items: list[Any]) -> None:
    if type(target) is not list:
        raise TypeError("it appends to what is no list")
    target.extend(items)


def _update(target: object, items: list[Any]) -> None:
    keys = items[::2]
    # No other keys: to hash tuples nested a million deep would overflow the C stack.
    if type(target) is not dict or not all(type(key) in (str, int) for key in keys):
        raise TypeError("it fills what is no dictionary of names")
    target.update(zip(keys, items[1::2], strict=True))


def _known(module: object, name: object) -> Call | Kind:
    if not isinstance(module, str) or not isinstance(name, str):
        raise TypeError("it asks for something without a name")
    if (full := f"{module}.{name}") not in _GLOBALS:
        raise UnpicklingError(f"asks for {full!r:.80}")
    return _GLOBALS[full]


def _call(function: object, arguments: object) -> dict[Any, Any] | View:
    match function, arguments:
        case Call.DICT, ():
            return {}
        case Call.PARAMETER, (View() as view, _, _):
            return view
        case Call.TENSOR, (Storage() as storage, offset, shape, strides, _, _):
            return _view(storage, storage.kind, offset, shape, strides)
        case Call.UNTYPED, (Storage() as storage, offset, shape, strides, _, _, Kind(kind)):
            return _view(storage, kind, offset, shape, strides)
    called = function.value if isinstance(function, Call) else type(function).__name__
    raise UnpicklingError(f"calls {called} in a way that makes no plain tensor")


def _view(storage: Storage, kind: str, offset: Any, shape: Any, strides: Any) -> View:
    if not is_shape(shape) or not isinstance(strides, tuple) or len(strides) != len(shape):
        raise ValueError("it has a tensor of an impossible shape")
    if not all(is_count(n) for n in (offset, *strides)):
        raise ValueError("it has a tensor with impossible strides")
    count = span(shape, strides)
    if count and (offset + count) * DTYPES[kind].itemsize > storage.size:
        raise ValueError("it has a tensor that reaches outside of its storage")
    # With a stride of 0, a few bytes could claim to be terabytes.
    if math.prod(shape) > count:
        raise ValueError("it has a tensor that is larger than its storage")
    return View(storage, kind, offset, tuple(shape), strides)
