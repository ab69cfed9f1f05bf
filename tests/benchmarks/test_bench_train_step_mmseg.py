"""The comparison of training steps, with our own library in the place of the other."""

import json
import sys

import pytest

NAME = 'bench_train_step_mmseg'


class Canned:
    """A worker that knows its answers."""

    def __init__(self, loss=2.0, gradient=5.0, steps=()):
        self.built = dict(loss=loss, gradient=gradient, versions={'mmsegmentation': '1.2.2'})
        self.steps = iter(steps)

    def ask(self, **request):
        return self.built if 'build' in request else next(self.steps)


def steps(*wall):
    return [dict(wall=value, cpu=value / 2) for value in wall]


def test_a_quick_run(module, tmp_path, capsys):
    """The interpreter that is named runs the other library; this one runs ours."""
    fake = tmp_path / 'python'
    fake.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$1" segplug "$3"\n')
    fake.chmod(0o755)
    bench, common, out = module(NAME), module('common'), tmp_path / 'x.json'
    common.main(bench.__doc__, bench.run, ['--quick', '--size', '48x32', '--mmseg-python',
                                           str(fake), '--out', str(out)], options=bench.options)
    found, = json.loads(out.read_text())['rows']
    assert found['case'] == 'fcn_r18, 2 images of 48x32, 19 classes, 1 thread'
    assert found['loss'][0] == found['loss'][1] > 0
    assert found['gradient'][0] == found['gradient'][1] > 0
    assert found['ratio'] > 0
    assert 'fcn_r18' in capsys.readouterr().out


def test_without_the_other_library_it_is_skipped(module, capsys):
    bench, common = module(NAME), module('common')
    with pytest.raises(SystemExit) as stopped:
        common.main(bench.__doc__, bench.run, ['--quick'], options=bench.options)
    assert stopped.value.code == common.SKIPPED
    assert 'names no interpreter' in capsys.readouterr().out


def test_an_interpreter_that_lacks_it_is_one_sentence(module, tmp_path):
    """Named, it is meant to be there: no skip."""
    bench = module(NAME)
    with pytest.raises(SystemExit, match='no such file'):
        bench.Worker(str(tmp_path / 'python'), 'mmseg', 1)
    fake = tmp_path / 'fake'
    fake.write_text('#!/bin/sh\nexit 1\n')
    fake.chmod(0o755)
    worker = bench.Worker(str(fake), 'mmseg', 1)
    with pytest.raises(SystemExit, match='mmseg in .*fake does not run'):
        worker.ask(step=1)
    worker.stop()


def test_a_row_is_of_medians(module):
    """Of 8, 6, 9 and 2, 3, 4: 8 and 3; processor times are half of each."""
    workers = Canned(steps=steps(8, 6, 9)), Canned(steps=steps(2, 3, 4))
    found = module(NAME).compare('case', workers, 'fcn_r18', (32, 48), 19, 3)
    assert (found['baseline'], found['ours'], found['ratio']) == (8, 3, 8 / 3)
    assert (found['processor_ms'], found['processor_ratio']) == ([4, 1.5], 8 / 3)
    assert 'processor time: 2.67x, 2.67x, in' in module(NAME).processor_times([found, found])


@pytest.mark.parametrize('wrong', [dict(loss=2.001), dict(loss=float('nan')),
                                   dict(gradient=5.1)], ids=str)
def test_other_results_are_not_timed(module, wrong):
    with pytest.raises(SystemExit, match='not the same result'):
        module(NAME).compare('case', (Canned(), Canned(**wrong)), 'fcn_r18', (32, 48), 19, 3)


def test_what_both_build(module):
    bench = module(NAME)
    cfg = bench.model_config('fcn_r18', 150)
    assert (cfg['backbone']['depth'], cfg['decode_head']['channels']) == (18, 128)
    assert cfg['decode_head']['num_classes'] == cfg['auxiliary_head']['num_classes'] == 150
    assert not {'SyncBN', 'pretrained', 'data_preprocessor'} & set(repr(cfg).split("'"))
    heads = bench.model_config('ocrnet_hr18', 19)['decode_head']
    assert [head['type'] for head in heads] == ['FCNHead', 'OCRHead']
