"""Weights by name and address, from a server on this machine."""

import hashlib
import http.server
import json
import multiprocessing
import threading
from pathlib import Path

import mmengine
import pytest
import torch
from torch import nn

from segplug.engine import pretrained
from segplug.engine.checkpoint import load_checkpoint
from segplug.engine.pretrained import address_of, cache_dir, fetch, resolve_source
from segplug.engine.weight_init import PretrainedInit
from segplug.errors import CheckpointError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('SEGPLUG_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


class Handler(http.server.SimpleHTTPRequestHandler):
    requests = []

    def do_GET(self):
        Handler.requests.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        """Silent."""


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / 'www'
    folder.mkdir()
    Handler.requests.clear()

    def handler(*args):
        return Handler(*args, directory=str(folder))

    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield folder, f'http://127.0.0.1:{httpd.server_port}/'
        httpd.shutdown()
        thread.join()


def publish(folder, state=None, digest=None) -> str:
    """Write weights under a name with their hash, as publishers do."""
    path = folder / 'w.pth'
    torch.save(state or dict(weight=torch.ones(2, 2), bias=torch.ones(2)), path)
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return path.rename(folder / f'net-{digest}.pth').name


def test_table_holds_the_published_addresses():
    assert address_of('torchvision://resnet101') == (
        'https://download.pytorch.org/models/resnet101-63fe2227.pth')
    assert address_of('modelzoo://resnet18').endswith('/resnet18-f37072fd.pth')
    assert address_of('openmmlab://resnet50_v1c') == (
        'https://download.openmmlab.com/pretrain/third_party/resnet50_v1c-2cccc1ad.pth')
    assert address_of('torchvision://vgg16') == (
        'https://download.pytorch.org/models/vgg16-397923af.pth')
    assert address_of('timm://legacy_senet154').endswith('/legacy_senet154-e9eb9fe6.pth')
    # from mmengine's own table
    assert address_of('torchvision://alexnet') == (
        'https://download.pytorch.org/models/alexnet-owt-7be5be79.pth')


def test_our_table_agrees_with_mmengines():
    """Of the networks that both have; torchvision replaced the weights of its ResNets later."""
    file = Path(mmengine.__file__).parent / 'hub' / 'torchvision_0.12.json'
    upstream = json.loads(file.read_text())
    ours = {name.partition('://')[2]: address for name, address in pretrained.TABLE.items()
            if name.startswith(('torchvision://densenet', 'torchvision://vgg'))}
    assert len(ours) == 12
    assert ours == {name: upstream[name] for name in ours}


def test_unknown_name_of_timm():
    with pytest.raises(CheckpointError, match="did you mean.*'timm://legacy_senet154'"):
        address_of('timm://legacy_senet145')


def test_misspelt_name_gets_a_suggestion():
    with pytest.raises(CheckpointError, match="did you mean.*'torchvision://resnet101'"):
        address_of('torchvision://resnet1O1')


def test_cache_folder(cache, monkeypatch):
    assert cache_dir() == cache
    monkeypatch.delenv('SEGPLUG_CACHE')
    monkeypatch.setenv('TORCH_HOME', '/somewhere')
    assert str(cache_dir()) == '/somewhere/hub/checkpoints'


def test_downloads_once(cache, server):
    folder, address = server
    name = publish(folder)
    path = fetch(address + name)
    assert path == cache / name
    assert fetch(address + name + '?download=1') == path
    assert Handler.requests == ['/' + name]
    assert not list(cache.glob('*.part'))
    assert load_checkpoint(address + name)['bias'].tolist() == [1, 1]


def test_published_name(cache, server, monkeypatch):
    folder, address = server
    monkeypatch.setitem(pretrained.TABLE, 'torchvision://toy', address + publish(folder))
    assert resolve_source('torchvision://toy').parent == cache


def test_wrong_hash(cache, server):
    folder, address = server
    name = publish(folder, digest='0123abcd')
    with pytest.raises(CheckpointError, match='hash is wrong.*0123abcd'):
        fetch(address + name)
    assert not list(cache.glob('[!.]*'))
    cache.mkdir(exist_ok=True)
    (cache / name).write_bytes(b'put there by hand')
    with pytest.raises(CheckpointError, match='hash is wrong'):
        fetch(address + name)


def test_offline_says_which_file_goes_where(cache):
    address = 'http://127.0.0.1:9/net-0123abcd.pth'  # the discard port: nobody listens
    with pytest.raises(CheckpointError) as caught:
        fetch(address)
    assert f'download {address} on any machine and put it at {cache}/net-0123abcd.pth' in str(
        caught.value)


def test_files_of_one_name_from_two_addresses(cache, server):
    folder, address = server
    for name, value in (('a', 1.0), ('b', 2.0)):
        (folder / name).mkdir()
        torch.save(dict(w=torch.full((1,), value)), folder / name / 'pytorch_model.bin')
    assert [load_checkpoint(f'{address}{name}/pytorch_model.bin')['w'].item()
            for name in ('a', 'b', 'a')] == [1.0, 2.0, 1.0]
    assert len(Handler.requests) == 2


def test_a_date_is_no_hash(cache, server):
    folder, address = server
    name = publish(folder, digest='20240131')
    assert fetch(address + name).name == name
    assert pretrained.hash_in_name('a-20241331.pth') == '20241331'  # there is no month 13


@pytest.mark.parametrize('address', [
    'http://', 'http://127.0.0.1:9', 'http://127.0.0.1:9/', 'http://127.0.0.1:9/a/..',
    'http://127.0.0.1:9/?a=b.pth', 'http://127.0.0.1:9/a\\..\\b.pth'])
def test_an_address_without_a_file(cache, address):
    with pytest.raises(CheckpointError, match='names no file'):
        fetch(address)
    assert not cache.exists()


def test_an_address_that_is_none(cache):
    for address in ('http://127.0.0.1:none/a.pth', 'http://[/a.pth', 'http://a b/c.pth'):
        with pytest.raises(CheckpointError, match='could not be downloaded'):
            fetch(address)


def test_missing_on_the_server(cache, server):
    with pytest.raises(CheckpointError, match=r'\(File not found\)'):
        fetch(server[1] + 'nothing.pth')


def test_several_processes_download_once(cache, server):
    folder, address = server
    name = publish(folder)
    context = multiprocessing.get_context('spawn')
    processes = [context.Process(target=fetch, args=(address + name,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [p.exitcode for p in processes] == [0, 0, 0]
    assert Handler.requests == ['/' + name]


def test_local_paths(tmp_path, monkeypatch):
    path = tmp_path / 'net-0123abcd.pth'  # a local file's name promises nothing
    path.write_bytes(b'x')
    assert resolve_source(path) == path
    assert resolve_source(f'file://{path}') == path
    blank = path.rename(path.with_name('with a blank.pth'))
    assert resolve_source(f'file://{blank}') == blank
    assert resolve_source(blank.as_uri()) == blank
    with pytest.raises(CheckpointError, match=r'there is no such file.*holds with a blank\.pth'):
        resolve_source(path)
    with pytest.raises(CheckpointError, match='scheme that is not known.*did you mean .torchvis'):
        resolve_source('torchvison://resnet18')
    with pytest.raises(CheckpointError, match='Got: s3://.*Expected: a path, or one of'):
        resolve_source('s3://bucket/a.pth')
    blank.rename(path)
    monkeypatch.setenv('HOME', str(tmp_path))
    assert resolve_source('~/net-0123abcd.pth') == path


def test_init_cfg_takes_a_part(tmp_path):
    path = str(tmp_path / 'a.pth')
    torch.save({'state_dict': {'backbone.weight': torch.full((2, 2), 5.0),
                               'backbone.bias': torch.zeros(2), 'head.x': torch.ones(1)}}, path)
    layer = nn.Linear(2, 2)
    PretrainedInit(path, prefix='backbone.')(layer)
    assert layer.weight.tolist() == [[5, 5], [5, 5]]
    with pytest.raises(CheckpointError, match="nothing below 'neck'.*names below backbone, head"):
        PretrainedInit(path, prefix='neck')(layer)
    layer.weight.data.zero_()
    PretrainedInit(path)(layer)  # a backbone is looked for where a segmentor has it
    assert layer.weight.tolist() == [[5, 5], [5, 5]]
    with pytest.raises(CheckpointError, match='another model: 0 of'):
        PretrainedInit(path)(nn.Sequential(nn.Linear(3, 3)))
