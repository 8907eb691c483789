"""SigLIP 2's text: lower-cased, then Gemma's BPE with byte fallback.

As transformers' Siglip2Tokenizer, with what the model was trained on: an end token, no token at the
beginning (open_clip 3.3, `SigLipTokenizer`). Most checkpoints name a GemmaTokenizer, which does not
lower-case; the paper (https://arxiv.org/abs/2502.14786, section 2.1) does.
"""

from __future__ import annotations

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.normalizers import Lowercase, Replace, Sequence

from mlx_clip.errors import UnsupportedModelError
from mlx_clip.tokenizer_files import TokenizerFiles, end_with, read_tokenizer, token_id


def read_siglip2(files: TokenizerFiles) -> tuple[Tokenizer, int]:
    """The tokenizer of a SigLIP 2 checkpoint, and the id that it pads with.

    From tokenizer.json. Raises TokenizerError when there is none or it makes no sense,
    UnsupportedModelError for a tokenizer of another kind.
    """
    path = files.path(("tokenizer.json",))
    tokenizer = read_tokenizer(path)
    if not isinstance(tokenizer.model, BPE) or not tokenizer.model.byte_fallback:
        raise UnsupportedModelError(f"{path} is not the tokenizer of Gemma, as SigLIP 2's is")
    tokenizer.normalizer = Sequence([Lowercase(), Replace(" ", "▁")])
    end_with(tokenizer, files.token("eos_token", "<eos>"), path)
    return tokenizer, token_id(tokenizer, files.token("pad_token", "<pad>"), path)
