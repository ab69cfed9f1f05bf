"""What the figures of bench_evaluation stand on: frames, clocks, floors, verdicts, memory."""

import zlib

import cv2
import numpy as np
import pytest
import torch


def test_frames_are_the_same_each_time_and_readable(module, tiny_dataset, tmp_path):
    frames = module('evaluation.frames')
    frames.write_frames(tmp_path / 'again', (96, 128), 1)
    first, again = (next(root.rglob('*_leftImg8bit.png')).read_bytes()
                    for root in (tmp_path / 'leftImg8bit', tmp_path / 'again'))
    assert first == again
    packed = tiny_dataset[0]
    assert packed['inputs'].shape == (3, 96, 128)
    labels = set(packed['data_samples'].gt_sem_seg.data.unique().tolist())
    assert labels <= {*range(19), 255}
    assert len(labels) > 3


def test_both_kinds_of_caller_are_timed_and_use_one_network(module):
    networks = module('evaluation.networks')
    model = networks.build(networks.ALMOST_FREE, 'cpu', {})
    network = networks.TimedNetwork(model, 'cpu')
    with pytest.raises(RuntimeError, match='was not called'):
        network.taken()
    x = torch.zeros(1, 3, 20, 32)
    direct = network(x)
    through_model = model.encode_decode(x, [dict(pad_shape=(20, 32))])
    assert direct.shape == (1, 19, 3, 4)  # ceil(20 / 8), 32 / 8
    assert torch.equal(direct, through_model)
    assert network.taken() > 0
    assert network.shapes == {(1, 3, 20, 32)}
    again = networks.build(networks.ALMOST_FREE, 'cpu', {})
    assert torch.equal(again.decode_head.conv_seg.weight, model.decode_head.conv_seg.weight)


def test_own_settings_of_a_network(module):
    networks = module('evaluation.networks')
    assert networks.schemes(networks.ALMOST_FREE)['MS']['scales'][-1] == 1.75
    assert networks.schemes('unet_r18')['MS']['scales'] == [0.9, 1.0, 1.1, 1.2]


def test_stages_add_up(module, tiny_dataset):
    procedures, networks = module('evaluation.procedures'), module('evaluation.networks')
    one = procedures.side('ours', networks.ALMOST_FREE, {}, tiny_dataset, 'cpu')
    found = procedures.timed(one, 0, 'cpu')
    assert set(found) == {*procedures.STAGES, 'cores'}
    parts = found['read'] + found['network'] + found['post-process'] + found['score']
    assert found['total'] == pytest.approx(parts)


def test_floor_is_the_slower_of_memory_and_arithmetic(module):
    machine = module('evaluation.floor').Machine(bytes_per_s=1000, ops_per_s=100)
    assert machine.floor_ms(500, 10) == 500  # half a second of copying, a tenth of arithmetic
    assert machine.floor_ms(500, 100) == 1000


def test_post_process_work_by_hand(module):
    """8x16 pixels, 2 classes, one view: 128 pixels."""
    work = module('evaluation.floor').post_process_work
    num_bytes, num_ops = work((8, 16), 2, {}, 8)
    # read 3 * 128 uint8, write 128 labels, 3 * 4 * 128 of the view; logits 2 * 4 * 128 / 64
    assert num_bytes == 384 + 128 + 1536 + 16
    assert num_ops == 2 * 128 * 2.25 + 3 * 4 * 128
    more, _ = work((8, 16), 2, dict(scales=(1.0, 2.0), flip=True), 8)
    # the area of the views is 2 * (1 + 4) = 10 times as large
    assert more == 384 + 128 + 10 * (1536 + 16)
    windows, visits = work((8, 16), 2, dict(mode='slide', crop_size=(8, 8), stride=(4, 4)), 1)
    # 3 windows of 64 pixels: 1.5 times the image; logits 2 * 4 * 192
    assert windows == 384 + 128 + 1536 + 1536
    assert visits == 2 * 128 * 1.5 * 13.25 + 3 * 4 * 128


def test_inflate_reads_the_pixels_of_a_png(module, tmp_path, monkeypatch):
    floor, seen = module('evaluation.floor'), []
    cv2.imwrite(str(tmp_path / 'x.png'), np.zeros((4, 5, 3), np.uint8))
    monkeypatch.setattr(floor.zlib, 'decompress',
                        lambda data, real=zlib.decompress: seen.append(len(real(data))))
    assert floor.inflate_ms(tmp_path / 'x.png', repeats=1) > 0
    assert seen == [4 * (1 + 3 * 5)]  # a filter byte and 5 pixels in each of 4 rows


def test_credible_within_a_quarter_of_the_original(module):
    credibility = module('evaluation.credibility')
    peer = credibility.PEERS[credibility.XEON]
    times = {stage: 2 * low for stage, (low, _) in peer.items()}  # a machine half as fast
    assert all(one['within'][credibility.XEON] for one in credibility.rows(times, 3000))
    times['argmax'] *= 1.3
    rows = credibility.rows(times, None)
    outside = [one['case'] for one in rows if not one['within'][credibility.XEON]]
    assert outside == ['credible: argmax / calcHist']  # others / argmax: 1 / 1.3 = 0.77
    text = credibility.report(rows)
    assert '216.12' in text  # 532 * 1.3 / 3.2 = 216.125
    assert f'{len(rows) - 1} of {len(rows)} ({credibility.XEON})' in text


def test_targets_need_the_almost_free_network_and_name_what_was_missed(module):
    common, targets = module('common'), module('evaluation.targets')
    key = dict(scheme='SS', stage='post-process + score', against='mmseg')
    rows = [common.row('free', 90, 10, network='almost free', **key),
            common.row('real', 10, 10, network='unet_r18', **key),
            common.figure('peak 2', 300, 'MB', stage='peak memory'),
            common.figure('peak 24', 450, 'MB', stage='peak memory')]
    found = targets.rows(rows)
    # 90 / 10 = 9 >= 8; 450 > 400 MB; 450 / 300 is 50 % more
    assert [(one['ours'], one['reached']) for one in found] == [
        (9, True), (450, False), (50, False)]
    assert [line.split()[-1] for line in targets.report(found).splitlines()[2:]] == [
        'reached', 'MISSED', 'MISSED']


def test_memory_task_gives_shapes_and_a_mark(module, tiny_tree):
    memory = module('evaluation.memory')
    cfg = memory.AUGMENTATIONS[4]
    whole = memory.do(memory.Task('ours', cfg, str(tiny_tree), 1))
    assert whole['mb'] > 50
    # 96x128 pixels at scales 1 and 1.75, in whatever batches
    assert {shape[2:] for shape in whole['shapes']} == {(96, 128), (168, 224)}
    network = memory.do(memory.Task('ours', cfg, str(tiny_tree), 1, whole['shapes']))
    assert network['shapes'] == whole['shapes']


def test_every_set_of_augmentations_has_its_number_and_the_largest_scale(module):
    for num_augs, cfg in module('evaluation.memory').AUGMENTATIONS.items():
        assert len(cfg['scales']) * (1 + cfg['flip']) == num_augs
        assert max(cfg['scales']) == 1.75


def test_peak_is_whole_minus_network(module, monkeypatch):
    memory, tasks = module('evaluation.memory'), []

    def in_process(task):
        tasks.append(task)
        return dict(mb=700.0 if task.shapes is None else 450.0, shapes=[[2, 3, 8, 8]])

    monkeypatch.setattr(memory, '_in_process', in_process)
    assert memory.measured('ours', 12, 'tree', 2) == dict(over=250.0, whole=700.0)
    # once for the shapes, then three times each
    assert [task.shapes for task in tasks] == [None] * 4 + [[[2, 3, 8, 8]]] * 3


@pytest.mark.slow
def test_peak_in_fresh_processes(module, tiny_tree):
    found = module('evaluation.memory').measured('ours', 4, tiny_tree, 1)
    assert found['whole'] > 50
    assert abs(found['over']) < 50  # an image of 128x96 pixels needs next to nothing


@pytest.mark.slow
def test_a_process_that_fails_says_why(module, tmp_path):
    with pytest.raises(RuntimeError, match='(?s)could not be measured.*tree-that-is-not'):
        module('evaluation.memory').measured('ours', 4, tmp_path / 'tree-that-is-not', 1)
