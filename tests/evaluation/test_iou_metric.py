"""IoUMetric on its own and on several gloo processes, which must give the same bytes."""

import json
import os
import socket

import cv2
import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from mmengine.structures import PixelData

from segplug.errors import ConfigError, DataError, ShapeError
from segplug.evaluation import IoUMetric
from segplug.evaluation.bootstrap import interval
from segplug.registry import METRICS
from segplug.structures import SegDataSample

META = dict(classes=('road', 'sky', 'car', 'train'))
# road 2 of 3 right, sky 2 of 2 and one more; car, train in neither; one pixel ignored
LABEL = np.array([[0, 0, 0], [1, 1, 255]])
PRED = np.array([[0, 0, 1], [1, 1, 2]])


def sample(pred=PRED, label=LABEL, idx=0, path='/d/a/x.png', **meta):
    made = SegDataSample(metainfo=dict(sample_idx=idx, img_path=path, **meta))
    made.pred_sem_seg = PixelData(data=torch.from_numpy(pred.astype(np.uint8))[None])
    if label is not None:
        made.gt_sem_seg = PixelData(data=torch.from_numpy(label.astype(np.uint8))[None])
    return made.to_dict()


def metric(meta=META, **settings):
    made = IoUMetric(**settings)
    made.dataset_meta = meta
    return made


def random_sample(idx):
    rng = np.random.default_rng(idx)
    label, pred = rng.integers(0, 3, (2, 12 + idx, 17))
    label[rng.random(label.shape) < .1] = 255
    return sample(pred, label, idx, f'/d/{"ab"[idx % 2]}/{idx // 2}.png')


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob('*'))
            if p.is_file()}


def test_hand_worked():
    made = metric()
    made.process({}, [sample()])
    found = made.evaluate(1)
    # IoU: road 2 / 3, sky 2 / 3; Acc: 2 / 3 and 2 / 2; 4 of 5 pixels
    assert list(found) == ['aAcc', 'mIoU', 'mAcc']
    assert found == pytest.approx(dict(aAcc=80, mIoU=200 / 3, mAcc=500 / 6), abs=1e-12)
    assert made.matrix.tolist() == [[2, 1, 0, 0], [0, 2, 0, 0], [0] * 4, [0] * 4]
    assert made.matrix.dtype == np.int64
    assert np.isnan(made.details['IoU.train'])


def test_a_second_evaluation_starts_anew():
    made = metric()
    for _ in range(2):
        made.process({}, [sample()])
        made.evaluate(1)
    assert made.matrix.sum() == 5


def test_choice_of_metrics_prefix_and_nan():
    made = metric(iou_metrics=['mDice', 'mFscore'], prefix='val', nan_to_num=0)
    made.process({}, [sample()])
    found = made.evaluate(1)
    assert list(found) == ['val/aAcc', 'val/mDice', 'val/mAcc', 'val/mFscore', 'val/mPrecision',
                           'val/mRecall']
    # Dice: road 4 / 5, sky 4 / 5, two absent classes count as 0
    assert found['val/mDice'] == pytest.approx(40)


def test_table_and_absent_classes_are_logged():
    printed = []
    made = metric()
    made.process({}, [sample()])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('segplug.evaluation.iou_metric.print_log',
                      lambda text, *rest: printed.append(text))
        made.evaluate(1)
    rows = [line.strip('| ').split() for line in printed[0].splitlines()]
    assert ['road', '|', '66.67', '|', '66.67'] in rows
    assert ['train', '|', 'nan', '|', 'nan'] in rows
    assert ['mean', '|', '66.67', '|', '83.33'] in rows
    assert printed[1] == 'In neither labels nor predictions, left out of the mean: car, train'


def test_files(tmp_path):
    made = metric(out_dir=str(tmp_path / 'out'))
    made.process({}, [sample(), sample(PRED.T, LABEL.T, 1, '/d/b/y.png')])
    found = made.evaluate(2)
    assert list(contents(tmp_path / 'out')) == [
        'confusion_matrix.npy', 'metrics.json', 'per_image.csv', 'predictions/x.png',
        'predictions/y.png']
    assert read(tmp_path / 'out/predictions/x.png').tolist() == PRED.tolist()
    values = json.loads((tmp_path / 'out/metrics.json').read_text())
    assert {k: values[k] for k in found} == found
    assert values['IoU.train'] is None
    assert values['Fscore.road'] == pytest.approx(80)
    assert np.load(tmp_path / 'out/confusion_matrix.npy').sum() == 10
    lines = (tmp_path / 'out/per_image.csv').read_text().splitlines()
    assert lines[0].startswith('file,mIoU,aAcc,IoU.road,IoU.sky')
    assert [line.split(',')[0] for line in lines[1:]] == ['a/x.png', 'b/y.png']
    assert lines[1].split(',')[2] == '80.0'


def test_clashing_stems_keep_their_folders(tmp_path):
    made = metric(out_dir=str(tmp_path))
    made.process({}, [sample(), sample(PRED * 0, LABEL, 1, '/d/b/x.png')])
    made.evaluate(2)
    assert read(tmp_path / 'predictions/a/x.png').tolist() == PRED.tolist()
    assert read(tmp_path / 'predictions/b/x.png').max() == 0


def test_files_of_an_earlier_run_are_kept_and_named(tmp_path, monkeypatch):
    printed = []
    monkeypatch.setattr('segplug.evaluation.iou_metric.print_log',
                        lambda text, *rest: printed.append(text))
    made = metric(out_dir=str(tmp_path))
    made.process({}, [sample(), sample(PRED, LABEL, 1, '/d/a/y.png')])
    made.evaluate(2)
    assert not any('earlier run' in text for text in printed)
    made.process({}, [sample()])
    made.evaluate(1)
    assert f'{tmp_path} holds 1 files of an earlier run, which are left there: y.png' in printed
    assert (tmp_path / 'predictions/y.png').exists()
    made = metric(dict(META, label_ids=[7, 23, 26, 31]), out_dir=str(tmp_path), format_only=True)
    made.process({}, [sample()])
    made.evaluate(1)
    assert any('4 files of an earlier run' in text and 'y.png, metrics.json' in text
               for text in printed)


@pytest.mark.parametrize('folder', ['out_dir', 'output_dir'])
def test_format_only_writes_label_ids_without_labels(tmp_path, folder):
    meta = dict(META, label_ids=[7, 23, 26, 31])
    made = metric(meta, format_only=True, **{folder: str(tmp_path)})
    path = '/d/bonn/bonn_000001_000019_leftImg8bit.png'
    made.process({}, [sample(label=None, path=path)])
    assert made.evaluate(1) == {}
    target = tmp_path / 'predictions' if folder == 'out_dir' else tmp_path
    assert [p.name for p in target.iterdir()] == ['bonn_000001_000019_leftImg8bit.png']
    assert read(next(target.iterdir())).tolist() == [[7, 7, 23], [23, 23, 26]]


def test_official_scripts_find_the_file(tmp_path):
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as official
    made = metric(format_only=True, out_dir=str(tmp_path))
    made.process({}, [sample(label=None, path='/d/bonn/bonn_000001_000019_leftImg8bit.png')])
    made.evaluate(1)
    args = official.CArgs()
    args.predictionPath, args.predictionWalk = str(tmp_path / 'predictions'), None
    found = official.getPrediction(args, '/gt/bonn/bonn_000001_000019_gtFine_labelIds.png')
    assert found == str(tmp_path / 'predictions/bonn_000001_000019_leftImg8bit.png')


def test_format_only_without_label_ids_says_so(tmp_path):
    printed = []
    made = metric(format_only=True, out_dir=str(tmp_path))
    made.process({}, [sample(label=None, reduce_zero_label=True)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('segplug.evaluation.iou_metric.print_log',
                      lambda text, *rest: printed.append(text))
        made.evaluate(1)
    assert 'no label_ids' in printed[0]
    assert read(tmp_path / 'predictions/x.png').tolist() == (PRED + 1).tolist()


def test_a_repeated_or_missing_image_is_an_error():
    made = metric()
    made.process({}, [sample(), sample()])
    with pytest.raises(DataError, match=r'/d/a/x.png \(sample 0\) was scored more than once'):
        made.evaluate(2)
    made.process({}, [sample()])
    with pytest.raises(DataError, match='Got: 1 images. Expected: 2'):
        made.evaluate(2)


def test_bad_values_name_the_file():
    with pytest.raises(DataError, match='Scoring /d/a/x.png: A label map.*Got: 9'):
        metric().process({}, [sample(label=LABEL + 9 * (LABEL == 1) - (LABEL == 1))])
    with pytest.raises(DataError, match='Scoring /d/a/x.png: A prediction map.*Got: 200'):
        metric().process({}, [sample(pred=PRED + 198 * (PRED == 2))])
    with pytest.raises(ShapeError, match='Scoring /d/a/x.png against /d/l.png: '):
        metric().process({}, [sample(pred=PRED.T, seg_map_path='/d/l.png')])
    with pytest.raises(DataError, match='no label to score'):
        metric().process({}, [sample(label=None)])


def test_bad_settings():
    with pytest.raises(ConfigError, match="'mIou'.*did you mean 'mIoU'"):
        IoUMetric(iou_metrics=['mIou'])
    with pytest.raises(ConfigError, match='no folder'):
        IoUMetric(format_only=True)
    for value in (-1, 1.5, True):
        with pytest.raises(ConfigError, match='num_worst.*0 or more'):
            IoUMetric(num_worst=value)
    for value in (0, 1, 95):
        with pytest.raises(ConfigError, match='interval.*write 0.95'):
            IoUMetric(interval=value)


def test_built_by_name():
    assert isinstance(METRICS.build(dict(type='IoUMetric', iou_metrics=['mIoU'])), IoUMetric)


@pytest.fixture
def printed(monkeypatch):
    lines = []
    monkeypatch.setattr('segplug.evaluation.iou_metric.print_log',
                        lambda text, *rest: lines.append(text))
    return lines


def test_categories_weights_and_interval_are_in_the_file_and_the_log(tmp_path, printed):
    made = metric(dict(META, categories=dict(ground=('road', 'rails'), other=['sky', 'car'],
                                             gone=('bus',))), out_dir=str(tmp_path))
    made.process({}, [sample(), sample(PRED.T, LABEL.T, 1, '/d/b/y.png')])
    assert list(made.evaluate(2)) == ['aAcc', 'mIoU', 'mAcc']
    values = json.loads((tmp_path / 'metrics.json').read_text())
    # of 5 pixels: ground 2 right, 1 missed to sky, which then is false of other
    assert {k: v for k, v in values.items() if 'category' in k} == pytest.approx({
        'mIoU_category': 200 / 3, 'IoU_category.ground': 200 / 3, 'IoU_category.other': 200 / 3})
    assert values['FWIoU'] == pytest.approx(200 / 3)  # 3 / 5 * 2 / 3 + 2 / 5 * 2 / 3
    # two images alike: nothing could be other with more of them
    assert [values[k] for k in ('mIoU_low', 'mIoU_high')] == pytest.approx([200 / 3] * 2)
    assert printed[1:4] == [
        'In neither labels nor predictions, left out of the mean: car, train',
        'IoU of categories: ground 66.67, other 66.67; mean 66.67; '
        'in no category: train',
        'aAcc 80.00, FWIoU 66.67, mIoU 66.67 (95 % interval over images 66.67 to 66.67)']


@pytest.mark.parametrize(('settings', 'images'), [
    (dict(interval=None), 2), (dict(nan_to_num=0), 2), (dict(), 1)])
def test_where_there_is_no_interval(settings, images, printed):
    made = metric(**settings)
    made.process({}, [sample(idx=i) for i in range(images)])
    made.evaluate(images)
    assert 'interval' not in printed[-1]
    assert np.isnan(made.details.get('mIoU_low', np.nan))


def test_the_interval_is_that_of_the_rows():
    made = metric(interval=0.8)
    images = [random_sample(i) for i in range(9)]
    made.process({}, images)
    rows = list(made.results)
    made.evaluate(9)
    expected = interval(np.stack([row.counts for row in rows]), level=0.8)
    assert (made.details['mIoU_low'], made.details['mIoU_high']) == \
        (100 * expected.low, 100 * expected.high)
    assert made.details['mIoU_low'] < made.details['mIoU'] < made.details['mIoU_high']


def test_the_worst_images_are_logged(printed):
    made = metric(num_worst=2)
    made.process({}, [sample(path='/d/a/fine.png'), sample(1 - PRED // 2, LABEL, 1, '/d/b/bad.png'),
                      sample(PRED, LABEL * 0 + 255, 2, '/d/b/void.png')])
    made.evaluate(3)
    rows = [line.strip('| ').split() for line in printed[-1].splitlines()]
    assert [row[0] for row in rows if row[0].endswith('.png')] == ['b/bad.png', 'a/fine.png']


def test_an_accelerators_way_gives_the_same_bytes(tmp_path, monkeypatch):
    for name in 'ab':
        made = metric(out_dir=str(tmp_path / name))
        for i in range(7):
            made.process({}, [random_sample(i)])
        assert len(made.results) == (7 if name == 'a' else 3)
        made.evaluate(7)
        monkeypatch.setattr('segplug.evaluation.tally._can_wait', lambda pred: True)
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')


def test_nan_and_late_errors_name_the_file_and_leave_nothing_behind(monkeypatch):
    monkeypatch.setattr('segplug.evaluation.tally._can_wait', lambda pred: True)
    made = metric()
    made.process({}, [dict(sample(), pred_is_finite=torch.tensor(False))])
    with pytest.raises(DataError, match='The network gave nan for /d/a/x.png'):
        made.evaluate(1)
    made.process({}, [dict(sample(), pred_is_finite=torch.tensor(True))])
    assert made.evaluate(1)['aAcc'] == 80


def test_format_only_checks_what_it_writes(tmp_path):
    made = metric(dict(META, label_ids=[7, 23, 26, 31]), format_only=True, out_dir=str(tmp_path))
    with pytest.raises(DataError, match=r'/d/a/x\.png.*prediction map.*Got: 4\.'):
        write_out(made, sample(PRED * 2, None))
    assert not list((tmp_path / 'predictions').glob('*.png'))


def write_out(made, *samples):
    """What the threads find wrong is said here or there."""
    made.process({}, samples)
    made.evaluate(len(samples))


def test_format_only_with_worst_images_is_no_setting(tmp_path, printed):
    metric(format_only=True, out_dir=str(tmp_path), num_worst=3)
    assert 'no effect with format_only' in printed[0]


NUM_IMAGES = 7


def _run(rank, world, port, folder):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), RANK=str(rank),
                      WORLD_SIZE=str(world), LOCAL_RANK=str(rank))
    torch.set_num_threads(1)
    torch.distributed.init_process_group('gloo', rank=rank, world_size=world)
    made = metric(out_dir=f'{folder}/out')
    for idx in range(rank, NUM_IMAGES, world):
        made.process({}, [random_sample(idx)])
    found = made.evaluate(NUM_IMAGES)
    with open(f'{folder}/{rank}.json', 'w') as file:
        json.dump(found, file)
    torch.distributed.destroy_process_group()


def _free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def test_same_bytes_for_any_number_of_processes(tmp_path):
    made = metric(out_dir=str(tmp_path / '1' / 'out'))
    for idx in range(NUM_IMAGES):
        made.process({}, [random_sample(idx)])
    alone, expected = made.evaluate(NUM_IMAGES), contents(tmp_path / '1' / 'out')
    assert len(expected) == NUM_IMAGES + 3
    for world in (2, 3):
        folder = tmp_path / str(world)
        folder.mkdir()
        mp.spawn(_run, (world, _free_port(), str(folder)), nprocs=world)
        assert contents(folder / 'out') == expected
        assert not (folder / 'out/predictions/.partial').exists()
        for rank in range(world):
            assert json.loads((folder / f'{rank}.json').read_text()) == alone
