"""bench_checkpoint at tiny size: its rows, and what it says of the aims."""

import json


def test_quick_run(module, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    bench, common = module('bench_checkpoint'), module('common')
    common.main(bench.__doc__, bench.run, ['--quick', '--size', '32x32', '--out',
                                           str(tmp_path / 'x.json')], report=bench.report)
    rows = json.loads((tmp_path / 'x.json').read_text())['rows']
    # 8 layers of 256 x 256 float32 and their momentum: 8 * 256 * 256 * 4 * 2 bytes = 4.2 MB
    assert [row['case'] for row in rows] == [
        '4 MB, torch.save / crash-safe save', '4 MB, torch.save and fsync / crash-safe save',
        '4 MB, torch.load / load with checksums', 'training waits: save / save in a thread',
        'seeds of a step and its 4 samples']
    assert all(row['ours'] > 0 for row in rows)
    said = capsys.readouterr().out
    assert said.count('(aim: 1.3)') == 2
    assert '(aim: under 5 %)' in said
    assert '(aim: under 1 %)' in said


def test_report(module):
    bench, common = module('bench_checkpoint'), module('common')
    more = dict(least_ratio=0.5, processor_ratio=1.0)
    rows = [common.row('9 MB, torch.save / crash-safe save', 100, 125, **more),
            common.row('9 MB, torch.save and fsync / crash-safe save', 125, 125, **more),
            common.row('training waits: save / save in a thread', 100, 2, share_of_save=0.02),
            common.figure('seeds', 1, 'ms', share_of_step=0.004)]
    assert bench.report(rows).splitlines() == [
        'crash-safe save / torch.save: 1.25 (aim: 1.3), of the quickest 2.00, of processor time '
        '1.00',
        'crash-safe save / torch.save with fsync: 1.00 (aim: 1.3), of the quickest 2.00, of '
        'processor time 1.00',
        'save in a thread: the training waits for 2.0% of the save (aim: under 5 %)',
        'exact resume: 0.400% of a step (aim: under 1 %)']
