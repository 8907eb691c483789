"""The parts of the starter model's build that need neither PyTorch nor its ingredients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tools.starter.corpora import caption_of, clean_titles
from tools.starter.debian import PackageError, unpacked
from tools.starter.graph import Array, model_of, session
from tools.starter.hypernyms import HYPERNYMS, class_numbers
from tools.starter.minilm import LAYERS, WIDTH
from tools.starter.quantise import quantise, rounded
from tools.starter.recall import chance, found, probability_of_fewer, same_folder
from tools.starter.text_graph import text_graph


def bert(seed: int) -> dict[str, Array]:
    """Weights in the shapes of all-MiniLM-L6-v2, with a small vocabulary."""
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> Array:
        return rng.normal(0, 0.05, shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": some(50, WIDTH),
        "embeddings.position_embeddings.weight": some(512, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + some(WIDTH),
        "embeddings.LayerNorm.bias": some(WIDTH),
    }
    for layer in range(LAYERS):
        dense = {
            "attention.self.query": (WIDTH, WIDTH),
            "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH),
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (WIDTH, 4 * WIDTH),
            "output.dense": (4 * WIDTH, WIDTH),
        }
        for name, shape in dense.items():
            weights[f"encoder.layer.{layer}.{name}.weight"] = some(*shape)
            weights[f"encoder.layer.{layer}.{name}.bias"] = some(shape[1])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights[f"encoder.layer.{layer}.{name}.weight"] = 1 + some(WIDTH)
            weights[f"encoder.layer.{layer}.{name}.bias"] = some(WIDTH)
    return weights


def encode(model: onnx.ModelProto, ids: list[list[int]], mask: list[list[int]]) -> Array:
    inputs = {"input_ids": np.array(ids), "attention_mask": np.array(mask)}
    return np.asarray(session(model).run(None, inputs)[0])


@pytest.fixture(scope="module")
def graph() -> onnx.ModelProto:
    return text_graph(bert(1), np.zeros(WIDTH, np.float32), np.eye(WIDTH, dtype=np.float32), 192)


def test_a_text_has_no_looks_and_length_one(graph: onnx.ModelProto) -> None:
    (vector,) = encode(graph, [[1, 2, 3]], [[1, 1, 1]])
    assert vector.shape == (192 + WIDTH,)
    assert not vector[:192].any()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("small", [False, True], ids=["float32", "int8"])
def test_padding_changes_no_vector(graph: onnx.ModelProto, small: bool) -> None:
    model = quantise(graph) if small else graph
    alone = encode(model, [[1, 2, 3]], [[1, 1, 1]])
    padded = encode(model, [[1, 2, 3, 0, 0], [7, 6, 5, 4, 3]], [[1, 1, 1, 0, 0], [1] * 5])
    np.testing.assert_allclose(padded[0], alone[0], atol=1e-6)


def test_the_order_of_words_matters(graph: onnx.ModelProto) -> None:
    one, other = encode(graph, [[1, 2, 3], [3, 2, 1]], [[1, 1, 1]] * 2)
    assert np.abs(one - other).max() > 1e-4


def test_int8_weights_leave_a_vector_where_it_was(graph: onnx.ModelProto) -> None:
    small = quantise(graph)
    assert small.ByteSize() < graph.ByteSize() / 3.8
    before, after = (encode(model, [[1, 2, 3, 4]], [[1] * 4]) for model in (graph, small))
    assert float((before * after).sum()) > 0.999


def test_what_is_int8_already_loses_nothing() -> None:
    weight = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)
    values, scale = rounded(weight, axis=1)
    again, _ = rounded(values * scale, axis=1)
    np.testing.assert_array_equal(again, values)


def test_each_output_of_a_convolution_has_its_own_scale() -> None:
    kernel = np.ones((64, 16, 1, 1), np.float32) * (10.0 ** -np.arange(64))[:, None, None, None]
    model = model_of(
        "g (float[n, 16, 4, 4] x) => (float[n, 64, 4, 4] y)",
        "y = Conv(x, kernel)",
        {"kernel": kernel.astype(np.float32)},
    )
    stored = {item.name: numpy_helper.to_array(item) for item in quantise(model).graph.initializer}
    assert set(stored) == {"kernel_int8", "kernel_scale"}
    assert stored["kernel_scale"].shape == (64, 1, 1, 1)


def test_an_authors_name_is_cut_off_a_title() -> None:
    stems = ["old_tree_jane_roe_01", "red_car_jane_roe_02", "dog_jane_roe_01", "fish_3", "big_cat"]
    assert clean_titles(stems) == ["old tree", "red car", "dog", "fish", "big cat"]


@pytest.mark.parametrize(
    ("stem", "caption"),
    [("tajMahal", "taj mahal"), ("polar_bear", "polar bear"), ("hammer3", "hammer")],
)
def test_a_file_name_becomes_a_caption(stem: str, caption: str) -> None:
    assert caption_of(stem) == caption


def test_hypernyms_are_of_classes_that_there_are() -> None:
    assert class_numbers("7-9,12") == [7, 8, 9, 12]
    assert all(0 <= number < 1000 for _, text in HYPERNYMS for number in class_numbers(text))


def test_recall_counts_any_picture_of_the_caption() -> None:
    pictures = np.eye(3, dtype=np.float32)
    captions = ["cat", "dog", "dog"]
    texts = np.array([[0.5, 0.9, 0.1], [0.2, 0.1, 0.9]], np.float32)
    assert found(["cat", "dog"], texts, captions, pictures, 1).tolist() == [0, 1]
    assert found(["cat", "dog"], texts, captions, pictures, 2).tolist() == [1, 1]
    assert chance(["cat", "dog"], captions, 1) == pytest.approx((1 / 3 + 2 / 3) / 2)


def test_neighbours_are_asked_for_in_large_folders_alone() -> None:
    near, far = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    pictures = np.stack([near] * 11 + [far] * 2)
    assert same_folder(["a"] * 11 + ["b"] * 2, pictures).tolist() == [1.0] * 11


def test_a_fall_is_told_from_chance() -> None:
    assert probability_of_fewer(worse=2, better=1) == pytest.approx(0.5)
    assert probability_of_fewer(worse=9, better=1) < 0.05
    assert probability_of_fewer(worse=0, better=0) == 1


def test_a_machine_without_apt_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PackageError, match="--debian"):
        unpacked("gcompris-qt-data", tmp_path)
