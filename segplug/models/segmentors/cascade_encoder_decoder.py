"""The segmentor of decode heads in a row, each of which sees the logits of the one before."""

import torch
from torch import nn

from ...errors import ConfigError
from ...registry import MODELS
from ...structures import SegDataSample
from .. import val_loss
from ..layers import extends
from .encoder_decoder import EncoderDecoder


@MODELS.register_module()
class CascadeEncoderDecoder(EncoderDecoder):
    """Encoder and a cascade of decoders; the last one is tested, all of them train.

    In training each head runs once: what it has its loss of is what the next one sees.
    mmsegmentation runs it twice, which gives the same gradients, but moves the running statistics
    of its batch norms twice, and dropout differs between both runs.

    Args:
        num_stages: Number of decode heads.
        decode_head: As many heads; the first takes levels, the others are
            `BaseCascadeDecodeHead` and take levels and logits.
        Others as for `EncoderDecoder`.

    Raises:
        ConfigError: For another number of heads than ``num_stages``.
    """

    @extends(EncoderDecoder)
    def __init__(self, num_stages: int, backbone: dict, decode_head: list[dict], *rest,
                 **options) -> None:
        self.num_stages = num_stages
        super().__init__(backbone, decode_head, *rest, **options)

    def _init_decode_head(self, decode_head: list[dict]) -> None:
        if not isinstance(decode_head, (list, tuple)) or len(decode_head) != self.num_stages:
            raise ConfigError('A cascade has a decode_head for each stage.',
                              got=f'{len(decode_head)} heads' if isinstance(
                                  decode_head, (list, tuple)) else type(decode_head).__name__,
                              expected=f'a list of {self.num_stages}', culprit='decode_head')
        self.decode_head = nn.ModuleList(MODELS.build(cfg) for cfg in decode_head)
        self.align_corners = self.main_head.align_corners
        self.num_classes = self.main_head.num_classes
        self.out_channels = self.main_head.out_channels

    @property
    def main_head(self) -> nn.Module:
        """The last head of the cascade."""
        return self.decode_head[-1]

    def decode(self, levels, batch_img_metas: list[dict]) -> torch.Tensor:
        """What the heads see -> the last head's logits (N, K, h, w)."""
        before = ()
        for head in self.decode_head:
            before = (head.predict(levels, *before, batch_img_metas, self.test_cfg),)
        return before[0]

    def _forward(self, inputs: torch.Tensor,
                 data_samples: list[SegDataSample] | None = None) -> torch.Tensor:
        return self.encode_decode(inputs, val_loss.metas(inputs))

    def _stages(self) -> dict[str, nn.Module]:
        return {f'decode_{i}': head for i, head in enumerate(self.decode_head)}

    def _heads(self) -> dict[str, nn.Module]:
        return {**self._stages(), **self._auxiliary_heads()}

    def _decode_head_forward_train(self, inputs, data_samples: list[SegDataSample]
                                   ) -> dict[str, torch.Tensor]:
        """Levels and samples -> each loss, named 'decode_0.loss_ce', 'decode_1.loss_ce' ..."""
        # In training the labels are padded like the images.
        labels = torch.stack([sample.gt_sem_seg.data for sample in data_samples])
        return self._cascade_losses(inputs, data_samples, val_loss.metas(labels))

    def _cascade_losses(self, levels, data_samples: list[SegDataSample], metas: list[dict],
                        logits: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        """The losses of each stage.

        Args:
            levels: What the heads see.
            data_samples: With labels.
            metas: What a head is told of each image.
            logits: Of the last head, where they are known.
        """
        losses, before = {}, ()
        for prefix, head in self._stages().items():
            is_last = head is self.main_head
            by_logits = getattr(head, 'loss_is_of_logits', False)
            found = logits if is_last else None
            if found is None and (by_logits or not is_last):
                found = head.predict(levels, *before, metas, self.test_cfg)
            own = (head.loss_by_feat(found, data_samples) if by_logits else
                   head.loss(levels, *before, data_samples, self.train_cfg))
            losses.update((f'{prefix}.{name}', value) for name, value in own.items())
            before = (found,)
        return losses

    def _val_losses(self, inputs: torch.Tensor, sample: SegDataSample,
                    tape: val_loss.Tape) -> dict[str, torch.Tensor]:
        levels = self.extract_feat(inputs) if tape.levels is None else tape.levels
        return {**self._cascade_losses(levels, [sample], val_loss.metas(inputs), tape.logits),
                **self._auxiliary_head_forward_train(levels, [sample])}
