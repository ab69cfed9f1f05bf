import pytest
import torch
from mmengine.structures import PixelData

from segplug.models.decode_heads import STDCHead
from segplug.models.decode_heads.stdc_head import detail_targets
from segplug.models.segmentors import EncoderDecoder
from segplug.structures import SegDataSample

HEAD = dict(in_channels=4, channels=4, num_classes=2, num_convs=1, concat_input=False)


def _targets(label: torch.Tensor, ignore_index: int | None = 255) -> torch.Tensor:
    head = STDCHead(**HEAD)
    return detail_targets(label, ignore_index, 0.1, head.laplacian_kernel, head.fusion_kernel)


def _by_loop(label: list[list[int]], ignored: int) -> list[list[int]]:
    """Detail guidance, pixel by pixel; neighbours that are not there do not count."""
    height, width = len(label), len(label[0])

    def response(y: int, x: int) -> int:
        near = [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        return sum(label[y][x] - label[v][u] for v, u in near
                   if 0 <= v < height and 0 <= u < width and label[v][u] != ignored)

    out = []
    for y in range(height):
        out.append([])
        for x in range(width):
            score = 0.0
            for stride, weight in ((1, 0.6), (2, 0.3), (4, 0.1)):
                # Nearest neighbour: the pixel's share of a map of ceil(size / stride).
                v = y * -(-height // stride) // height * stride
                u = x * -(-width // stride) // width * stride
                if label[v][u] != ignored and response(v, u) > 0.1:
                    score += weight
            out[-1].append(ignored if label[y][x] == ignored else int(score > 0.1 + 1e-9))
    return out


@pytest.mark.parametrize('size', [(8, 12), (7, 9), (1, 5)])
def test_targets_are_the_loop(size):
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(0, 3, size, generator=generator)
    label = label.repeat_interleave(2, 0).repeat_interleave(2, 1)[:size[0], :size[1]] + 150
    label[0, 1] = label[-1, -2:] = 255
    expected = torch.tensor(_by_loop(label.tolist(), 255))
    assert torch.equal(_targets(label[None, None])[0, 0], expected)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(_targets(label[None, None])[0, 0], expected)


def test_by_hand():
    """Classes 1 | 2 meet between columns 3 and 4: the boundary is on 2's side, column 4.

    With stride 2 column 4 is seen and fills 4 and 5; with stride 4 it fills 4 to 7, but its
    weight of 0.1 is not more than the threshold of 0.1. The image's border is no boundary.
    """
    label = torch.tensor([1, 1, 1, 1, 2, 2, 2, 2]).expand(1, 1, 8, 8)
    assert _targets(label)[0, 0].tolist() == [[0, 0, 0, 0, 1, 1, 0, 0]] * 8
    ignored = label.clone()
    ignored[..., 4:] = 255
    assert _targets(ignored)[0, 0].tolist() == [[0, 0, 0, 0, 255, 255, 255, 255]] * 8
    assert _targets(label.where(label == 2, 0), None).unique().tolist() == [0, 1]


def test_labels_of_more_classes_than_its_own_are_no_fault():
    """Its two classes are boundary or not; the labels are those of the decode head's five."""
    model = EncoderDecoder(
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4),
        decode_head=dict(type='FCNHead', in_channels=32, channels=4, num_classes=5),
        auxiliary_head=dict(type='STDCHead', **{**HEAD, 'in_channels': 8}, in_index=1,
                            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)))
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.full((1, 32, 32), 4)))
    losses = model.loss(torch.rand(2, 3, 32, 32), [sample, sample])
    assert losses['aux.loss_ce'].isfinite()


def test_published_checkpoints_hold_the_constants():
    state = STDCHead(**HEAD).state_dict()
    assert state['laplacian_kernel'].flatten().tolist() == [-1, -1, -1, -1, 8, -1, -1, -1, -1]
    assert torch.allclose(state['fusion_kernel'].flatten(), torch.tensor([0.6, 0.3, 0.1]))
