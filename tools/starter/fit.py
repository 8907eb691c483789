"""Everything that is fitted: how a picture's features become a place among sentences.

No gradient descent: two sums of sentence vectors, one ridge regression and two singular value
decompositions, all over features that are computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.starter.classes import class_vectors, read_classes
from tools.starter.colour import COLOURS
from tools.starter.corpora import Captioned
from tools.starter.features import Features
from tools.starter.graph import Array
from tools.starter.sentences import Sentences, unit

LOOKS = 192
"""The dimensions of the visual part."""

COLOUR_WEIGHT = 0.25

_ALIKE = 0.85
_RIDGE = 3000.0
_FOLDER_WEIGHT = 0.25
_WHITENING = 0.25


@dataclass(frozen=True)
class Fit:
    """The fitted numbers. "Words" are 384 dimensions, centred and whitened.

    Args:
        centre: (384,): what all class names have in common.
        whitening: (384, 384).
        class_words: (1000, 384): the place of each class.
        feature_mean: (1280,)
        feature_to_words: (1280, 384): from features less their mean to their place.
        feature_to_looks: (1280, 192): from features less their mean to how the picture looks.
        colour_mean: (11,): the colours of an average picture.
        colour_words: (11, 384): the place of each colour.
    """

    centre: Array
    whitening: Array
    class_words: Array
    feature_mean: Array
    feature_to_words: Array
    feature_to_looks: Array
    colour_mean: Array
    colour_words: Array

    def texts(self, sentences: Array) -> Array:
        """Sentence vectors (n, 384) -> the semantic part of a text's vector (n, 384)."""
        return unit((sentences - self.centre) @ self.whitening)

    def shown(self, pictures: Features) -> Array:
        """What pictures show: the semantic part (n, 384).

        Two estimates, as neither is good alone: the classes that the network names, weighted by
        its certainty, which are right when it is sure; and the regression, which also reaches
        what is no class of ImageNet. To their sum the colours are added.
        """
        by_class = unit(_softmax(pictures.logits) @ self.class_words)
        by_feature = unit((pictures.features - self.feature_mean) @ self.feature_to_words)
        by_colour = unit((pictures.colours - self.colour_mean) @ self.colour_words)
        return unit(unit(by_class + by_feature) + COLOUR_WEIGHT * by_colour)

    def looks(self, pictures: Features) -> Array:
        """How pictures look: the visual part (n, 192)."""
        return unit((pictures.features - self.feature_mean) @ self.feature_to_looks)


def unlike(pictures: Features, others: Sequence[Features]) -> NDArray[np.bool_]:
    """Which of `pictures` have no likeness among any of `others`.

    The drawings of one set are found again in another; what the model is measured with must not
    have been seen in the fit.
    """
    mean = pictures.features.mean(0)
    ours = unit(pictures.features - mean)
    nearest = [(ours @ unit(other.features - mean).T).max(1) for other in others]
    keep: NDArray[np.bool_] = np.max(nearest, axis=0) <= _ALIKE
    return keep


def fitted(
    pictures: Features, captions: Sequence[Captioned], classifier: Array, sentences: Sentences
) -> Fit:
    """The model's numbers from captioned pictures, the classifier's rows and the class names."""
    classes = read_classes()
    names = sentences(item.name for item in classes)
    centre = names.mean(0)
    class_words = class_vectors(classes, sentences, names, centre)
    titles = _titles(captions, sentences, centre)
    mean = pictures.features.mean(0)
    whitening = _whitening(np.concatenate([class_words, titles]))
    to_words = _regression(pictures.features - mean, titles, classifier, class_words)
    colours = unit((sentences(COLOURS) - centre) @ whitening)
    return Fit(
        centre=centre,
        whitening=whitening,
        class_words=class_words @ whitening,
        feature_mean=mean,
        feature_to_words=to_words @ whitening,
        feature_to_looks=_principal_axes(pictures.features - mean),
        colour_mean=pictures.colours.mean(0),
        colour_words=colours - colours.mean(0),
    )


def _titles(captions: Sequence[Captioned], sentences: Sentences, centre: Array) -> Array:
    """A drawing's place: its title's, and a quarter of the name of the folder it is filed in."""
    titles = sentences(item.caption for item in captions)
    folders = sentences(item.folder.rpartition("/")[2].replace("_", " ") for item in captions)
    return unit(unit(titles - centre) + _FOLDER_WEIGHT * unit(folders - centre))


def _regression(features: Array, titles: Array, classifier: Array, class_words: Array) -> Array:
    """Ridge regression (1280, 384) from features, less their mean, to places among sentences.

    A row of the classifier is what the features of its class ideally look like. So besides the
    drawings with their titles, each row is an example whose place is its class's: this holds the
    regression to a thousand things of which there is no drawing.
    """
    scale = features.std(0) + np.float32(0.05)  # features that hardly vary are not blown up
    drawn = features / scale
    ideal = classifier - classifier.mean(0)
    ideal = ideal / ideal.std()
    squares = drawn.T @ drawn + ideal.T @ ideal + _RIDGE * np.eye(len(scale))
    solved = np.linalg.solve(squares, drawn.T @ titles + ideal.T @ class_words)
    return np.asarray(solved / scale[:, None], np.float32)


def _whitening(places: Array) -> Array:
    """(384, 384), symmetric: each principal axis times its strength to the power -0.25.

    Among sentences, a few directions dominate and draw everything together. Whitening wholly
    (-0.5) would make as much of the noise as of the meaning; -0.25 is half the way. The 0.05 keeps
    axes in which there is nothing from being blown up.
    """
    _, strength, axes = np.linalg.svd(places - places.mean(0), full_matrices=False)
    factors = (strength / strength[0] + 0.05) ** -_WHITENING
    return np.asarray((axes.T * factors) @ axes, np.float32)


def _principal_axes(features: Array) -> Array:
    """(1280, 192): PCA. Picture against picture, 192 numbers do as well as all 1,280."""
    _, _, axes = np.linalg.svd(features, full_matrices=False)
    return np.ascontiguousarray(axes[:LOOKS].T)


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    shares: Array = powers / powers.sum(1, keepdims=True)
    return shares
