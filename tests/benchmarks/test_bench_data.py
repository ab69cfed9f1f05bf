"""bench_data: every row is there at tiny size, and a baseline that differs is noticed."""

import json

import numpy as np
import pytest


def test_quick_run(module, tmp_path, capsys):
    bench, common = module('bench_data'), module('common')
    common.main(bench.__doc__, bench.run, ['--quick', '--size', '256x128', '--out',
                                           str(tmp_path / 'x.json')], report=bench.report)
    rows = json.loads((tmp_path / 'x.json').read_text())['rows']
    stages = {row['stage'] for row in rows}
    assert {*bench.AIMS, 'baseline', 'floor', 'format', 'from PNG all', 'from packed all'} <= stages
    assert all(row['ours'] > 0 for row in rows)
    # 64 x 128 pixels: 3 + 8 bytes each against 3 + 1.
    sent = next(row for row in rows if row['stage'] == 'bytes')
    assert (sent['baseline'], sent['ours']) == (64 * 128 * 11 / 1e6, 64 * 128 * 4 / 1e6)
    assert 'from packed: ' in capsys.readouterr().out


def test_samples_that_differ_are_noticed(module, tmp_path, monkeypatch):
    module('bench_data')
    loaders, frames = module('data.loaders'), module('evaluation.frames')
    from segplug.apis.packing import pack
    frames.write_frames(tmp_path / 'frames', (64, 128), 1)
    config = tmp_path / 'config.py'
    cfg = loaders.dataset_cfg(tmp_path / 'frames', (64, 128), (32, 64))
    config.write_text(f"default_scope = 'segplug'\ntrain_dataloader = dict(dataset={cfg!r})\n")
    pack(config, tmp_path / 'packed')
    loaders.check_same(tmp_path / 'frames', (64, 128), (32, 64), str(tmp_path / 'packed'), 2)
    monkeypatch.setattr(np, 'flip', lambda array, axis: array)  # the baseline does not mirror
    with pytest.raises(RuntimeError, match='different samples'):
        loaders.check_same(tmp_path / 'frames', (64, 128), (32, 64), str(tmp_path / 'packed'), 12)
