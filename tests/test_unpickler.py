"""Wicked checkpoints: whatever a pickle asks for, nothing of it is run."""

from __future__ import annotations

import copyreg
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlx_clip.errors import WeightsError
from mlx_clip.pickled import read_pickled
from tests.pickles import FORMATS, part, save, state_dict

COMMAND = "touch pwned"
CALL = part((COMMAND,)) + b"R"
ORDERED = b"ccollections\nOrderedDict\n)R"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
PARAMETER = b"ctorch._utils\n_rebuild_parameter\n"
FLOATS = b"ctorch\nFloatStorage\n"


class Evil:
    """A pickle of this runs a command when it is read with pickle.load."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def reduced() -> Iterator[tuple[str, bytes]]:
    """What Python's own pickle writes, under its every protocol."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield r"system'", pickle.dumps(Evil(os.system, COMMAND), protocol)
        yield r"\.eval'", pickle.dumps(Evil(eval, "open('pwned', 'w')"), protocol)
    yield r"\.getattr'", pickle.dumps(Evil(getattr, Evil(__import__, "os"), "system"), 2)


def assembled() -> Iterator[tuple[str, bytes]]:
    """What only a hand can write."""
    system = b"cos\nsystem\n"
    yield "INST of 'os system'", b"(" + part(COMMAND) + b"ios\nsystem\n."
    yield "'os.system'", b"(" + system + part(COMMAND) + b"o."
    yield "'os.system'", b"\x80\x04\x8c\x02os\x8c\x06system\x93" + CALL + b"."
    yield "without a name", b"\x80\x02" + part("os") + ORDERED + b"\x93" + CALL + b"."
    yield "EXT1", b"\x80\x02\x82\x66" + CALL + b"."
    yield "EXT2", b"\x80\x02\x83\x66\0" + CALL + b"."
    yield "EXT4", b"\x80\x02\x84\x66\0\0\0" + CALL + b"."
    yield "'os.system'", b"\x80\x02" + ORDERED + system + CALL + b"b."
    yield "'os.system'", b"\x80\x02" + ORDERED + part("a") + system + CALL + b"s."
    yield "'os.system'", b"\x80\x02(" + part("storage") + system + CALL + b"tQ."
    yield "'__builtin__.eval'", b"\x80\x02c__builtin__\neval\n" + CALL + b"."
    yield "'torch.load'", b"\x80\x02ctorch\nload\n" + CALL + b"."
    yield "'os.system FloatStorage'", b"\x80\x02cos\nsystem FloatStorage\n" + CALL + b"."
    yield "__globals__", b"\x80\x02ctorch._utils\n_rebuild_tensor_v2.__globals__\n."
    yield "'torch.FloatStorage.__class__'", b"\x80\x02ctorch.FloatStorage\n__class__\n."
    yield "calls torch._utils._rebuild_tensor_v2", b"\x80\x02" + REBUILD + CALL + b"."
    yield "calls torch._utils._rebuild_parameter", b"\x80\x02" + PARAMETER + CALL + b"."
    yield "calls collections.OrderedDict", b"\x80\x02ccollections\nOrderedDict\n" + CALL + b"."
    yield "calls Kind", b"\x80\x02" + FLOATS + CALL + b"."
    yield "calls dict", b"\x80\x02" + ORDERED + CALL + b"."
    yield "NEWOBJ", b"\x80\x02ccollections\nOrderedDict\n)\x81."
    yield "refers to", b"\x80\x02(" + part("module") + FLOATS + part("a") + part("b") + b"tQ."
    yield "PERSID", b"Pstorage\n."
    yield "no dictionary", b"\x80\x02" + REBUILD + part({"__code__": 1}) + b"b."
    yield "no dictionary", b"\x80\x02" + FLOATS + part("name") + part("F64") + b"s."
    yield "no list", b"\x80\x02" + ORDERED + part(1) + b"a."


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("named", "pickled"), [*reduced(), *assembled()])
def test_whatever_is_no_tensor_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, named: str, pickled: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    path = save(tmp_path / "model.bin", form, pickled, {})
    copyreg.add_extension("os", "system", 0x66)
    try:
        with pytest.raises(WeightsError, match=f"{path} .*{named}"):
            read_pickled(path)
    finally:
        copyreg.remove_extension("os", "system", 0x66)
    assert os.listdir(tmp_path) == ["model.bin"]


def test_the_first_of_these_would_have_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pickle.loads(next(reduced())[1])
    assert os.listdir(tmp_path) == ["pwned"]


@pytest.mark.parametrize("form", FORMATS)
def test_wickedness_beside_good_tensors_is_refused(tmp_path: Path, form: str) -> None:
    good = state_dict(form, 1, shape=(1,)).removesuffix(b".")
    pickled = good + part("b") + b"cos\nsystem\n" + CALL + b"s."
    path = save(tmp_path / "model.bin", form, pickled, {"0": bytes(4)})
    with pytest.raises(WeightsError, match="nothing of it was run"):
        read_pickled(path)


def test_the_other_pickles_of_an_old_file_are_read_as_warily(tmp_path: Path) -> None:
    evil = pickle.dumps(Evil(os.system, COMMAND), 2)
    good = save(tmp_path / "model.bin", "legacy", b"\x80\x02}.", {}).read_bytes()
    starts = [at for at in range(len(good)) if good.startswith(b"\x80\x02", at)]
    for at in starts:
        (tmp_path / "model.bin").write_bytes(good[:at] + evil + good[at:])
        with pytest.raises(WeightsError, match="system'"):
            read_pickled(tmp_path / "model.bin")
    assert len(starts) == 5


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "pickled",
    [
        pytest.param(b"]r\xff\xff\xff\xff0.", id="a memo of four billion"),
        pytest.param(b"\x80\x02" + b"(" * 100_000 + b"t" * 99_999 + b"N.", id="nested tuples"),
        pytest.param(b"}" + b")" + b"\x85" * 200_000 + b"Ns.", id="a key nested deep"),
        pytest.param(b"X\xff\xff\xff\xffa.", id="a text of four gigabytes"),
        pytest.param(b"\x8a\xff" + b"\xff" * 255 + b".", id="a number, too large"),
        pytest.param(b"]q\0h\0a.", id="a list in itself"),
        pytest.param(b"\x80\x02]" + b"q\0(h\0h\0e" * 40 + b".", id="a list doubled again"),
    ],
)
def test_what_would_take_all_memory_or_overflow_the_stack(
    tmp_path: Path, form: str, pickled: bytes
) -> None:
    path = save(tmp_path / "model.bin", form, pickled, {})
    with pytest.raises(WeightsError):
        read_pickled(path)


def test_the_keys_of_an_old_file_are_texts(tmp_path: Path) -> None:
    path = save(tmp_path / "model.bin", "legacy", b"\x80\x02}.", {})
    path.write_bytes(
        path.read_bytes()[: -len(b"\x80\x02]q\0.")] + b"])" + b"\x85" * 200_000 + b"a."
    )
    with pytest.raises(WeightsError):
        read_pickled(path)
