"""What can go wrong with a model, as one tree.

EncoderError
|-- ModelNotFoundError   no such model here
`-- ModelBrokenError     its files are there, but not as they should be
"""


class EncoderError(Exception):
    """The root. Every message says what to do."""


class ModelNotFoundError(EncoderError):
    """The name leads to no model."""


class ModelBrokenError(EncoderError):
    """A model's files are incomplete or not what they claim to be."""
