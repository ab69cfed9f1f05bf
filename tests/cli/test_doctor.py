"""`segplug doctor` on the command line, and the look that `segplug train` takes first."""

import json
import os

import pytest

from segplug.cli.main import main

CONFIG = 'unet/unet_r18_minicity.py'
TWO = ['--cfg-options', "train_dataloader.dataset.metainfo.classes=('road','sky')",
       "val_dataloader.dataset.metainfo.classes=('road','sky')",
       "test_dataloader.dataset.metainfo.classes=('road','sky')"]


@pytest.fixture
def clean(minicity):
    """The words that look at two classes, which every drawn scene has."""
    return ['doctor', CONFIG, '--data-root', str(minicity), *TWO,
            'model.decode_head.num_classes=2']


def test_a_clean_set_exits_with_0(clean, capsys):
    assert main(clean) == 0
    out, err = capsys.readouterr()
    assert '0 road' in out
    assert 'median frequency' in out
    assert 'nothing found in 7 samples' in out
    assert 'doctor: 7 images in' in err, 'progress is no part of the output'


def test_a_finding_exits_with_1_and_says_the_line(clean, capsys):
    assert main(clean[:-1]) == 1
    out = capsys.readouterr().out
    assert 'error: num_classes_differs (model)' in out
    assert 'to mend it, in model.decode_head: num_classes=2' in out
    assert '1 error' in out


def test_json_is_all_that_is_printed_or_goes_to_a_file(clean, capsys, tmp_path):
    assert main([*clean, '--json', '-']) == 0
    printed = json.loads(capsys.readouterr().out)
    file = tmp_path / 'new/findings.json'
    assert main([*clean, '--json', str(file), '--splits', 'val', '--limit', '2']) == 0
    assert 'nothing found in 2 samples' in capsys.readouterr().out
    written = json.loads(file.read_text())
    assert (printed['clean'], printed['version'], printed['config']) == (True, 1, CONFIG)
    assert [part['name'] for part in printed['parts']] == ['train', 'val, test']
    assert [(p['name'], p['samples'], p['whole']) for p in written['parts']] == [('val', 2, False)]


def test_a_wrong_config_is_one_sentence(capsys):
    assert main(['doctor', 'no_such.py']) == 1
    assert capsys.readouterr().err.startswith("ConfigError: There is no config 'no_such.py'")


@pytest.mark.parametrize('flags', [[], ['--no-doctor']])
def test_a_training_on_wrong_labels_stops_unless_told_not_to(minicity, tmp_path, capsys, flags):
    """labelIds read as if they were training ids."""
    words = ['train', CONFIG, '--data-root', str(minicity), '--work-dir', str(tmp_path), *flags,
             '--cfg-options', 'train_dataloader.dataset.type=BaseSegDataset',
             'train_dataloader.dataset.img_suffix=_leftImg8bit.png',
             'train_dataloader.dataset.seg_map_suffix=_gtFine_labelIds.png',
             "train_dataloader.dataset.metainfo.classes=('a','b','c')",
             'model.decode_head.num_classes=3', 'val_dataloader=None', 'val_evaluator=None',
             'test_dataloader=None', 'train_dataloader.num_workers=0',
             'train_dataloader.persistent_workers=False', 'train_cfg.max_iters=1']
    assert main(words) == 1
    err = capsys.readouterr().err
    assert ('value_out_of_range' in err) == (not flags)
    assert ("to mend it, in train_dataloader.dataset.pipeline.1: value_map=" in err) == (not flags)
    assert not os.path.exists(tmp_path / 'iter_1.pth')
