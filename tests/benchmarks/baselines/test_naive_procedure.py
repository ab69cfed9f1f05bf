"""The naive procedure's parts by hand, and its labels against ours in windows."""

import numpy as np
import pytest
import torch

WINDOWS = dict(mode='slide', crop_size=(64, 64), stride=(43, 43), window_average='probs',
               upsample='twice')


def test_counts_by_hand(module):
    way = module('baselines.naive_procedure').NaiveProcedure(None, [0], [1], num_classes=3)
    label = np.array([[0, 1, 2, 255]], np.uint8)
    # 0 as 0, 1 as 1, 2 as 1; the last pixel is ignored: hits, predictions, labels
    found = way.score(np.array([[0, 1, 1, 2]]), (None, label))
    assert [counts.tolist() for counts in found] == [[1, 1, 0], [1, 2, 0], [1, 1, 1]]


@pytest.mark.parametrize('scheme', ['SS', 'MS'])
def test_labels_and_counts_are_ours_in_windows(module, tiny_dataset, monkeypatch, scheme):
    procedures, networks = module('evaluation.procedures'), module('evaluation.networks')
    monkeypatch.setattr(procedures, 'WINDOW', 64)
    monkeypatch.setattr(procedures, 'STRIDE', 43)
    cfg = networks.schemes(networks.ALMOST_FREE)[scheme]
    naive = procedures.side('naive', networks.ALMOST_FREE, cfg, tiny_dataset, 'cpu').way
    ours = procedures.side('ours', networks.ALMOST_FREE, {**cfg, **WINDOWS}, tiny_dataset,
                           'cpu').way
    data, sample = naive.read(0), ours.predict(ours.read(0))
    labels = sample.pred_sem_seg.data[0].numpy()
    # At scale 1 nothing is resized; elsewhere ours resizes in float, the baseline in uint8, and
    # ours mirrors the image before it is cut into windows, the baseline each window.
    assert (naive.predict(data) == labels).mean() > (0.9999 if scheme == 'SS' else 0.99)
    matrix = module('segplug.ops.confusion').confusion_matrix(labels, data[1], 19)
    for found, ours in zip(naive.score(labels, data),
                           (matrix.diagonal(), matrix.sum(0), matrix.sum(1)), strict=True):
        assert np.array_equal(found, ours)


def test_windows_are_averaged_as_probabilities(module):
    """Logits that grow from window to window: the mean is that of the softmaxes."""
    calls = []

    def network(x):
        calls.append(x.shape)
        return torch.tensor([0.0, float(len(calls) - 1)]).view(1, 2, 1, 1).expand(1, 2, 1, 1)

    way = module('baselines.naive_procedure').NaiveProcedure(
        network, [0] * 3, [1] * 3, window=4, stride=2, num_classes=2)
    probs = way._probabilities(np.zeros((4, 6, 3), np.float32))
    # The second of two classes: 1/2 in the first window, e / (1 + e) = 0.7311 in the second.
    assert np.allclose(probs[0, :, 1], [0.5, 0.5, 0.6155, 0.6155, 0.7311, 0.7311], atol=1e-4)
    assert len(calls) == 2
