"""The whole benchmark at tiny size, without the processes whose memory it measures."""

import json

import pytest


@pytest.fixture
def result(module, monkeypatch, tmp_path, capsys):
    """JSON and printed text of a run on 96x64 pixels."""
    bench, common = module('bench_evaluation'), module('common')
    peaks = {('mmseg', 12): 900.0, ('ours', 2): 300.0, ('ours', 12): 309.0}
    monkeypatch.setattr(bench.memory, 'measured', lambda kind, num_augs, root, threads: dict(
        over=peaks[kind, num_augs], whole=1000.0))
    monkeypatch.setattr(bench, 'NUM_FRAMES', 1)
    common.main(bench.__doc__, bench.run, ['--quick', '--size', '96x64', '--threads', '1',
                                           '--out', str(tmp_path / 'x.json')], bench.report)
    return json.loads((tmp_path / 'x.json').read_text()), capsys.readouterr().out


def test_rows_targets_and_checks(result):
    written, shown = result
    rows = written['rows']
    stages = [r for r in rows if r.get('network')]
    # 2 networks x 2 schemes x (mmseg, naive, naive against ours in windows) x 6 stages
    assert len(stages) == 2 * 2 * 3 * 6
    assert all(r['baseline'] > 0 and r['ours'] > 0 and r['threads'] == 1 for r in stages)
    assert {('96x64' in r['case'], '48x32' in r['case']) for r in stages} == {
        (True, False), (False, True)}
    targets = [r for r in rows if 'reached' in r]
    # 6 ratios, of which the naive test's twice, and two of memory: 309 <= 400; 309 / 300 = +3 %
    assert len(targets) == 9
    assert [r['reached'] for r in targets[-2:]] == [True, True]
    assert targets[-1]['ours'] == pytest.approx(3)
    assert len([r for r in rows if 'within' in r]) == 16
    assert len([r for r in rows if r['case'].startswith('floor')]) == 2 * 2 + 2
    assert any('second upsampling' in r['case'] for r in rows)
    assert 'Targets:' in shown
    assert 'Is the baseline credible?' in shown
