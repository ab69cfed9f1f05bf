"""The procedure's parts by hand, and its labels against ours."""

import cv2
import numpy as np
import pytest
import torch


@pytest.fixture
def procedure(module):
    return module('baselines.mmseg_procedure')


def mean_of_colours(x):
    """A network of three classes, whose logits are the colours of 8x8 cells."""
    return torch.nn.functional.avg_pool2d(x, 8, ceil_mode=True)


def test_intersect_and_union_by_hand(procedure):
    pred, label = torch.tensor([[0, 1, 1, 2]]), torch.tensor([[0, 1, 2, 255]])
    # The last pixel is ignored: hits 0 and 1; predicted 0, 1, 1; labelled 0, 1, 2.
    hits, union, preds, labels = procedure.intersect_and_union(pred, label, 3)
    assert hits.tolist() == [1, 1, 0]
    assert preds.tolist() == [1, 2, 0]
    assert labels.tolist() == [1, 1, 1]
    assert union.tolist() == [1, 2, 1]  # 1 + 1 - 1, 2 + 1 - 1, 0 + 1 - 0


def test_windows_end_at_the_border(procedure):
    # 10 long, 4 wide, step 3: 0-4, 3-7, 6-10; one row of windows, for 4 <= 4.
    assert [w[2:] for w in procedure.window_grid((4, 10), 4, 3)] == [(0, 4), (3, 7), (6, 10)]
    # 9 long: a third window is needed, and moved back from 6-10 to 5-9; 3 is less than a window.
    assert procedure.window_grid((3, 9), 4, 3) == [
        (0, 3, 0, 4), (0, 3, 3, 7), (0, 3, 5, 9)]


def test_read_gives_a_view_for_each_scale_and_mirror(procedure, tmp_path):
    img = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3)
    cv2.imwrite(str(tmp_path / 'i.png'), img)
    cv2.imwrite(str(tmp_path / 'l.png'), img[..., 0])
    way = procedure.MmsegProcedure(mean_of_colours, [0] * 3, [1] * 3, scales=(1.0, 0.5),
                                   flip=True)
    views = way.read(str(tmp_path / 'i.png'), str(tmp_path / 'l.png'))
    assert [(tuple(v.inputs.shape), v.flip) for v in views] == [
        ((3, 4, 8), False), ((3, 4, 8), True), ((3, 2, 4), False), ((3, 2, 4), True)]
    assert torch.equal(views[0].inputs, torch.from_numpy(img).permute(2, 0, 1))
    assert torch.equal(views[1].inputs, views[0].inputs.flip(-1))
    for view in views:  # decoded anew for each, never mirrored, never resized
        assert view.label.dtype == torch.int64
        assert torch.equal(view.label[0], torch.from_numpy(img[..., 0]).long())


def test_windows_average_logits(procedure):
    """Two windows over a constant image: where they overlap the mean is what each says."""
    way = procedure.MmsegProcedure(mean_of_colours, [0] * 3, [1] * 3, window=16, stride=8)
    x = torch.tensor([1., 2., 3.]).view(1, 3, 1, 1).expand(1, 3, 16, 24)
    assert torch.allclose(way._logits(x), x)


@pytest.mark.parametrize('scheme', ['SS', 'MS'])
def test_labels_are_ours_but_for_rounding(module, tiny_dataset, scheme):
    """With two upsamplings, ours too; it resizes the image in float, the baseline in uint8."""
    procedures, networks = module('evaluation.procedures'), module('evaluation.networks')
    cfg = {**networks.schemes(networks.ALMOST_FREE)[scheme], 'upsample': 'twice'}
    maps = {}
    for kind in ('mmseg', 'ours'):
        way = procedures.side(kind, networks.ALMOST_FREE, cfg, tiny_dataset, 'cpu').way
        maps[kind] = way.predict(way.read(0))
    ours = maps['ours'].pred_sem_seg.data[0]
    same = (maps['mmseg'] == ours).float().mean()
    assert same == 1 if scheme == 'SS' else same > 0.995
    assert len(ours.unique()) > 3  # not agreement on nothing
