"""`python -m tools.starter [FOLDER]`: build the starter model into a folder. `make starter`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import onnx

from tools.starter import corpora, debian
from tools.starter.backbone import read_backbone
from tools.starter.debian import PackageError, unpacked
from tools.starter.features import features_of
from tools.starter.fit import LOOKS, fitted, unlike
from tools.starter.image_graph import LOOKS_SHARE, image_graph
from tools.starter.ingredients import licences
from tools.starter.minilm import MAX_TOKENS, WIDTH, read_tokenizer, read_weights
from tools.starter.pictures import BACKGROUND, MEAN, SCALE, SIZE
from tools.starter.quantise import quantise
from tools.starter.rounding import rounding
from tools.starter.sentences import Sentences
from tools.starter.text_graph import text_graph

ARTEFACTS = Path(__file__).resolve().parent.parent.parent / "artefacts" / "starter"


def main() -> None:
    """Build image.onnx, text.onnx, tokenizer.json and config.json."""
    parser = argparse.ArgumentParser(prog="python -m tools.starter", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ARTEFACTS / "model")
    parser.add_argument("--debian", type=Path, default=ARTEFACTS / "debian", metavar="FOLDER")
    options = parser.parse_args()
    for licence in licences():
        print(f"{licence.package}: {licence.stated} ({licence.where})")
    try:
        build(options.folder, options.debian)
    except PackageError as error:
        parser.exit(1, f"{error}\n")


def build(folder: Path, packages: Path) -> None:
    """Write the four files."""
    started = time.monotonic()
    drawings = corpora.openclipart(unpacked(debian.OPENCLIPART, packages))
    measured_with = [
        corpora.tuxpaint(unpacked(debian.TUXPAINT, packages)),
        corpora.gcompris(unpacked(debian.GCOMPRIS, packages)),
    ]
    backbone, bert, tokenizer = read_backbone(), read_weights(), read_tokenizer()
    features = features_of(drawings, backbone.model)
    keep = unlike(features, [features_of(some, backbone.model) for some in measured_with])
    kept = [item for item, wanted in zip(drawings, keep, strict=True) if wanted]
    print(f"{len(drawings)} drawings; left out, as they are also measured with: {(~keep).sum()}")
    sentences = Sentences(bert, tokenizer)
    fit = fitted(features[keep], kept, backbone.classifier, sentences)
    image = quantise(image_graph(backbone.model, fit))
    text = quantise(text_graph(bert, fit.centre, fit.whitening, visual=LOOKS))
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(image, folder / "image.onnx")
    onnx.save(text, folder / "text.onnx")
    _write(folder / "tokenizer.json", tokenizer, indent=None)
    _write(folder / "config.json", _config(), indent=1)
    print(rounding(image, text, fit, kept[::200], backbone.model, sentences))
    print(f"Built in {(time.monotonic() - started) / 60:.0f} minutes: {folder}")


def _config() -> dict[str, object]:
    """What programs need to know of the model: see mlx_clip.onnx_encoder."""
    return {
        "name": "starter-lite2-minilm",
        "dim": LOOKS + WIDTH,
        "visual_dims": [0, LOOKS],
        "text_dims": [LOOKS, LOOKS + WIDTH],
        "a": LOOKS_SHARE,
        "image": {
            "file": "image.onnx",
            "size": SIZE,
            "layout": "NCHW",
            "dtype": "float32",
            "color": "RGB",
            "background": BACKGROUND,
            "resize": "composite alpha on white; pad to centred square with white; "
            f"bicubic resize to {SIZE}x{SIZE}",
            "mean": [MEAN / 255] * 3,
            "std": [SCALE / 255] * 3,
            "pixel_formula": f"(uint8-{MEAN})/{SCALE}",
        },
        "text": {
            "file": "text.onnx",
            "tokenizer": "tokenizer.json",
            "max_length": MAX_TOKENS,
            "inputs": ["input_ids", "attention_mask"],
        },
    }


def _write(path: Path, content: object, indent: int | None) -> None:
    separators = None if indent else (",", ":")
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=separators)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
