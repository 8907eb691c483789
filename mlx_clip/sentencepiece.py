"""From a SentencePiece model (spiece.model) to a tokenizer of the `tokenizers` library."""

from __future__ import annotations

import importlib
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.models import Unigram
from tokenizers.normalizers import Normalizer, Precompiled, Replace
from tokenizers.normalizers import Sequence as Steps
from tokenizers.pre_tokenizers import Metaspace

from mlx_clip.errors import UnsupportedModelError
from mlx_clip.tokenizer_files import broken


def read_sentencepiece(path: Path) -> Tokenizer:
    """A unigram model, without special tokens being put anywhere.

    What a text cannot be cut into (control tokens, the unknown one) is among the added tokens.
    Raises TokenizerError for a broken file, UnsupportedModelError for a model of another kind.
    """
    proto = importlib.import_module("sentencepiece.sentencepiece_model_pb2")
    model = proto.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
        trainer, pieces = model.trainer_spec, model.pieces
        if trainer.model_type != trainer.UNIGRAM:
            raise UnsupportedModelError(
                f"{path} is not a unigram model, which the SentencePiece model of a SigLIP is"
            )
        tokenizer = Tokenizer(
            Unigram(
                [(piece.piece, piece.score) for piece in pieces],
                trainer.unk_id,
                trainer.byte_fallback,
            )
        )
        tokenizer.normalizer = _normalizer(model.normalizer_spec.precompiled_charsmap)
        tokenizer.pre_tokenizer = Metaspace()
        tokenizer.add_special_tokens(
            [
                AddedToken(piece.piece, normalized=False)
                for piece in pieces
                if piece.type not in (piece.NORMAL, piece.BYTE)
            ]
        )
    except UnsupportedModelError:
        raise
    except Exception as error:  # protobuf and tokenizers raise types of their own making
        raise broken(path, error) from error
    return tokenizer


def _normalizer(charsmap: bytes) -> Normalizer:
    single_spaces = Replace(Regex(" {2,}"), " ")
    return Steps([Precompiled(charsmap), single_spaces]) if charsmap else single_spaces
