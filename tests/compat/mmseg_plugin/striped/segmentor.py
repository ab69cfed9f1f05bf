"""A segmentor with an ``inference`` of its own, written as for mmsegmentation 1.x."""


from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class MirroredSegmentor(EncoderDecoder):

    def inference(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        logits = super().inference(inputs, batch_img_metas)
        assert logits.shape[2:] == inputs.shape[2:]
        mirrored = super().inference(inputs.flip(dims=(3, )), batch_img_metas)
        return (logits + mirrored.flip(dims=(3, ))) / 2
