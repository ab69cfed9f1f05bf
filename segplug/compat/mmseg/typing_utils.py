"""The aliases that annotations of mmsegmentation's code use."""

from collections.abc import Sequence

import torch
from mmengine.config import ConfigDict

from ...structures import SegDataSample

ConfigType = ConfigDict | dict
OptConfigType = ConfigType | None
MultiConfig = ConfigType | Sequence[ConfigType]
OptMultiConfig = MultiConfig | None

SampleList = Sequence[SegDataSample]
OptSampleList = SampleList | None

TensorDict = dict[str, torch.Tensor]
TensorList = Sequence[torch.Tensor]
ForwardResults = TensorDict | list[SegDataSample] | tuple[torch.Tensor] | torch.Tensor
