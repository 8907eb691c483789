"""What can go wrong with a model or with what it is given, as one tree.

EncoderError
|-- ModelNotFoundError     the name leads to no model
|-- UnsupportedModelError  a model, but of a kind that mlx_clip does not have
|-- HubError               the model hub does not answer, or a download did not end well
|-- RuntimeChoiceError     the runtime or precision that was asked for cannot be had here
|-- ModelBrokenError       a model's files are incomplete or not what they claim to be
|   |-- ConfigError        its config.json is missing or makes no sense
|   |-- WeightsError       its weights are missing, cut off, or not safe to read
|   |   `-- ShapeError     its weights do not have the shapes that its config asks for
|   `-- TokenizerError     its tokenizer is missing or does not load
`-- InputError             what was given to be encoded cannot be
    |-- EmptyTextError     a text without a word
    |-- TextTooLongError   a text far longer than any model reads
    `-- PictureError       a file that is no picture, or a broken one
"""


class EncoderError(Exception):
    """The root. Every message says what to do."""


class ModelNotFoundError(EncoderError):
    """The name leads to no model."""


class UnsupportedModelError(EncoderError):
    """A model of a kind that mlx_clip does not have; the message lists those that it has."""


class HubError(EncoderError):
    """The model hub does not answer, or a download did not end well."""


class RuntimeChoiceError(EncoderError):
    """The runtime or precision that was asked for cannot be had on this machine."""


class ModelBrokenError(EncoderError):
    """A model's files are incomplete or not what they claim to be."""


class ConfigError(ModelBrokenError):
    """A model's config.json is missing or makes no sense."""


class WeightsError(ModelBrokenError):
    """A model's weights are missing, cut off, or not safe to read."""


class ShapeError(WeightsError):
    """A model's weights do not have the shapes that its config asks for."""


class TokenizerError(ModelBrokenError):
    """A model's tokenizer is missing or does not load."""


class InputError(EncoderError):
    """What was given to be encoded cannot be."""


class EmptyTextError(InputError):
    """A text without a word in it."""


class TextTooLongError(InputError):
    """A text far longer than any model reads."""


class PictureError(InputError):
    """A file that is no picture, or a broken one."""
