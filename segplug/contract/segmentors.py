"""What every segmentor keeps: images become losses in training and classes at their size in tests.
"""

from dataclasses import dataclass

import torch

from . import nets
from .case import Check, adds_to, hold
from .heads import label_of, samples, total
from .tiny_run import MODEL

CHECKS: list[Check] = []
ODD = (33, 47)


@dataclass
class SegmentorCase(nets.NetCase):
    """A segmentor; backbone, head and preprocessor that its settings do not name are tiny ones."""

    SIZE = ODD

    def __post_init__(self) -> None:
        more = {key: value for key, value in MODEL.items() if key not in self.settings}
        self.settings = {**self.settings, **more}

    @property
    def num_classes(self) -> int:
        """K."""
        head = self.settings['decode_head']
        head = head[-1] if isinstance(head, (list, tuple)) else head
        return head.get('num_classes', 3)

    def inputs(self, size):
        generator = torch.Generator().manual_seed(0)
        return [torch.rand(3, *size, generator=generator) * 255 for _ in range(2)]

    def batch(self, inputs) -> dict:
        """What a loader gives."""
        return dict(inputs=[img.to(torch.uint8) for img in inputs], data_samples=samples(
            label_of(len(inputs), inputs[0].shape[1:], self.num_classes)))

    def outputs(self, net, inputs):
        return [found.pred_sem_seg.data for found in net.test_step(self.batch(inputs))]

    def objective(self, net, inputs, size):
        return total(net(**net.data_preprocessor(self.batch(inputs), training=True), mode='loss'))


@adds_to(CHECKS, 'predictions')
def predictions_are_classes_at_the_size_of_the_image(case: SegmentorCase) -> None:
    """(1, H, W) of each image, in [0, K)."""
    model = case.net().eval()
    for label in case.outputs(model, case.inputs(ODD)):
        hold(tuple(label.shape) == (1, *ODD), f'{case.name} predicts another size than the image '
             'has.', got=tuple(label.shape), expected=(1, *ODD))
        hold(int(label.min()) >= 0 and int(label.max()) < max(2, case.num_classes),
             f'{case.name} predicts what is no class.', got=int(label.max()))


CHECKS += nets.CHECKS
