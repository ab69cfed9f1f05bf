"""`speed` on the quickstart's model: what is timed, and what its numbers are of."""

import json
import math

import pytest

from segplug.apis import load_config, measuring, speed
from segplug.apis.measuring import NETWORK, STAGES, STEP, size_of_test_image
from segplug.cli import benchmark
from segplug.cli.main import main
from segplug.errors import ConfigError

CONFIG = 'unet/unet_r18_minicity.py'


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Warming up takes two calls."""
    warm_up = measuring.warm_up
    monkeypatch.setattr(measuring, 'warm_up', lambda once: warm_up(once, max_calls=2))


def test_times_of_the_network_and_of_a_step(trained):
    found = speed(str(trained.checkpoint), shape=(48, 64), repeats=3, batch=2)
    assert list(found.parts) == [NETWORK, STEP, *(f'  {name}' for name in STAGES)]
    assert all(len(part.seconds) == 3 for part in found.parts.values())
    whole = zip(*(found.parts[f'  {name}'].seconds for name in STAGES), strict=True)
    for sums, step in zip(map(sum, whole), found.parts[STEP].seconds, strict=True):
        assert 0.5 * step < sums <= step
    assert min(found.parts['  network'].seconds) > 0
    # A step takes each image by itself.
    assert found.network_inputs == [(1, 3, 48, 64)] * 2
    assert (found.size, found.batch, found.settings) == ((48, 64), 2, 'float32')
    assert {name: w.calls for name, w in found.warm_ups.items()} == {NETWORK: 2, STEP: 2}
    text = str(found)
    assert '2 images of 48x64, float32, 3 calls of each' in text
    assert 'the network is called in a step: 2 of 1x3x48x64' in text
    assert 'network alone: NOT warm after 2 calls' in text
    part = found.parts[NETWORK]
    assert f'{2 / (sum(part.seconds) / 3):.2f} |' in text.splitlines()[4]
    assert math.isclose(json.loads(json.dumps(found.data()))['parts'][NETWORK]['mean'], part.mean)


def test_scales_and_mirror_images_are_calls_of_the_network(tiny):
    found = speed(CONFIG, shape=(64, 64), repeats=1, aug_test=True, options=tiny,
                  speed=dict(amp='bf16', channels_last=True))
    scales = load_config(CONFIG).aug_test_cfg.scales
    assert [shape[0] for shape in found.network_inputs] == [2] * len(scales)
    assert found.settings == 'bf16, channels_last'


@pytest.mark.parametrize(('given', 'said'), [
    (dict(repeats=0), 'repeats is 1 or more.*Got: 0'), (dict(batch=0), 'batch is 1 or more'),
    (dict(shape=(0, 3)), '0x3 pixels has none')])
def test_mistakes(given, said, tiny):
    with pytest.raises(ConfigError, match=said):
        speed(CONFIG, options=tiny, **given)


def test_a_list_is_no_model(write):
    with pytest.raises(ConfigError, match='has no model'):
        speed(str(write('net.py', 'model = [1]')))


def test_the_command(options, capsys):
    assert main(['speed', CONFIG, '--shape', '32', '32', '--repeats', '2', '--json', '-',
                 *options]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data['size'] == [32, 32]
    assert len(data['parts'][STEP]['seconds']) == 2


def test_the_size_of_a_test_image(minicity):
    assert size_of_test_image(CONFIG, data_root=str(minicity)) == (64, 128)
    assert size_of_test_image(CONFIG, options={
        'test_dataloader.dataset.data_root': 'not-there'}) is None


def test_mmsegmentations_arguments(trained, minicity, options, tmp_path, capsys):
    assert benchmark.main([CONFIG, str(trained.checkpoint), '--work-dir', str(tmp_path),
                           '--repeat-times', '2', '--data-root', str(minicity), *options],
                          calls=2) == 0
    out = capsys.readouterr().out
    assert '1 image of 64x128, float32, 2 calls of each' in out
    written, = tmp_path.glob('fps_*.json')
    data = json.loads(written.read_text())
    assert data['average_fps'] == pytest.approx(
        (data['overall_fps_1'] + data['overall_fps_2']) / 2, abs=0.01)
    assert f'Average fps of 2 evaluations: {data["average_fps"]}' in out
    assert benchmark.main([CONFIG, 'x.pth', '--repeat-times', '0']) == 1
    assert 'measures nothing. Got: 0' in capsys.readouterr().err
