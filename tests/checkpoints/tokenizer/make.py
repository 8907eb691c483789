"""What wrote the tokenizers here, and the ids that their references give.

python -m tests.checkpoints.tokenizer.make, with open_clip 3.3.0, transformers 5.23.0 and
sentencepiece 0.2.3. Those of SigLIP and SigLIP 2 it trains anew, to others as good.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from transformers import CLIPTokenizer, GemmaTokenizer, Siglip2Tokenizer, T5Tokenizer

from parity import reference_tokenizers as reference
from tests.checkpoints.tokenizer.train import gemma, parsed, sentencepiece_model
from tests.texts import texts

HERE = Path(__file__).parent
_MERGES = 2000
_CLIP_TEXTS, _SIGLIP_TEXTS = 2500, 1200
# All of nmt_nfkc would be two thirds of everything here; make parity has it.
_RULES = (
    *((c, c - 0xFEE0) for c in range(0xFF01, 0xFF5F)),
    *((c, 0x20) for c in (0x09, 0x0A, 0x0D, 0xA0, 0x1680, *range(0x2000, 0x200F), 0x2028, 0x3000)),
    *((c, None) for c in (*range(1, 9), 0x0B, *range(0x0E, 0x20), 0x7F, 0xAD, 0xFEFF)),
)


def main() -> None:
    """Write every folder, the texts, and the ids expected of them."""
    some = texts(_CLIP_TEXTS, seed=2026)
    few = some[:_SIGLIP_TEXTS]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        expected = {"clip": clip(work, some), "siglip": siglip(work, few), "siglip2": gemmas(few)}
    np.savez_compressed(HERE / "expected.npz", **expected)
    _write(HERE / "texts.json.gz", json.dumps(some).encode())


def clip(work: Path, some: list[str]) -> Any:
    """clip and clip-openai: the first merges of CLIP's, in both layouts."""
    merges = list(reference.open_clip_tokenizer().bpe_ranks)[:_MERGES]
    with gzip.open(work / "merges.gz", "wb") as stream:
        stream.write("\n".join(["#", *map(" ".join, merges)]).encode())
    tokenizer = reference.open_clip_tokenizer(work / "merges.gz")
    reference.write_openai(tokenizer, work)
    vocab = json.loads((work / "vocab.json").read_text(encoding="utf-8"))
    CLIPTokenizer(vocab, merges).save_pretrained(work / "library")
    _keep("clip-openai", work / "vocab.json", work / "merges.txt")
    _keep("clip", *(work / "library").iterdir())
    return tokenizer(some).numpy().astype(np.uint16)


def siglip(work: Path, some: list[str]) -> Any:
    """siglip and siglip-library: a unigram model, and what transformers makes of it for T5."""
    rules = "".join(f"{source:X}\t{f'{to:X}' if to else ''}\n" for source, to in _RULES)
    (work / "rules.tsv").write_text(rules, encoding="utf-8")
    model = parsed(sentencepiece_model(1500, normalization_rule_tsv=str(work / "rules.tsv")))
    model.normalizer_spec.ClearField("normalization_rule_tsv")  # where it lay, and lies no more
    (work / "spiece.model").write_bytes(model.SerializeToString())
    ids = reference.siglip_tokenizer(work)(some).astype(np.uint16)
    _keep("siglip", work / "spiece.model", work / "tokenizer_config.json")
    (work / "tokenizer_config.json").unlink()
    t5 = T5Tokenizer.from_pretrained(work, extra_ids=0, pad_token="</s>")
    t5.save_pretrained(work / "t5")
    _keep("siglip-library", *(work / "t5").iterdir())
    return ids


def gemmas(some: list[str]) -> Any:
    """siglip2: a small BPE like Gemma's, saved as a GemmaTokenizer, as those on the Hub were."""
    trained = gemma(1500)
    with tempfile.TemporaryDirectory() as name:
        GemmaTokenizer(*trained, **reference.SIGLIP2).save_pretrained(name)
        _keep("siglip2", *Path(name).iterdir())
    return reference.padded(Siglip2Tokenizer(*trained, **reference.SIGLIP2))(some).astype(np.uint16)


def _keep(layout: str, *paths: Path) -> None:
    folder = HERE / layout
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in paths:
        _write(folder / f"{path.name}.gz", path.read_bytes())


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    main()
