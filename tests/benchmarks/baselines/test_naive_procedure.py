"""The naive procedure's parts by hand, and its labels against ours in windows."""

import numpy as np
import pytest
import torch

WINDOWS = dict(mode='slide', crop_size=(64, 64), stride=(43, 43), window_average='probs',
               upsample='twice')


def test_softmax_by_hand(module):
    # exp(0) = 1 and exp(ln 3) = 3: a quarter and three quarters
    found = module('baselines.naive_procedure').softmax(np.log([[1.0], [3.0]]))
    assert np.allclose(found, [[0.25], [0.75]])


def test_matrix_by_hand(module):
    way = module('baselines.naive_procedure').NaiveProcedure(None, [0], [1], num_classes=3)
    label = np.array([[0, 1, 2, 255]], np.uint8)
    # Rows are labels: 0 as 0, 1 as 1, 2 as 1; the last pixel is ignored.
    assert way.score(np.array([[0, 1, 1, 2]]), (None, label)).tolist() == [
        [1, 0, 0], [0, 1, 0], [0, 1, 0]]


@pytest.mark.parametrize('scheme', ['SS', 'MS'])
def test_labels_and_matrix_are_ours_in_windows(module, tiny_dataset, monkeypatch, scheme):
    procedures, networks = module('evaluation.procedures'), module('evaluation.networks')
    monkeypatch.setattr(procedures, 'WINDOW', 64)
    monkeypatch.setattr(procedures, 'STRIDE', 43)
    cfg = networks.schemes(networks.ALMOST_FREE)[scheme]
    naive = procedures.side('naive', networks.ALMOST_FREE, cfg, tiny_dataset, 'cpu').way
    ours = procedures.side('ours', networks.ALMOST_FREE, {**cfg, **WINDOWS}, tiny_dataset,
                           'cpu').way
    data, sample = naive.read(0), ours.predict(ours.read(0))
    labels = sample.pred_sem_seg.data[0].numpy()
    # At scale 1 nothing is resized; elsewhere ours resizes in float, the baseline in uint8.
    assert (naive.predict(data) == labels).mean() > (0.9999 if scheme == 'SS' else 0.995)
    confusion = module('segplug.ops.confusion').confusion_matrix
    assert np.array_equal(naive.score(labels, data), confusion(labels, data[1], 19))


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
    assert np.allclose(probs[1, 0], [0.5, 0.5, 0.6155, 0.6155, 0.7311, 0.7311], atol=1e-4)
    assert len(calls) == 2
